// Who is at the page: login, the change of the first password, the end of an idle session.

import { get, getAutomatically, idleSince, post, Problem, setCsrf, whenSessionEnds } from "./api.js";
import { byId, el, say } from "./dom.js";
import { answerPlace, button, field, input, once, showAnswer } from "./forms.js";
import { word } from "./language.js";

const WARN_S = 60; // WCAG 2.2.1: at least 20 s to go on by one press
const TOUCH_AGAIN_S = 30; // somebody who scrolls and reads is not idle: told to the box at most so often

let session = null;
let listener = { onIn: () => {}, onOut: () => {} };
let touchedAt = 0; // last press or key of the person
let draw = () => {}; // redraws the form that stands there now (language)

export const who = () => session;
export const ROLES = ["viewer", "technician", "admin"];
export const may = (role) => session !== null && ROLES.indexOf(session.role) >= ROLES.indexOf(role);

export function startSession(tell) {
  listener = tell;
  whenSessionEnds(() => { if (session !== null) leave("session_ended"); });
  for (const kind of ["pointerdown", "keydown"]) window.addEventListener(kind, () => { touchedAt = performance.now(); }, { passive: true });
  setInterval(watchIdle, 5000);
  check();
}

async function check() {
  try {
    enter(await get("/api/session"));
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    if (problem.code === "login_needed") leave("");
    else setTimeout(check, 2000); // the box is starting, or the phone has no network yet
  }
}

export const redrawSession = () => draw();

// Is it still ours? An ended one is told by `whenSessionEnds`.
export async function lookAgain() {
  if (session === null) return;
  try {
    await getAutomatically("/api/session");
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem; // no network: the strip says so
  }
}

export async function logOut() {
  await post("/api/logout");
  leave("logged_out");
}

// The box has changed who we are (password changed, own session renewed).
export function enter(view) {
  session = view;
  setCsrf(view.csrf);
  if (view.must_change_password) {
    document.body.dataset.session = "change";
    listener.onOut(); // nobody is in yet
    draw = () => drawPassword();
    draw();
    return;
  }
  if (document.body.dataset.session === "in") return;
  document.body.dataset.session = "in";
  draw = () => {};
  byId("login").hidden = true;
  byId("login-form").replaceChildren();
  listener.onIn(view);
}

function leave(why) {
  if (document.body.dataset.session === "out") return;
  document.body.dataset.session = "out";
  session = null;
  listener.onOut(); // also when nobody was in yet: the strip says that somebody has to log in
  hideWarning();
  draw = () => drawLogin(why);
  draw();
}

function drawLogin(why) {
  const name = input("user", { autocomplete: "username", autocapitalize: "none", spellcheck: false, maxLength: 50, required: true });
  const secret = input("password", { type: "password", autocomplete: "current-password", maxLength: 128, required: true });
  const answer = answerPlace();
  const form = el("form", "", field(word("user"), name), field(word("password"), secret), button(word("log_in"), null, "primary wide"), answer);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    once(form, async () => {
      try {
        enter(await post("/api/login", { user: name.value.trim(), password: secret.value }));
      } catch (problem) {
        if (!(problem instanceof Problem)) throw problem;
        secret.value = "";
        showAnswer(answer, problem);
        secret.focus();
      }
    });
  });
  drawFrame(word("login_title"), word(why || "login_hint"), form);
  if (why) name.focus();
}

function drawPassword() {
  drawFrame(word("first_password_title"), word("first_password_hint"), passwordForm(word("change_now")));
}

function drawFrame(title, note, form) {
  say(byId("login-title"), title);
  say(byId("login-note"), note);
  byId("login-form").replaceChildren(form);
  byId("login").hidden = false;
}

// Also used by the admin part: change one's own password.
export function passwordForm(label, done = () => {}) {
  const old = input("old", { type: "password", autocomplete: "current-password", maxLength: 128, required: true });
  const fresh = input("new", { type: "password", autocomplete: "new-password", minLength: 8, maxLength: 128, required: true });
  const again = input("again", { type: "password", autocomplete: "new-password", minLength: 8, maxLength: 128, required: true });
  const answer = answerPlace();
  // A password store wants to know whose it is.
  const name = input("username", { hidden: true, autocomplete: "username", value: session?.user ?? "" });
  const form = el("form", "", name, field(word("password_old"), old), field(word("password_new"), fresh, word("password_rule")),
    field(word("password_again"), again), button(label, null, "primary wide"), answer);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (fresh.value !== again.value) {
      showAnswer(answer, { ok: false, zh: word("password_differs"), en: word("password_differs") });
      again.focus();
      return;
    }
    once(form, async () => {
      try {
        const view = await post("/api/password", { old: old.value, new: fresh.value });
        form.reset();
        showAnswer(answer, { ok: true, zh: word("password_changed"), en: word("password_changed") });
        enter(view);
        done();
      } catch (problem) {
        if (!(problem instanceof Problem)) throw problem;
        showAnswer(answer, problem);
      }
    });
  });
  return form;
}

// --- idle ----------------------------------------------------------------------------------------------------

async function watchIdle() {
  if (session === null) return;
  const now = performance.now();
  const left_s = session.idle_s - (now - idleSince()) / 1000;
  if (touchedAt > idleSince() && now - idleSince() > TOUCH_AGAIN_S * 1000) await stay();
  else if (left_s <= 0) await lookAgain(); // the box says whether the session has really ended
  else if (left_s <= WARN_S) showWarning(Math.ceil(left_s));
  else hideWarning();
}

async function stay() {
  try {
    await get("/api/session");
    hideWarning();
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem; // an ended session has been told already; no network: the strip says so
  }
}

function showWarning(left_s) {
  let bar = byId("idle");
  if (!bar) {
    bar = el("div", "idle", el("p", "", word("idle_soon", left_s)), button(word("stay"), stay, "primary"));
    bar.id = "idle";
    bar.setAttribute("role", "alert");
    document.body.append(bar);
  }
}

const hideWarning = () => byId("idle")?.remove();
