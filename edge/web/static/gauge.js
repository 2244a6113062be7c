// How full the lot is: the number that the guard is asked for, and a bar with the three bands of flow control.

import { byId, el, mark, say, svg } from "./dom.js";
import { word } from "./language.js";

// T/SZPIA 001 clause 6: saturated from 70 % of the stalls, full from 90 %. A box that has other bands says so.
const BANDS = [0.7, 0.9];
const NAMES = ["free", "saturated", "full"];

let parts = null; // the nodes that change
let drawnFor = ""; // the bands they were drawn for

export function showOccupancy({ total, parked, flow }) {
  const bands = flow ? [flow.saturated_from, flow.full_from] : BANDS;
  if (drawnFor !== String(bands)) make(bands);
  const share = parked / total; // a lot has at least one stall (config lot.total_stalls)
  const level = share >= bands[1] ? "full" : share >= bands[0] ? "saturated" : "free";
  mark(byId("occupancy-body"), "level", level);
  say(parts.parked, String(parked));
  say(parts.total, ` / ${total}`);
  say(parts.free, parked > total ? word("over", parked - total) : word("free", total - parked));
  say(parts.level, `${word(`level_${level}`)}, ${word("used_pct", Math.round(share * 100))}`);
  NAMES.forEach((name, index) => {
    say(parts.names[index], word(`level_${name}`));
    parts.names[index].classList.toggle("now", name === level);
  });
  parts.fill.setAttribute("width", String(Math.min(100, Math.max(0, share * 100))));
  parts.bar.setAttribute("aria-label", `${word("parked_of", parked, total)}, ${parts.level.textContent}`);
}

function make(bands) {
  const [saturated, full] = bands.map((share) => share * 100);
  const edges = [[0, saturated], [saturated, full], [full, 100]];
  const fill = svg("rect", { class: "bar-fill", x: 0, y: 0, width: 0, height: 14 });
  const tick = (pct) => svg("path", { class: "bar-tick", d: `M${pct} 0V14` });
  const bar = svg("svg", { class: "bar", viewBox: "0 0 100 14", preserveAspectRatio: "none", role: "img" },
    svg("rect", { class: "bar-back", x: 0, y: 0, width: 100, height: 14 }), fill, tick(saturated), tick(full));
  // Names stand under their bands; an SVG of its own keeps them there at any width without a style attribute.
  const names = edges.map(([from, to]) =>
    svg("text", { class: "band-name", x: `${(from + to) / 2}%`, y: 13, "text-anchor": "middle" }));
  const ticks = [saturated, full].map((pct) =>
    svg("text", { class: "band-pct", x: `${pct}%`, y: 29, "text-anchor": "middle" }, `${Math.round(pct)}%`));
  const scale = svg("svg", { class: "scale", "aria-hidden": "true" }, ...names, ...ticks);
  parts = { parked: el("strong"), total: el("span"), free: el("span", "free"), level: el("span", "level"), fill, bar, names };
  const line = el("p", "stalls", parts.free, el("span", "inside", parts.level, " · ", parts.parked, parts.total));
  byId("occupancy-body").replaceChildren(line, bar, scale);
  drawnFor = String(bands);
}
