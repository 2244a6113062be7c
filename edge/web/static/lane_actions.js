// What may be done at a lane now: the one thing that is wanted first, the rest behind "more".

import { actionButton, actionsOf, allowed, openAction } from "./actions.js";
import { el, mark } from "./dom.js";
import { button } from "./forms.js";
import { isEnglish, said, word, yuan } from "./language.js";
import { stateOf } from "./lot.js";
import { openSheet } from "./sheet.js";

// Of each state the orders that a person wants, most wanted first; they differ from what is possible, which the lane judges.
const WANTED = {
  wait_payment: ["pay_cash", "pay_free"],
  wait_stall: ["let_in"],
  wait_confirm: ["let_in", "correct_plate"],
  refused: ["let_in", "correct_plate"],
  locked: ["unlock"],
  held_open: ["release"],
};
const USUAL = ["open", "close"];

export function showLaneActions(node, lane) {
  const state = stateOf(lane);
  const key = [state, lane.plate, lane.due_fen, lane.name, isEnglish(), allowed("open")].join(" ");
  if (node.dataset.key === key) return;
  mark(node, "key", key);
  const focused = node.contains(document.activeElement) ? document.activeElement.dataset.action : "";
  const wanted = WANTED[state] ?? USUAL;
  const about = [lane.name, lane.plate].filter(Boolean).join(" · ");
  const buttons = wanted.map((name, index) => {
    const due = name === "pay_cash" && lane.due_fen > 0;
    return actionButton(name, due ? { lane: lane.id, amount_fen: lane.due_fen } : { lane: lane.id }, {
      note: due ? `${about} · ${yuan(lane.due_fen)}` : about,
      label: due ? word("cash_due", yuan(lane.due_fen)) : "",
      className: index === 0 && wanted !== USUAL ? "primary" : "",
    });
  }).filter(Boolean);
  if (buttons.length) {
    const more = button(word("more"), () => openMore(lane, about), "more");
    more.setAttribute("aria-label", word("more_at", lane.name));
    more.dataset.action = "more";
    buttons.push(more);
  }
  node.replaceChildren(...buttons);
  if (focused) node.querySelector(`[data-action="${focused}"]`)?.focus();
}

function openMore(lane, about) {
  const rows = [...actionsOf("lane"), ...actionsOf("car")].map((action) => {
    const row = button(said(action), () => openAction(action.name, { lane: lane.id }, about));
    row.dataset.action = action.name;
    return row;
  });
  openSheet(word("more_at", lane.name), el("div", "sheet-list", ...rows));
}
