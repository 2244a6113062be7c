// The page: what came over the line goes to the parts that draw it.

import { byId, keep, say } from "./dom.js";
import { showEvidence } from "./evidence.js";
import { showLane, makeLane } from "./lane.js";
import { openLine } from "./line.js";
import { showAbout, showCounters, showDeliveries, showFaults, showOccupancy } from "./panels.js";
import { allFaults, showClock, showStrip } from "./strip.js";
import { showFound } from "./search.js";
import { isEnglish, setEnglish, word } from "./words.js";

let line = "connecting";
let state = null; // the newest document; its `box` is null while the lane program does not answer
let lastBox = null; // what stays on the page then,
let pictures = []; // with these pictures,
let sealed = []; // of which these are evidence and no longer what the camera sent
let heardMs = 0; // the box's clock when it was last heard

function show() {
  showStrip(line, state, heardMs);
  if (!state) return;
  showClock(state, heardMs);
  showFaults(allFaults(state), heardMs);
  showDeliveries(state.agent, heardMs);
  showFound(heardMs);
  showAbout(state.agent, lastBox);
  document.body.classList.toggle("lane-dead", state.box === null);
  if (!lastBox) return;
  say(byId("lot"), lastBox.lot_name);
  say(byId("box-id"), lastBox.box_id);
  keep(byId("lane-list"), lastBox.lanes, (lane) => lane.id, makeLane, (node, lane) =>
    showLane(node, lane, pictures.includes(lane.last_read_id), sealed.includes(lane.last_read_id), heardMs),
  );
  showOccupancy(lastBox);
  showEvidence(state.agent.evidence, lastBox.lanes);
  showCounters(lastBox.counters);
}

function speak() {
  document.documentElement.lang = isEnglish() ? "en" : "zh-CN";
  for (const node of document.querySelectorAll("[data-word]")) say(node, word(node.dataset.word));
  const button = byId("language");
  say(button, isEnglish() ? "中文" : "EN");
  button.lang = isEnglish() ? "zh-CN" : "en";
  button.setAttribute("aria-label", isEnglish() ? "切换为中文" : "Switch to English");
  show();
}

byId("language").addEventListener("click", () => {
  setEnglish(!isEnglish());
  speak();
});

speak();
openLine({
  onState(document) {
    line = "live";
    state = document;
    if (document.box) ({ box: lastBox, pictures, sealed } = document);
    heardMs = document.now_ms;
    show();
  },
  onBeat(nowMs) {
    line = "live";
    heardMs = nowMs;
    show();
  },
  onBroken() {
    line = "broken";
    show();
  },
});
