// Asking the box. What is not an answer becomes a `Problem` with words for the person; nothing is tried again silently.

let csrf = ""; // goes with every change (the session view tells it)
let heardAt = performance.now(); // the last request that the box counted as activity
let onEnded = () => {};

export class Problem extends Error {
  constructor(body, status = 0) {
    super(body.en);
    Object.assign(this, { ok: false, code: body.code, zh: body.zh, en: body.en, retry_s: body.retry_s ?? 0, issues: body.issues ?? [], status });
  }
}

const OFFLINE = { code: "offline", zh: "连不上盒子, 请检查网络后再试", en: "The box cannot be reached: check the network and try again" };
const GARBLED = { code: "garbled", zh: "盒子的回答无法理解, 请刷新页面", en: "The box's answer was not understood: reload the page" };

export const setCsrf = (token) => { csrf = token; };
export const idleSince = () => heardAt;
// Called once when the box says that nobody is logged in (any more).
export const whenSessionEnds = (tell) => { onEnded = tell; };

async function ask(path, options = {}) {
  let answer = null;
  try {
    answer = await fetch(path, { credentials: "same-origin", ...options });
  } catch {
    throw new Problem(OFFLINE);
  }
  if (answer.ok) {
    if (!options.headers?.["X-Automatic"]) heardAt = performance.now();
    return answer;
  }
  const body = await answer.json().catch(() => ({ ...GARBLED, en: `${GARBLED.en} (${answer.status})`, zh: `${GARBLED.zh} (${answer.status})` }));
  const problem = new Problem(body, answer.status);
  if (problem.code === "login_needed") onEnded();
  throw problem;
}

export async function get(path, query = {}, options = {}) {
  const given = Object.entries(query).filter(([, value]) => value !== "" && value !== undefined && value !== null);
  const answer = await ask(given.length ? `${path}?${new URLSearchParams(given)}` : path, options);
  return answer.json().catch(() => { throw new Problem(GARBLED); });
}

// What the page asks by itself, without a press of a person: it keeps no session alive.
export const getAutomatically = (path, query = {}) => get(path, query, { headers: { "X-Automatic": "1" } });

export async function post(path, body = {}) {
  const headers = { "Content-Type": "application/json", "X-CSRF-Token": csrf };
  const answer = await ask(path, { method: "POST", headers, body: JSON.stringify(body) });
  return answer.json().catch(() => { throw new Problem(GARBLED); });
}

// A file to keep: fetched (so that a refusal can be said in words), then handed to the browser's downloads.
export async function download(path, fallbackName) {
  const answer = await ask(path);
  const named = /filename="([^"]+)"/.exec(answer.headers.get("Content-Disposition") ?? "");
  const address = URL.createObjectURL(await answer.blob());
  const link = document.createElement("a");
  link.href = address;
  link.download = named ? named[1] : fallbackName;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000); // the browser has taken it long before
  return link.download;
}

// 32 hex digits: an order repeated with the same id is carried out once.
export function newId() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
