// The box and what hangs on it: devices, live loops, relays, cameras, city links, and the machine itself.

import { block } from "./blocks.js";
import { drawCameras, freshReads } from "./cameras.js";
import { drawDevices, showDevices } from "./devices.js";
import { el } from "./dom.js";
import { drawHealth } from "./health.js";
import { word } from "./language.js";
import { drawLinks } from "./link_check.js";
import { drawLoops, stopLoops, watchLoops } from "./loops.js";
import { drawRelays, showRelays } from "./relays.js";
import { drawRs485, showRs485 } from "./rs485.js";
import { may } from "./session.js";
import { drawSigns, showSigns } from "./signs.js";

let newest = null; // the newest state with a box in it, for what is drawn later
let drawn = false;

export function show(root) {
  stopLoops();
  const bench = may("technician");
  const left = [block("devices", word("lane_devices"), drawDevices())];
  if (bench) left.push(block("loops", word("loops_live"), drawLoops()), block("relays", word("relay_test"), drawRelays()), block("signs", word("signs"), drawSigns()), block("rs485", word("rs485"), drawRs485()));
  const right = [block("city-links", word("city_links"), drawLinks()), block("health", word("health"), drawHealth())];
  if (bench) left.push(block("cameras", word("cameras"), drawCameras()));
  root.replaceChildren(el("h1", "", word("tab_box")), el("div", "columns", el("div", "column", ...left), el("div", "column", ...right)));
  drawn = true;
  if (newest) live(newest.state, newest.nowMs);
}

export function live(state, nowMs) {
  if (state.box) newest = { state, nowMs };
  if (!drawn || !newest) return;
  const { box } = newest.state;
  showDevices(box, state.agent);
  showRelays(box.lanes);
  showSigns(box);
  showRs485(box);
  watchLoops(box.lanes);
  freshReads(box.lanes, state.pictures);
  drawLinks(state.agent.links, nowMs);
}

export function hide() {
  stopLoops();
  drawn = false;
}
