// How each lane's pictures do: capture rate, what is missing or unusable, plates that are too small.

import { byId, el, keep, mark, say } from "./dom.js";
import { word } from "./language.js";

// Qingdao B.1 rule 1: at least 99 of 100 vehicles.
const CAPTURE_MIN_PCT = 99;

const fields = new WeakMap();

export function showEvidence(evidence, lanes) {
  byId("evidence").hidden = evidence.length === 0;
  const names = new Map(lanes.map((lane) => [lane.id, lane.name]));
  keep(byId("evidence-list"), evidence, (view) => view.lane, makeView, (node, view) => {
    const p = fields.get(node);
    const short = view.pictures * 100 < view.passages * CAPTURE_MIN_PCT;
    mark(node, "wrong", short);
    say(p.lane, names.get(view.lane) ?? view.lane);
    say(p.rate, view.passages ? `${(Math.floor((view.pictures / view.passages) * 1000) / 10).toFixed(1)}%` : "–");
    const parts = [word("captured", view.pictures, view.passages)];
    if (view.missing) parts.push(word("pictures_missing", view.missing));
    if (view.failed) parts.push(word("pictures_failed", view.failed));
    if (view.small) parts.push(word("pictures_small", view.small));
    parts.push(view.plates ? word("plates_narrow", view.narrow, view.plates) : word("plates_unknown"));
    say(p.words, parts.join(" · "));
  });
}

function makeView() {
  const p = { lane: el("strong"), rate: el("span", "capture"), words: el("span", "capture-words") };
  const node = el("li", "capture-row", p.lane, p.rate, p.words);
  fields.set(node, p);
  return node;
}
