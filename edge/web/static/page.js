// The page: session, line, language and parts, put together.

import { loadActions } from "./actions.js";
import { Problem } from "./api.js";
import { byId, say } from "./dom.js";
import { isEnglish, setEnglish, word } from "./language.js";
import { openLine } from "./line.js";
import { tellLanes } from "./lot.js";
import { closeNav, openNav, redraw, speakNav, tellPart } from "./nav.js";
import { lookAgain, redrawSession, startSession } from "./session.js";
import { closeSheet, tellSheet } from "./sheet.js";
import { showClock, showStrip } from "./strip.js";

const RETRY_MS = 2000;

let line = "connecting";
let state = null; // the newest document; its `box` is null while the lane program does not answer
let heardMs = 0; // the box's clock when it was last heard
let closeLine = null;
let nowPart = null;

const loadNow = () => import("./now.js"); // once: a module is kept

function show() {
  if (state?.box) tellLanes(state.box.lanes);
  showStrip(line, state, heardMs);
  if (!state) return;
  showClock(state, heardMs);
  nowPart.showNow(state, heardMs);
  tellPart(state, heardMs);
  if (state.box) tellSheet();
}

function speak() {
  document.documentElement.lang = isEnglish() ? "en" : "zh-CN";
  for (const node of document.querySelectorAll("[data-word]")) say(node, word(node.dataset.word));
  const button = byId("language");
  say(button, isEnglish() ? "中文" : "EN");
  button.lang = isEnglish() ? "zh-CN" : "en";
  button.setAttribute("aria-label", isEnglish() ? "中文: 切换为中文" : "EN: switch to English");
  closeSheet(); // it was drawn in the other language
  speakNav();
  redrawSession();
  redraw();
  show();
}

async function onIn() {
  nowPart = await loadNow();
  try {
    await loadActions();
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    if (problem.code !== "login_needed") setTimeout(onIn, RETRY_MS); // no network just now
    return;
  }
  openNav();
  nowPart.startNow();
  line = "connecting";
  closeLine = openLine({
    onState(document) {
      line = "live";
      state = document;
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
      lookAgain(); // a session that ended while the line was cut was told to nobody
    },
    onEnded: lookAgain,
  });
  show();
}

// Nothing of the lot stays on a phone whose session is over.
function onOut() {
  closeLine?.();
  closeLine = null;
  closeNav();
  closeSheet();
  byId("viewer").close();
  nowPart?.forgetNow();
  state = null;
  line = "out";
  show();
}

byId("language").addEventListener("click", () => {
  setEnglish(!isEnglish());
  speak();
});

// A press on the verdict leads to what it speaks of: the fault, or the lane where somebody waits.
document.querySelector(".verdict").addEventListener("click", () => {
  if (nowPart === null) return;
  location.hash = "now";
  const place = byId("faults").hidden ? document.querySelector(".lane[data-look=true]") : byId("faults");
  place?.scrollIntoView({ block: "start" });
});

byId("login").addEventListener("focusin", loadNow, { once: true }); // while the password is typed

speak();
startSession({ onIn, onOut });
