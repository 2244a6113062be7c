// The timeline of one visit: what was read, decided by which rule, ordered, paid, reported, and what the city said.

import { actionButton } from "./actions.js";
import { get } from "./api.js";
import { el, mark } from "./dom.js";
import { clock, said, stay, word, yuan } from "./language.js";
import { trouble } from "./lists.js";
import { laneName } from "./lot.js";
import { repeatButton } from "./record_deliveries.js";
import { pictureButton } from "./picture.js";

let question = 0;

export async function showVisit(root, seq) {
  const mine = ++question;
  const back = el("a", "back", `‹ ${word("tab_records")}`);
  back.href = "#records/passages";
  root.replaceChildren(back, el("p", "soft", word("searching")));
  let nodes = null;
  try {
    nodes = draw(await get("/api/visit", { seq }), () => showVisit(root, seq));
  } catch (problem) {
    nodes = [trouble(problem)];
  }
  if (mine === question) root.replaceChildren(back, ...nodes);
}

function draw(visit, again) {
  const now = Date.now();
  const span = [
    visit.entered_ms ? `${word("tab_in")} ${clock(visit.entered_ms, now)}` : word("entry_unknown"),
    visit.inside ? word("still_inside") : visit.left_ms ? `${word("tab_out")} ${clock(visit.left_ms, now)}` : "",
    visit.entered_ms && visit.left_ms ? word("stayed", stay(visit.left_ms - visit.entered_ms)) : "",
  ].filter(Boolean).join(" · ");
  const money = visit.due_fen ? word("money", yuan(visit.due_fen), yuan(visit.paid_fen), yuan(visit.discount_fen)) : "";
  const correct = visit.inside ? actionButton("correct_plate", { visit_id: visit.visit_id, lane: undefined }, {
    note: visit.plate, className: "small", done: again,
  }) : null;
  const plate = el("h1", "visit-head", el("span", "plate big", visit.plate || word("no_plate")));
  return [
    plate, el("p", "visit-span", span), ...(money ? [el("p", "visit-span", money)] : []), ...(correct ? [el("p", "buttons", correct)] : []),
    el("ol", "plain timeline", ...visit.rows.map((row, index) => makeRow(row, now, again, isFirst(visit.rows, index)))),
  ];
}

// One picture of a read is enough: it stands at the row that comes first.
const isFirst = (rows, index) => rows.findIndex((row) => row.picture && row.read_id === rows[index].read_id) === index;

function makeRow(row, now, again, withPicture) {
  const kind = word(`step_${row.kind}`);
  const words = said(row);
  const head = words.toLowerCase().startsWith(kind.toLowerCase()) ? [] : [el("strong", "", kind), " "];
  const body = el("div", "step-body", el("p", "step-words", ...head, words));
  const notes = [row.lane ? laneName(row.lane) : "", row.rule ? word("rule", said(row, "rule_")) : "", row.who ? `${row.who}: ${row.why}` : "",
    row.clock_true ? "" : word("clock_then_unset")].filter(Boolean);
  if (notes.length) body.append(el("p", "soft", notes.join(" · ")));
  if (row.answer) body.append(el("p", "step-answer", word("city_said", row.answer)));
  if (withPicture) body.append(pictureButton(row.read_id, `${said(row)} · ${clock(row.at_ms, now)}`, word("picture_of", said(row)), "step-picture"));
  if (row.kind === "delivery" && !row.ok && row.delivery_id) {
    const repeat = repeatButton(row.delivery_id, said(row), again);
    if (repeat) body.append(repeat);
  }
  const node = el("li", "step", el("time", "row-time", clock(row.at_ms, now)), body);
  mark(node, "ok", row.ok);
  mark(node, "kind", row.kind);
  return node;
}
