// Loops and limit switches live: the last half minute as tracks, to see a loop that flickers, sticks or is crossed.

import { getAutomatically, Problem } from "./api.js";
import { el, svg } from "./dom.js";
import { field, select } from "./forms.js";
import { said, word } from "./language.js";
import { laneOptions } from "./lot.js";

const WINDOW_MS = 30_000;
const EVERY_MS = 1000;
const INPUTS = ["arrival", "safety", "limit_up", "limit_down"];
const ROW_PX = 30;
const WIDTH = 340;

let place = null;
let lane = "";
let timer = 0;
let lanes = []; // the newest live lanes: what an input without any change says now

export function drawLoops() {
  place = el("div");
  if (laneOptions().length) start();
  return place;
}

export function watchLoops(views) {
  lanes = views;
  if (place !== null && place.isConnected && timer === 0 && !place.hasChildNodes()) start();
}

export function stopLoops() {
  clearTimeout(timer);
  timer = 0;
}

function start() {
  const options = laneOptions();
  if (!options.some(([id]) => id === lane)) lane = options[0][0];
  const choose = select("loop-lane", options, lane);
  choose.addEventListener("change", () => {
    lane = choose.value;
    again();
  });
  const screen = el("div", "loop-screen");
  place.replaceChildren(field(word("choose_lane"), choose), screen);
  again();
}

function again() {
  stopLoops();
  tick();
}

async function tick() {
  const screen = place.lastElementChild;
  const mine = lane;
  timer = setTimeout(tick, EVERY_MS);
  try {
    const view = await getAutomatically("/api/edges", { lane: mine });
    if (mine === lane && timer !== 0) screen.replaceChildren(draw(view));
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    screen.replaceChildren(el("p", "soft", said(problem)));
  }
}

function draw({ now_ms: nowMs, edges }) {
  const view = lanes.find((one) => one.id === lane);
  const mine = edges.filter((edge) => edge.lane === lane);
  const used = INPUTS.filter((name) => mine.some((edge) => edge.input === name) || name === "arrival" || name === "safety");
  const xOf = (ms) => ((ms - nowMs + WINDOW_MS) / WINDOW_MS) * WIDTH;
  const words = [];
  const rows = used.flatMap((name, index) => {
    const changes = mine.filter((edge) => edge.input === name);
    const present = changes.length ? changes.at(-1).on : view?.[name] ?? null;
    words.push(`${word(`input_${name}`)} ${word(`${name.startsWith("limit") ? "limit" : "loop"}_${present ?? "unknown"}`)}, ${word("changes", changes.filter((edge) => edge.at_ms > nowMs - WINDOW_MS).length)}`);
    const y = index * ROW_PX + 16;
    return [
      svg("text", { class: "track-name", x: 0, y: y - 4 }, words.at(-1)),
      svg("rect", { class: "track", x: 0, y, width: WIDTH, height: 9, rx: 2 }),
      ...spans(changes, present, nowMs).map(([from, to, on]) =>
        svg("rect", { class: on === null ? "track-unknown" : "track-on", x: xOf(from), y, width: Math.max(1.5, xOf(to) - xOf(from)), height: 9 })),
    ];
  });
  const height = used.length * ROW_PX + 4;
  return svg("svg", { class: "tracks", viewBox: `0 0 ${WIDTH} ${height}`, role: "img", "aria-label": words.join("; ") }, ...rows);
}

// What was on (or unknown) within the window, as [from, to, value].
function spans(changes, present, nowMs) {
  const begin = nowMs - WINDOW_MS;
  const before = changes.filter((edge) => edge.at_ms <= begin).at(-1);
  const inside = changes.filter((edge) => edge.at_ms > begin);
  // Before its first known change an input was the other way round; with none at all it is as it is now.
  const first = before ? before.on : inside.length ? (inside[0].on === null ? false : !inside[0].on) : present;
  const points = [[begin, first], ...inside.map((edge) => [edge.at_ms, edge.on])];
  return points.map(([from, on], index) => [from, points[index + 1]?.[0] ?? nowMs, on]).filter(([, , on]) => on !== false);
}
