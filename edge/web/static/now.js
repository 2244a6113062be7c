// The first part: what is wrong, the lanes, how full the lot is, what the city has. Drawn from every state that comes.

import { actionButton } from "./actions.js";
import { forgetCurve, showCurve } from "./curve.js";
import { byId, keep, say } from "./dom.js";
import { showEvidence } from "./evidence.js";
import { showFlow } from "./flow.js";
import { showOccupancy } from "./gauge.js";
import { isEnglish } from "./language.js";
import { makeLane, showLane } from "./lane.js";
import { showAbout, showCounters, showDeliveries, showFaults } from "./panels.js";
import { allFaults } from "./strip.js";

let last = null; // the newest document with a box in it: what stays when the lane program does not answer

let countSpoken = null; // the language of the count's button

export function startNow() {
  countSpoken = isEnglish();
  const correct = actionButton("correct_count", {}, { className: "small" });
  byId("count-action").replaceChildren(...(correct ? [correct] : []));
}

export function forgetNow() {
  last = null;
  countSpoken = null;
  forgetCurve();
  byId("parts").hidden = true;
  for (const id of ["fault-list", "lane-list", "recent", "links", "evidence-list", "counter-list"]) byId(id).replaceChildren();
  for (const id of ["lot", "box-id", "clock", "about"]) say(byId(id), "");
}

export function showNow(state, nowMs) {
  byId("parts").hidden = false; // not before: what is drawn empty and filled a moment later jumps under the thumb
  showFaults(allFaults(state), nowMs);
  showDeliveries(state.agent, nowMs);
  if (state.box) last = state;
  showAbout(state.agent, last?.box);
  document.body.classList.toggle("lane-dead", state.box === null);
  if (!last) return;
  const { box, pictures, sealed } = last;
  say(byId("lot"), box.lot_name);
  say(byId("box-id"), box.box_id);
  keep(byId("lane-list"), box.lanes, (lane) => lane.id, makeLane, (node, lane) =>
    showLane(node, lane, pictures.includes(lane.last_read_id), sealed.includes(lane.last_read_id), nowMs),
  );
  showOccupancy(box);
  if (countSpoken !== isEnglish()) startNow();
  showFlow(box, nowMs);
  showCurve(box, nowMs);
  showEvidence(state.agent.evidence, box.lanes);
  showCounters(box.counters);
}
