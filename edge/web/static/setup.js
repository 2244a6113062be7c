// Commissioning: the walk from first boot to "accepted by the city", and the report to hand over.

import { allowed, order } from "./actions.js";
import { get } from "./api.js";
import { block } from "./blocks.js";
import { el, mark } from "./dom.js";
import { answerPlace, button, field, input, once, showAnswer, showBusy } from "./forms.js";
import { clock, isEnglish, said, word } from "./language.js";
import { trouble } from "./lists.js";
import { applicationForm } from "./setup_form.js";

const MARKS = { ok: "✓", open: "○", failed: "✕" };
const STAGES = ["first_boot", "lane", "pictures", "city", "handover"];

let question = 0;

export async function show(root) {
  const mine = ++question;
  if (!root.hasChildNodes()) root.append(el("p", "soft", word("searching")));
  let nodes = null;
  try {
    nodes = draw(await get("/api/commissioning"), () => show(root));
  } catch (problem) {
    nodes = [trouble(problem), button(word("try_again"), () => show(root))];
  }
  if (mine === question) root.replaceChildren(el("h1", "", word("setup_title")), ...nodes);
}

function draw(list, again) {
  const stages = STAGES.map((stage) => [stage, list.items.filter((item) => item.stage === stage)]).filter(([, items]) => items.length);
  const next = list.items.find((item) => item.state !== "ok");
  const share = el("progress", "progress");
  share.max = list.items.length;
  share.value = list.done;
  share.setAttribute("aria-label", word("done_of", list.done, list.items.length));
  const head = el("div", "setup-head", el("p", "", el("strong", "", word("done_of", list.done, list.items.length)),
    ` · ${next ? word("next_is", said(next)) : word("all_done")}`), share, reportLinks());
  const blocks = stages.map(([stage, items]) =>
    block(`stage-${stage}`, `${word(`stage_${stage}`)} ${items.filter((item) => item.state === "ok").length}/${items.length}`,
      el("ol", "plain rows", ...items.map((item) => makeItem(item, again)))));
  return [head, el("div", "columns", el("div", "column", ...blocks), el("div", "column", block("application", word("application"), applicationForm(list, again))))];
}

function reportLinks() {
  const link = el("a", "button primary", word("report"));
  link.href = `/api/commissioning/report?lang=${isEnglish() ? "en" : "zh"}`;
  link.target = "_blank";
  link.rel = "noopener";
  return el("p", "buttons foot", link);
}

function makeItem(item, again) {
  const detail = said(item, "detail_");
  const by = item.at_ms ? [item.who, clock(item.at_ms, Date.now()), item.note].filter(Boolean).join(" · ") : "";
  const node = el("li", "item", el("span", "check-mark", MARKS[item.state]), el("span", "item-name", said(item)),
    el("span", "soft", word(item.by === "box" ? "by_box" : "by_hand")), ...(detail ? [el("p", "item-detail", detail)] : []), ...(by ? [el("p", "item-detail soft", by)] : []));
  mark(node, "state", item.state);
  mark(node, "item", item.id);
  if (item.by === "hand" && allowed("commission_mark")) node.append(handMark(item, again));
  return node;
}

// Done by hand: one press, a note if there is something to say. Undone the same way.
function handMark(item, again) {
  const answer = answerPlace();
  const note = input("note", { maxLength: 200 });
  const done = item.state !== "ok";
  const form = el("form", "item-form", ...(done ? [field(word("note"), note)] : []), button(word(done ? "mark_done" : "mark_open"), null, "small"), answer);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    once(form, async () => {
      showBusy(answer);
      const result = await order("commission_mark", { item: item.id, done, note: note.value.trim() });
      showAnswer(answer, result);
      if (result.ok) await again();
    });
  });
  return form;
}
