// Pictures: a small one that is pressed, the large one, and words in the place of one that cannot be had.

import { byId, el, say } from "./dom.js";
import { word } from "./language.js";

// It was deleted meanwhile, or the box has no time for it: an empty frame would say nothing.
export const whenMissing = (image, tell) => image.addEventListener("error", () => { if (image.hasAttribute("src")) tell(); });

// A picture as it is now, with its words: what comes while somebody looks at it does not change it under his eyes.
export function enlarge(source, text) {
  const image = byId("viewer-image");
  image.hidden = false;
  image.src = source;
  image.alt = text;
  say(byId("viewer-text"), text);
  byId("viewer").showModal();
}

whenMissing(byId("viewer-image"), () => {
  byId("viewer-image").hidden = true;
  say(byId("viewer-text"), `${byId("viewer-image").alt} · ${word("no_picture")}`);
});

// A button with the picture of a read on it; `words` are those below the large one, `label` what a reader hears.
export function pictureButton(readId, words, label, className) {
  const image = el("img");
  image.src = `/picture/${readId}.jpg`;
  image.alt = "";
  image.loading = "lazy";
  const open = el("button", className, image);
  open.type = "button";
  open.setAttribute("aria-label", label);
  open.addEventListener("click", () => enlarge(image.src, words));
  whenMissing(image, () => open.replaceWith(noPicture(className)));
  return open;
}

// What stands where a picture would be.
export function noPicture(className) {
  const nothing = el("button", className, el("span", "no-image", word("no_picture")));
  nothing.type = "button";
  nothing.disabled = true;
  return nothing;
}
