// The exit desk: the car at each arm, what it owes and why, and what a person may do about it.

import { actionButton } from "./actions.js";
import { getAutomatically } from "./api.js";
import { el, mark } from "./dom.js";
import { facts } from "./forms.js";
import { minute, said, stay, word, yuan } from "./language.js";
import { trouble } from "./lists.js";
import { carWaits, laneName, meant, stateWords } from "./lot.js";
import { pictureButton } from "./picture.js";

let seen = ""; // of the exits, when they were last asked for
let question = 0;
let lanes = [];
let pictures = [];

export async function showDesk(root) {
  const mine = ++question;
  if (!root.hasChildNodes()) root.append(el("p", "soft", word("searching")));
  let nodes = null;
  try {
    nodes = draw(await getAutomatically("/api/money/desk"));
  } catch (problem) {
    nodes = [trouble(problem)];
  }
  if (mine === question && root.isConnected) replace(root, nodes);
}

// The live state changed: asked again when something at an exit did.
export function tellDesk(root, state) {
  if (!root || !state.box) return;
  ({ lanes } = state.box);
  ({ pictures } = state);
  const now = JSON.stringify(lanes.filter((lane) => lane.direction === "out").map((lane) =>
    [lane.id, lane.state, lane.locked, lane.arrival_id, lane.order_id, lane.plate, lane.due_fen, lane.why_zh, pictures.includes(lane.last_read_id)]));
  if (now === seen) return;
  seen = now;
  showDesk(root);
}

// The button that had the keyboard keeps it.
function replace(root, nodes) {
  const held = root.contains(document.activeElement) ? document.activeElement : null;
  const way = held?.dataset.action ? `[data-exit="${held.closest("[data-exit]")?.dataset.exit}"] [data-action="${held.dataset.action}"]` : "";
  root.replaceChildren(...nodes);
  if (way) root.querySelector(way)?.focus();
}

function draw(desk) {
  const away = desk.city_away ? [el("p", "answer", word("city_away"))] : [];
  if (desk.exits.length === 0) return [el("p", "soft", word("no_exit"))];
  return [...away, el("div", "exits", ...desk.exits.map(makeExit))];
}

function makeExit(exit) {
  const lane = lanes.find((one) => one.id === exit.lane);
  const head = el("header", "lane-head", el("h2", "", laneName(exit.lane)), el("span", "state", lane ? stateWords(lane) : ""));
  const { car } = exit;
  const node = el("article", "exit panel", head);
  mark(node, "exit", exit.lane);
  if (!car) {
    node.append(el("p", "soft", word("nobody_stands")), actions(exit, null));
    return node;
  }
  const plate = el("span", "plate big", car.plate || word("unread"));
  plate.classList.toggle("unread", !car.plate);
  const sum = el("p", "due", car.owed_fen > 0 ? `${word("to_pay")} ${yuan(car.owed_fen)}`
    : car.visit_id ? word("nothing_to_pay") : ""); // without an entry nobody knows what it owes
  node.append(el("p", "at-arm", plate), sum, el("p", "why", said(exit)), actions(exit, car), ...picture(car), facts(bill(car)));
  return node;
}

function bill(car) {
  const saved = car.coupons.map((one) => `${one.coupon_no} ${yuan(one.saved_fen)}`).join(", ");
  const rows = [
    [word("bill_why"), [car.overtime ? word("overtime_of") : "", said(car, "why_")].filter(Boolean).join(": ")],
    [word("bill_entered"), car.entered_ms ? `${minute(car.entered_ms)} ${car.entry_lane ? laneName(car.entry_lane) : ""}` : car.visit_id ? word("not_known") : word("entry_unknown")],
    [word("bill_parked"), car.parked_ms ? stay(car.parked_ms) : ""],
    [word("bill_due"), car.due_fen ? yuan(car.due_fen) : ""],
    [word("bill_discount"), car.discount_fen ? `${yuan(car.discount_fen)}${saved ? ` (${saved})` : ""}` : ""],
    [word("bill_settled"), car.settled_fen ? yuan(car.settled_fen) : ""],
    [word("bill_rest"), car.rest_min ? word("stay_minutes", car.rest_min) : ""],
    [word("bill_order"), car.state ? orderLink(car) : ""],
    [word("bill_tariff"), said(car, "tariff_")],
  ];
  return rows.filter(([, value]) => value);
}

function orderLink(car) {
  const link = el("a", "text-link", [word(car.method === "free" ? "let_free" : `order_${car.state}`), car.pays ? word(`seamless_${car.pays}`) : ""].filter(Boolean).join(" · "));
  link.href = `#money/order/${car.order_id}`;
  return link;
}

function picture(car) {
  if (!pictures.includes(car.read_id)) return [];
  return [pictureButton(car.read_id, car.plate, word("picture_of", car.plate || word("no_plate")), "step-picture")];
}

// Every order carries its reason: the sheet asks for it.
function actions(exit, car) {
  const about = [laneName(exit.lane), car?.plate].filter(Boolean).join(" · ");
  const preset = car ? meant(exit.lane, car) : { lane: exit.lane };
  const note = { note: about };
  const waits = car && carWaits(exit);
  const wanted = [];
  if (waits && car.owed_fen > 0) {
    const sum = yuan(car.owed_fen);
    wanted.push(actionButton("pay_cash", { ...preset, amount_fen: car.owed_fen }, { note: `${about} · ${sum}`, label: word("cash_due", sum), className: "primary" }));
    wanted.push(actionButton("pay_free", preset, note));
  }
  if (waits) wanted.push(actionButton("let_in", preset, { ...note, className: car.owed_fen > 0 ? "" : "primary" }));
  else wanted.push(actionButton("open", preset, note));
  if (waits && !car.visit_id) wanted.push(actionButton("correct_plate", { ...preset, visit_id: undefined }, note));
  return el("div", "buttons", ...wanted.filter(Boolean));
}
