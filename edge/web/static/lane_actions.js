// What may be done at a lane now: the one thing that is wanted first, the rest behind "more".

import { actionButton, actionsOf, allowed, openAction } from "./actions.js";
import { el, mark } from "./dom.js";
import { button } from "./forms.js";
import { isEnglish, said, word, yuan } from "./language.js";
import { carWaits, meant, otherCar, stateOf } from "./lot.js";
import { openSheet, watchFromSheet } from "./sheet.js";

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

// Of each order when it makes no sense: it is not offered then. The lane judges all the others.
const ARM_MOVES = /^(down|raising|open|passing|clearing|lowering)$/; // states of an arm that is not held
const POINTLESS = {
  hold_open: (lane) => lane.locked || lane.state === "held_open",
  release: (lane) => ARM_MOVES.test(lane.state),
  lock: (lane) => lane.locked,
  unlock: (lane) => !lane.locked,
  let_in: (lane) => !carWaits(lane),
  correct_plate: (lane) => !carWaits(lane),
  pay_cash: (lane) => lane.direction !== "out" || !carWaits(lane),
  pay_free: (lane) => lane.direction !== "out" || !carWaits(lane),
};

export function showLaneActions(node, lane) {
  const state = stateOf(lane);
  const car = meant(lane.id, lane);
  const key = [state, lane.state, ...Object.values(car), lane.due_fen, lane.name, isEnglish(), allowed("open")].join(" ");
  if (node.dataset.key === key) return;
  mark(node, "key", key);
  const focused = node.contains(document.activeElement) ? document.activeElement.dataset.action : "";
  const wanted = WANTED[state] ?? USUAL;
  const about = aboutOf(lane);
  const buttons = wanted.map((name, index) => {
    const due = name === "pay_cash" && lane.due_fen > 0;
    return actionButton(name, due ? { ...car, amount_fen: lane.due_fen } : car, {
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

const aboutOf = (lane) => [lane.name, lane.plate].filter(Boolean).join(" · ");

function openMore(lane, about) {
  const car = meant(lane.id, lane);
  const possible = [...actionsOf("lane"), ...actionsOf("car")].filter((action) => !POINTLESS[action.name]?.(lane));
  const rows = possible.map((action) => {
    const cash = action.name === "pay_cash" && lane.due_fen > 0;
    const row = button(said(action), () => openAction(action.name, car, cash ? `${about} · ${word("due")} ${yuan(lane.due_fen)}` : about,
      () => {}, cash ? ({ amount_fen: given }) => cashWords(given, lane.due_fen) : ""));
    row.dataset.action = action.name;
    return row;
  });
  openSheet(word("more_at", lane.name), el("div", "sheet-list", ...rows));
  watchFromSheet(() => {
    const now = otherCar(car);
    if (now) openMore(now, aboutOf(now));
  });
}

// What is taken less than the fee is a discount and not a debt: said on the button that does it.
const cashWords = (given, due) => (given > 0 && given < due ? word("cash_part", yuan(given), yuan(due - given)) : word("cash_due", yuan(given || due)));
