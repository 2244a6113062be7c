// Flow control: switches, bookings, and who waits and why. Shown when the box tells of it.

import { byId } from "./dom.js";

export function showFlow(box) {
  byId("flow").hidden = !box.flow;
}
