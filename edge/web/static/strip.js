// The strip on top: what a guard must see in three seconds. Worst first: line, faults, what waits, all normal.

import { byId, say } from "./dom.js";
import { clock, said, word } from "./language.js";
import { deviceName, stateWords } from "./lot.js";

// Lane states in which somebody stands at the arm and cannot go on by himself, or the lane does not work by itself. A
// car that waits to pay is what an exit is for: no notice until its wait is over (REFUSED).
const NEEDS_A_LOOK = /^(WAIT_(?!READ|PAYMENT)|REFUSED|HELD_OPEN|LOCKED)/i;

export const needsALook = (lane) => lane.locked || NEEDS_A_LOOK.test(lane.state);

// Faults of both programs, each once; a lane program that does not answer is the first of all.
export function allFaults(state) {
  const faults = [...(state.box?.faults ?? []), ...state.agent.faults.map((fault) => ({ ...fault, of: "agent" }))];
  const unique = new Map(faults.map((fault) => [`${fault.code} ${fault.device}`, fault]));
  return state.box ? [...unique.values()] : [laneDead(), ...unique.values()];
}

function laneDead() {
  return {
    code: "lane_dead", device: word("lane_dead_device"), detail: "", since_wall_ms: 0,
    zh: word("lane_dead"), en: word("lane_dead"),
    effect_zh: word("lane_dead_effect"), effect_en: word("lane_dead_effect"),
    todo_zh: word("lane_dead_todo"), todo_en: word("lane_dead_todo"),
  };
}

function notices(state) {
  const lanes = (state.box?.lanes ?? []).filter(needsALook);
  const offline = state.agent.links.filter((link) => !link.online && !link.idle);
  const aside = state.agent.counts.set_aside ?? 0;
  return [
    ...allFaults(state).filter((fault) => fault.mild).map((fault) => `${deviceName(fault.device)}: ${said(fault)}`),
    ...lanes.map((lane) => `${lane.name}: ${said(lane, "why_") || stateWords(lane)}`),
    ...offline.map((link) => word("link_offline", word(link.city))),
    ...(aside > 0 ? [word("aside_notice", aside)] : []),
    ...(state.box && !state.box.clock_synced ? [word("clock_bad")] : []),
  ];
}

function verdict(line, state, heardMs) {
  if (line === "out") {
    const changes = document.body.dataset.session === "change"; // logged in, and nothing is shown before that
    return ["none", ...(changes ? ["first_password_title", "first_password_hint"] : ["login_needed", "login_detail"]).map((name) => word(name))];
  }
  if (line === "broken") {
    return ["broken", word("broken"), heardMs ? word("broken_detail", clock(heardMs)) : word("broken_never")];
  }
  if (!state) return ["none", word("connecting"), word("connecting_detail")];
  const faults = allFaults(state).filter((fault) => !fault.mild);
  if (faults.length) {
    return ["fault", word(faults.length === 1 ? "one_fault" : "n_faults", faults.length), `${deviceName(faults[0].device)}: ${said(faults[0])}`];
  }
  const open = notices(state);
  if (open.length) return ["notice", word("n_notices", open.length), open.join(" · ")];
  const { lanes, total, parked } = state.box;
  return ["ok", word("all_well"), word("all_well_detail", lanes.length, Math.max(0, total - parked))];
}

export function showStrip(line, state, heardMs) {
  const [level, title, detail] = verdict(line, state, heardMs);
  document.body.dataset.line = line;
  document.body.dataset.level = level;
  say(byId("verdict"), title);
  say(byId("verdict-detail"), detail);
  const lot = state?.box?.lot_name ?? "";
  const name = level === "ok" ? lot || title : `${title} · ${lot || "parkbox"}`;
  if (document.title !== name) document.title = name;
}

export function showClock(state, nowMs) {
  const synced = state?.box?.clock_synced;
  const chip = byId("clock");
  say(chip, synced === undefined ? clock(nowMs) : `${clock(nowMs)} · ${word(synced ? "clock_ok" : "clock_bad")}`);
  chip.classList.toggle("bad", synced === false);
}
