// Making and changing nodes. Text only ever becomes a text node: nothing from outside is read as markup.

const SVG = "http://www.w3.org/2000/svg";

export const byId = (id) => document.getElementById(id);

export function el(tag, className = "", ...children) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  node.append(...children);
  return node;
}

export function svg(tag, attributes = {}, ...children) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

// Unchanged text is left alone, so that a selection or a screen reader is not disturbed ten times a second.
export function say(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

export function mark(node, name, value) {
  if (node.dataset[name] !== String(value)) node.dataset[name] = String(value);
}

// One child node per item, kept as long as its key stays: transitions run on and images do not flicker.
export function keep(list, items, keyOf, make, update) {
  const old = new Map([...list.children].map((node) => [node.dataset.key, node]));
  items.forEach((item, index) => {
    const key = String(keyOf(item));
    let node = old.get(key);
    old.delete(key);
    if (!node) {
      node = make(item);
      node.dataset.key = key;
    }
    if (list.children[index] !== node) list.insertBefore(node, list.children[index] ?? null);
    update(node, item);
  });
  for (const node of old.values()) node.remove();
}
