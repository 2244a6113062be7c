// Updates: which system runs, a new bundle in pieces, how far the box is with it. The newest backup to keep elsewhere.

import { download, get, getAutomatically, post, Problem } from "./api.js";
import { el } from "./dom.js";
import { answerPlace, button, field, input, once, showAnswer, showBusy } from "./forms.js";
import { said, word } from "./language.js";
import { WORDS } from "./words.js";
import { UPDATE_WORDS } from "./words_update.js";

Object.assign(WORDS, UPDATE_WORDS); // before anything here is drawn

const PIECE_BYTES = 180_000; // 240 KB as base64
const LOOK_MS = 2000;

export function drawUpdate() {
  const slots = el("div", "soft");
  const answer = answerPlace();
  const file = input("bundle", { type: "file", accept: ".raucb", required: true });
  const why = input("why", { maxLength: 200, required: true });
  const form = el("form", "block", field(word("update_file"), file), field(word("reason"), why),
    el("p", "soft", word("update_hint")), button(word("update_start"), null, "primary"));
  const backup = button(word("backup_download"), () => tell(answer, async () => {
    const name = await download("/api/backup", "backup.parkbox");
    return { ok: true, zh: word("downloaded", name), en: word("downloaded", name) };
  }));
  form.hidden = true;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    once(form, () => tell(answer, async () => {
      const done = await send(file.files[0], why.value.trim(), answer);
      if (done.ok) follow(slots, form);
      return done;
    }));
  });
  look(slots, form, get);
  return el("div", "", slots, form, answer, el("p", "soft", word("backup_hint")), el("p", "buttons", backup));
}

async function send(file, why, answer) {
  for (let at = 0; at < file.size; at += PIECE_BYTES) {
    const bytes = new Uint8Array(await file.slice(at, at + PIECE_BYTES).arrayBuffer());
    const taken = await post("/api/update/piece", { at, data: base64(bytes) });
    if (!taken.ok) return taken;
    answer.textContent = word("update_sent", Math.floor((100 * Math.min(file.size, at + PIECE_BYTES)) / file.size));
  }
  return post("/api/update/install", { size: file.size, why });
}

function base64(bytes) {
  let text = "";
  for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return btoa(text);
}

async function look(slots, form, ask) {
  try {
    const view = await ask("/api/update");
    form.hidden = !view.possible;
    const rows = view.slots.map((slot) => el("li", "", [slot.name, slot.version || word("update_flashed"),
      slot.running ? word("update_running") : "", slot.next ? word("update_next") : "", slot.good ? "" : word("update_unconfirmed")].filter(Boolean).join(" · ")));
    slots.replaceChildren(el("p", "", word("update_version", view.version)), el("ul", "plain", ...rows), el("p", "", said(view)));
    return view.phase;
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    slots.textContent = said(problem);
    return "failed";
  }
}

// Until it is written or refused; after that the box restarts, and the page says that it is gone.
async function follow(slots, form) {
  const phase = await look(slots, form, getAutomatically);
  if (slots.isConnected && phase !== "failed") setTimeout(() => follow(slots, form), LOOK_MS);
}

async function tell(answer, work) {
  showBusy(answer);
  try {
    showAnswer(answer, await work());
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    showAnswer(answer, problem);
  }
}
