// Fields, buttons and answers, made one way everywhere: label above, big enough for a thumb, error said beside it.

import { el } from "./dom.js";
import { said, word } from "./language.js";

let fields = 0;

// A labelled control. `node` is an input, select or textarea.
export function field(label, node, hint = "") {
  node.id ||= `f${++fields}`;
  const text = el("label", "field-label", label);
  text.htmlFor = node.id;
  const row = el("div", "field", text, node);
  if (hint) {
    const note = el("p", "field-hint", hint);
    note.id = `${node.id}-hint`;
    node.setAttribute("aria-describedby", note.id);
    row.append(note);
  }
  return row;
}

export function input(name, properties = {}) {
  const node = el("input");
  node.name = name;
  node.autocomplete = "off";
  Object.assign(node, properties);
  return node;
}

export function select(name, options, chosen) {
  const node = el("select");
  node.name = name;
  for (const [value, text] of options) {
    const option = el("option", "", text);
    option.value = value;
    option.selected = value === chosen;
    node.append(option);
  }
  return node;
}

export function button(text, onPress, className = "") {
  const node = el("button", `button ${className}`.trim(), text);
  node.type = onPress ? "button" : "submit";
  if (onPress) node.addEventListener("click", onPress);
  return node;
}

// Where the result of an action is said: a live region with a mark that is not only a colour.
export function answerPlace() {
  const node = el("p", "answer");
  node.setAttribute("role", "status");
  node.hidden = true;
  return node;
}

export function showAnswer(node, answer) {
  node.hidden = false;
  node.dataset.ok = String(answer.ok);
  node.textContent = `${answer.ok ? "✓" : "✕"} ${said(answer)}`;
}

export function showBusy(node) {
  node.hidden = false;
  node.dataset.ok = "busy";
  node.textContent = word("busy");
}

// Runs `work` with the form's buttons off, so that an impatient second press is not a second order.
export async function once(form, work) {
  const buttons = [...form.querySelectorAll("button")];
  if (form.dataset.busy) return undefined;
  form.dataset.busy = "1";
  for (const each of buttons) each.setAttribute("aria-disabled", "true");
  try {
    return await work();
  } finally {
    delete form.dataset.busy;
    for (const each of buttons) each.removeAttribute("aria-disabled");
  }
}

// Name and value pairs, as a definition list.
export function facts(rows) {
  const list = el("dl", "pairs");
  for (const [name, value, level] of rows) {
    const cell = el("dd", "", value instanceof Node ? value : String(value));
    if (level) cell.dataset.level = level;
    list.append(el("div", "", el("dt", "", name), cell));
  }
  return list;
}
