// One order to pay: its sums, and what happened to it from the first quote on.

import { actionButton } from "./actions.js";
import { get } from "./api.js";
import { el, mark } from "./dom.js";
import { facts } from "./forms.js";
import { clock, minute, said, stay, word, yuan } from "./language.js";
import { trouble } from "./lists.js";
import { laneName } from "./lot.js";

let question = 0;

export async function showOrder(root, id) {
  const mine = ++question;
  const back = el("a", "back", `‹ ${word("money_orders")}`);
  back.href = "#money/orders";
  root.replaceChildren(back, el("h1", "", word("bill_order")), el("p", "soft", word("searching")));
  let nodes = null;
  try {
    nodes = draw(await get("/api/money/order", { order_id: id }), () => showOrder(root, id));
  } catch (problem) {
    nodes = [el("h1", "", word("bill_order")), trouble(problem)];
  }
  if (mine === question && back.isConnected) root.replaceChildren(back, ...nodes);
}

export function sums(order) {
  return [
    order.overtime ? word("overtime_of") : "",
    order.paid_fen < 0 ? `${word("to_pay")} ${yuan(order.pay_fen)}` : `${word("bill_paid")} ${yuan(order.paid_fen)} (${word(`pay_${order.method}`)})`,
    order.refund_due_fen ? `${word("bill_refund_due")} ${yuan(order.refund_due_fen)}` : "",
    order.refunded_fen ? `${word("bill_refunded")} ${yuan(order.refunded_fen)}` : "",
  ].filter(Boolean);
}

function draw({ order, visit_seq: visit, steps, whole }, again) {
  const rows = [
    [word("bill_order"), word(`order_${order.state}`), order.refund_due_fen || order.state === "owed" ? "notice" : ""],
    [word("bill_entered"), order.entered_ms ? minute(order.entered_ms) : word("not_known")],
    [word("bill_parked"), order.parked_ms ? stay(order.parked_ms) : ""],
    [word("bill_due"), yuan(order.due_fen)],
    [word("bill_discount"), order.discount_fen > order.let_go_fen ? yuan(order.discount_fen - order.let_go_fen) : ""],
    [word("bill_let_go"), order.let_go_fen ? yuan(order.let_go_fen) : ""],
    ...sums(order).map((text) => [word("sum"), text]),
  ].filter(([, value]) => value);
  const link = el("a", "button small", word("to_visit"));
  link.href = `#records/visit/${visit}`;
  const refund = order.refundable_fen > 0 ? actionButton("refund", { order_id: order.order_id }, { className: "small", note: `${order.plate}: ${word("up_to")} ${yuan(order.refundable_fen)}`, done: again }) : null;
  const buttons = [...(visit ? [link] : []), ...(refund ? [refund] : [])];
  return [
    el("h1", "visit-head", el("span", "plate big", order.plate || word("no_plate"))), facts(rows), ...(buttons.length ? [el("p", "buttons foot", ...buttons)] : []),
    el("h2", "story-title", word("story")), ...(whole ? [] : [el("p", "soft", word("story_cut"))]), el("ol", "plain timeline", ...steps.map(makeStep)),
  ];
}

function makeStep(step) {
  const now = Date.now();
  const sum = step.fen >= 0 ? [" ", el("strong", "", yuan(step.fen))] : [];
  const body = el("div", "step-body", el("p", "step-words", said(step), ...sum));
  const notes = [step.lane ? laneName(step.lane) : "", step.who ? `${step.who}: ${step.why}` : "", step.clock_true ? "" : word("clock_then_unset")].filter(Boolean);
  if (notes.length) body.append(el("p", "soft", notes.join(" · ")));
  const node = el("li", "step", el("time", "row-time", clock(step.at_ms, now)), body);
  mark(node, "ok", step.ok);
  mark(node, "kind", step.kind === "passed" ? "passage" : step.kind);
  return node;
}
