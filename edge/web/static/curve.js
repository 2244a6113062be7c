// Today by hour: how full the lot was (line), how many came and left (bars). Asked for once a day; what happens after
// that is counted on from the live state.

import { getAutomatically, Problem } from "./api.js";
import { byId, el, say, svg } from "./dom.js";
import { isEnglish, word } from "./language.js";

const WIDTH = 360;
const HEIGHT = 150;
const LEFT = 30; // room for "100"
const TOP = 8;
const FLOOR = 122; // y of 0
const BARS_PX = 34; // the busiest hour's bar
const HOUR_PX = (WIDTH - LEFT) / 24;
const HOUR_MS = 3_600_000;
const ZONE_MS = 8 * HOUR_MS; // Asia/Shanghai has no summer time

let curve = null;
let counted = new Map(); // lane -> passages already in the curve
let drawn = "";
let asking = false;
let newest = null; // what to draw when the answer comes

const hourOf = (ms) => Math.floor((ms + ZONE_MS) / HOUR_MS);
const dayOf = (ms) => new Date(ms + ZONE_MS).toISOString().slice(0, 10);

export function forgetCurve() {
  curve = null;
  drawn = "";
  byId("curve").replaceChildren();
}

export function showCurve(box, nowMs) {
  newest = [box, nowMs];
  if (curve === null || curve.day !== dayOf(nowMs)) {
    fetchCurve(box, nowMs);
    return;
  }
  count(box, hourOf(nowMs) % 24);
  const key = JSON.stringify([curve, isEnglish()]);
  if (key !== drawn) draw();
  drawn = key;
}

async function fetchCurve(box, nowMs) {
  if (asking || nowMs === 0) return;
  asking = true;
  try {
    const fresh = await getAutomatically("/api/curve");
    counted = new Map(box.lanes.map((lane) => [lane.id, lane.passed]));
    curve = { ...fresh, hours: [...fresh.hours] };
    // A day of the box that is not ours (its clock is not set): shown as it is, asked for again in a minute.
    if (fresh.day !== dayOf(nowMs)) curve.day = dayOf(nowMs);
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    say(byId("curve"), word("curve_failed"));
    setTimeout(() => { asking = false; }, 30_000); // also what keeps ten states a second from asking each time
    return;
  }
  asking = false;
  showCurve(...newest);
}

function count(box, hour) {
  let row = curve.hours.find((one) => one.hour === hour);
  if (!row) {
    row = { hour, entered: 0, left: 0, parked: box.parked, saturation_pct: 0 };
    curve.hours.push(row);
  }
  for (const lane of box.lanes) {
    const more = lane.passed - (counted.get(lane.id) ?? lane.passed);
    counted.set(lane.id, lane.passed);
    if (more > 0) row[lane.direction === "in" ? "entered" : "left"] += more;
  }
  row.parked = box.parked;
  row.saturation_pct = Math.round((box.parked / box.total) * 100);
}

const yOf = (pct) => FLOOR - ((FLOOR - TOP) * Math.min(100, Math.max(0, pct))) / 100;
const xOf = (hour) => LEFT + hour * HOUR_PX;

function draw() {
  const known = curve.hours.filter((row) => row.saturation_pct >= 0);
  const busiest = Math.max(1, ...curve.hours.map((row) => Math.max(row.entered, row.left)));
  const grid = [0, 70, 90, 100].flatMap((pct) => [
    svg("path", { class: pct === 70 || pct === 90 ? "curve-band" : "curve-grid", d: `M${LEFT} ${yOf(pct)}H${WIDTH}` }),
    svg("text", { x: LEFT - 5, y: yOf(pct) + (pct === 90 ? 8 : pct === 100 ? 2 : 4), "text-anchor": "end" }, String(pct)),
  ]);
  const hours = [0, 6, 12, 18, 24].map((hour) =>
    svg("text", { x: xOf(hour), y: FLOOR + 18, "text-anchor": hour === 24 ? "end" : hour === 0 ? "start" : "middle" }, `${hour}:00`));
  const bar = (row, name, at) => svg("rect", {
    class: `curve-${name}`, x: xOf(row.hour) + at, width: HOUR_PX / 2 - 2, y: FLOOR - (row[name === "in" ? "entered" : "left"] / busiest) * BARS_PX,
    height: (row[name === "in" ? "entered" : "left"] / busiest) * BARS_PX,
  });
  const bars = curve.hours.flatMap((row) => [bar(row, "in", 1), bar(row, "out", HOUR_PX / 2)]);
  const points = known.map((row) => `${xOf(row.hour + 1)} ${yOf(row.saturation_pct)}`);
  const line = points.length ? `M${xOf(known[0].hour)} ${yOf(known[0].saturation_pct)}L${points.join("L")}` : "";
  const area = points.length ? `${line}V${FLOOR}H${xOf(known[0].hour)}Z` : "";
  const total = (name) => curve.hours.reduce((sum, row) => sum + row[name], 0);
  const words = word("curve_words", total("entered"), total("left"), Math.max(0, ...known.map((row) => row.saturation_pct)));
  const picture = svg("svg", { class: "curve", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": words },
    ...grid, ...bars, svg("path", { class: "curve-area", d: area }), svg("path", { class: "curve-line", d: line }), ...hours);
  const legend = el("p", "legend", el("span", "key-share", word("key_share")), el("span", "key-in", word("key_in", total("entered"))),
    el("span", "key-out", word("key_out", total("left"))));
  byId("curve").replaceChildren(el("h3", "", word("today")), picture, legend, numbers());
}

// The same as a table, for whoever reads instead of looking.
function numbers() {
  const was = byId("curve").querySelector("details")?.open ?? false;
  const head = el("tr", "", ...["hour", "tab_in", "tab_out", "parked", "share"].map((name) => {
    const cell = el("th", "", word(name));
    cell.scope = "col";
    return cell;
  }));
  const rows = curve.hours.map((row) => el("tr", "", el("th", "", `${row.hour}:00`), ...[row.entered, row.left,
    row.parked < 0 ? "–" : row.parked, row.saturation_pct < 0 ? "–" : `${row.saturation_pct}%`].map((value) => el("td", "", String(value)))));
  for (const row of rows) row.firstChild.scope = "row";
  const made = el("details", "", el("summary", "", word("as_table")), el("table", "numbers", el("thead", "", head), el("tbody", "", ...rows)));
  made.open = was;
  return made;
}
