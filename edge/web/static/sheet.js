// The sheet: one dialog that comes up from below on a phone. Escape, the cross and a press beside it close it.

import { byId, el, say } from "./dom.js";
import { button } from "./forms.js";
import { word } from "./language.js";

let opener = null; // what had the focus before, and gets it back
let look = null; // what an open sheet looks at in every new state

export function openSheet(title, ...content) {
  const sheet = byId("sheet");
  if (!sheet.open) opener = document.activeElement;
  look = null;
  const heading = el("h2", "", title);
  heading.id = "sheet-title";
  heading.tabIndex = -1;
  sheet.replaceChildren(el("div", "sheet-head", heading, button(word("back"), closeSheet, "small")), ...content);
  if (!sheet.open) sheet.showModal();
  heading.focus(); // a reader hears what it is, and no keyboard covers the sheet before it is wanted
}

export function closeSheet() {
  if (byId("sheet").open) byId("sheet").close();
}

// `then` is called now and with every new state, as long as this sheet is open.
export function watchFromSheet(then) {
  look = then;
  tellSheet();
}

export const tellSheet = () => look?.();

byId("sheet").addEventListener("close", () => {
  look = null;
  byId("sheet").replaceChildren();
  if (opener?.isConnected) opener.focus();
});
byId("sheet").addEventListener("click", (event) => {
  if (event.target !== byId("sheet")) return;
  const edge = byId("sheet").getBoundingClientRect();
  const inside = event.clientX >= edge.left && event.clientX <= edge.right && event.clientY >= edge.top && event.clientY <= edge.bottom;
  if (!inside) closeSheet();
});
