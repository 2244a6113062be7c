// One lane's card: drawing, state, who stands there, why, what is owed, the last read with its picture.

import { el, mark, say } from "./dom.js";
import { ago, clock, said, word, yuan } from "./language.js";
import { showLaneActions } from "./lane_actions.js";
import { stateWords } from "./lot.js";
import { enlarge, whenMissing } from "./picture.js";
import { makeScene, showScene } from "./scene.js";
import { needsALook } from "./strip.js";

const parts = new WeakMap(); // card -> the nodes in it that change

export function makeLane(lane) {
  const p = {
    direction: el("span", "direction"), name: el("h3"), state: el("span", "state"), scene: makeScene(lane.direction),
    arm: el("span", "arm-word"), asked: el("span", "asked"), arrival: el("span", "loop-word"), safety: el("span", "loop-word"),
    who: el("span", "label"), plate: el("span", "plate big"), due: el("p", "due"), why: el("p", "why"),
    thumb: el("button", "thumb"), image: el("img"), noImage: el("span", "no-image"),
    readLabel: el("span", "label"), lastPlate: el("span", "plate"), readTime: el("span", "time"), passed: el("span", "passed"),
    actions: el("div", "lane-actions"),
  };
  p.thumb.type = "button";
  p.image.alt = "";
  p.image.hidden = true;
  whenMissing(p.image, () => showNoPicture(p));
  p.thumb.append(p.image, p.noImage);
  p.thumb.addEventListener("click", () =>
    enlarge(p.thumb.dataset.source, `${p.lastPlate.textContent} · ${p.readTime.textContent.split(" · ")[0]}`));
  const card = el("article", "lane panel",
    el("header", "lane-head", p.direction, p.name, p.state),
    el("div", "scene-box", el("p", "arm-line", p.arm, p.asked), p.scene, el("p", "loop-line", p.arrival, p.safety)),
    el("div", "now", el("p", "at-arm", p.who, p.plate), p.due),
    p.why,
    p.actions,
    el("div", "read", p.thumb, el("div", "read-text", p.readLabel, p.lastPlate, p.readTime, p.passed)),
  );
  mark(card, "lane", lane.id);
  mark(card, "direction", lane.direction);
  parts.set(card, p);
  return card;
}

export function showLane(card, lane, hasPicture, isSealed, nowMs) {
  const p = parts.get(card);
  mark(card, "look", needsALook(lane));
  mark(card, "state", lane.state);
  say(p.direction, word(lane.direction));
  say(p.name, lane.name);
  say(p.state, stateWords(lane));

  const arm = word(`arm_${lane.arm}`);
  const arrival = loopWord("arrival", lane.arrival);
  const safety = loopWord("safety", lane.safety);
  say(p.arm, arm);
  say(p.asked, lane.arm_asked && lane.arm_asked !== lane.arm ? word(`asked_${lane.arm_asked}`) : "");
  say(p.arrival, arrival);
  say(p.safety, safety);
  mark(p.arrival, "occupied", lane.arrival);
  mark(p.safety, "occupied", lane.safety);
  showScene(p.scene, lane, `${lane.name}: ${arm}; ${arrival}; ${safety}`);

  const occupied = lane.plate !== "" || lane.arrival === true || lane.safety === true;
  const unknown = lane.arrival === null || lane.safety === null; // a silent loop does not say that nobody is there
  say(p.who, word(occupied ? "at_arm" : unknown ? "who_knows" : "nobody"));
  showPlate(p.plate, lane.plate || (occupied ? word("unread") : ""), lane.plate === "");
  say(p.due, lane.due_fen > 0 ? `${word("due")} ${yuan(lane.due_fen)}` : "");
  say(p.why, said(lane, "why_"));

  showLaneActions(p.actions, lane);
  showRead(p, lane, hasPicture, isSealed, nowMs);
  say(p.passed, word("passed", lane.passed));
}

const loopWord = (name, value) => `${word(name)} ${word(`loop_${value === null ? "unknown" : value}`)}`;

function showPlate(node, text, plain = false) {
  say(node, text);
  node.classList.toggle("unread", plain);
}

function showRead(p, lane, hasPicture, isSealed, nowMs) {
  const read = lane.last_read_wall_ms > 0;
  const plate = read ? lane.last_plate || word("no_plate") : "";
  say(p.readLabel, word(read ? "last_read" : "never_read"));
  showPlate(p.lastPlate, plate, !lane.last_plate);
  say(p.readTime, read ? `${clock(lane.last_read_wall_ms, nowMs)} · ${ago(lane.last_read_wall_ms, nowMs)}` : "");
  p.thumb.hidden = !read; // no car yet: nothing that a picture could be of
  const source = hasPicture ? `/picture/${lane.last_read_id}.jpg${isSealed ? "?sealed" : ""}` : "";
  if (p.thumb.dataset.source !== source) {
    p.thumb.dataset.source = source;
    p.image.hidden = !hasPicture;
    p.thumb.disabled = !hasPicture;
    if (hasPicture) p.image.src = source;
    else p.image.removeAttribute("src");
  }
  if (p.image.hidden) showNoPicture(p);
  else tellThumb(p, "", word("picture_of", plate));
}

function showNoPicture(p) {
  p.image.hidden = true;
  p.thumb.disabled = true;
  tellThumb(p, word("no_picture"), word("no_picture"));
}

function tellThumb(p, text, label) {
  say(p.noImage, text);
  if (p.thumb.getAttribute("aria-label") !== label) p.thumb.setAttribute("aria-label", label);
}
