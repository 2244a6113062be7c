// A block of a part: a heading and what stands under it. The id is for the way there.

import { el } from "./dom.js";

export function block(id, title, ...children) {
  const heading = el("h2", "", title);
  heading.id = `${id}-title`;
  const node = el("section", "block", heading, ...children);
  node.id = id;
  node.setAttribute("aria-labelledby", heading.id);
  return node;
}
