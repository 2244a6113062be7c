// A city link, step by step: name, address, TCP, TLS, login, one harmless call. What fails says what to do.

import { actionFields, allowed, order } from "./actions.js";
import { el, mark, say } from "./dom.js";
import { answerPlace, button, once, showAnswer, showBusy } from "./forms.js";
import { ago, isEnglish, said, word } from "./language.js";

const MARKS = { ok: "✓", failed: "✕", skipped: "–" };

let place = null;
let drawnFor = "";
let lines = new Map(); // city -> the nodes in it that change

export function drawLinks(links, nowMs) {
  if (!links) {
    place = el("div");
    drawnFor = "";
    return place;
  }
  const key = `${isEnglish()} ${links.map((link) => link.city)}`;
  if (key !== drawnFor) {
    lines = new Map();
    place.replaceChildren(...(links.length ? links.map(makeLink) : [el("p", "soft", word("no_links"))]));
    drawnFor = key;
  }
  for (const link of links) {
    const p = lines.get(link.city);
    mark(p.node, "online", link.idle ? "idle" : link.online);
    say(p.words, said(link));
    say(p.last, link.receives || link.idle ? "" : link.last_ok_wall_ms > 0 ? word("last_ok", ago(link.last_ok_wall_ms, nowMs)) : word("never_ok"));
  }
  return place;
}

function makeLink(link) {
  const p = { words: el("span", "link-words"), last: el("span", "link-last") };
  const steps = el("ol", "plain steps");
  const answer = answerPlace();
  p.node = el("div", "link", el("strong", "", word(link.city)), p.words, p.last);
  lines.set(link.city, p);
  const box = el("div", "city-link", p.node);
  const checkable = actionFields("check_link").some((one) => one.choices.includes(link.city));
  if (allowed("check_link") && checkable) {
    const start = button(word("check_link"), () => once(box, () => check(link.city, steps, answer)), "small");
    start.dataset.action = "check_link";
    box.append(el("p", "buttons foot", start), steps, answer);
  }
  return box;
}

async function check(city, steps, answer) {
  steps.replaceChildren();
  showBusy(answer);
  const result = await order("check_link", { city });
  steps.replaceChildren(...(result.steps ?? []).map(makeStep));
  showAnswer(answer, result);
}

function makeStep(step) {
  const node = el("li", "check-step", el("span", "check-mark", MARKS[step.state]), el("strong", "", word(`link_${step.name}`)),
    el("span", "check-words", step.name === "call" ? said(step) : said(step).replace(/^[^:]*: /, "")), // its name stands before it
    el("span", "check-took", step.state === "skipped" ? "" : word("took", step.took_ms)));
  const todo = said(step, "todo_");
  if (todo) node.append(el("p", "check-todo", `${word("todo")}: ${todo}`));
  mark(node, "state", step.state);
  return node;
}
