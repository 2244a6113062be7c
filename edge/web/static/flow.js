// Flow control: what an ordinary car meets now, the switches, who waits and why, and who is booked.

import { actionButton } from "./actions.js";
import { byId, el, keep, mark, say } from "./dom.js";
import { ago, clock, isEnglish, said, word } from "./language.js";
import { laneName } from "./lot.js";

const BOOKINGS_MAX = 20; // of the next ones; the rest is a number

const fields = new WeakMap();
let parts = null;
let spoken = ""; // language and switches that the fixed nodes were made for

export function showFlow({ flow }, nowMs) {
  const used = Boolean(flow) && (flow.configured || flow.queue.length > 0 || flow.bookings_all > 0);
  byId("flow").hidden = !used;
  if (!used) return;
  const key = JSON.stringify([isEnglish(), flow.priority, flow.entrances]);
  if (key !== spoken) make(flow);
  spoken = key;
  mark(byId("flow-body"), "state", flow.state);
  say(parts.rule, said(flow, "rule_") || said(flow, "state_"));
  say(parts.numbers, numbers(flow));
  say(parts.queueTitle, flow.queue.length ? word("queue", flow.queue.length) : word("queue_empty"));
  keep(parts.queue, flow.queue, (one) => `${one.lane} ${one.plate}`, makeWaiting, (node, one) => showWaiting(node, one, nowMs));
  parts.bookings.hidden = flow.bookings_all === 0;
  say(parts.bookingsTitle, word("bookings", flow.bookings_all));
  keep(parts.bookingList, flow.bookings.slice(0, BOOKINGS_MAX), (one) => one.code, makeBooking, (node, one) => showBooking(node, one, nowMs));
}

function numbers(flow) {
  const found = [word("held", flow.held), word("room", flow.room)];
  if (flow.priority && flow.state === "saturated" && flow.reserved_needed > 0) found.push(word("reserved_of", flow.reserved_since, flow.reserved_needed));
  if (flow.priority && flow.state === "full" && flow.out > 0) found.push(word("exits_of", flow.exits, flow.out), word("credits", flow.credits));
  if (flow.controls) found.push(word("controls", flow.controls));
  return found.join(" · ");
}

function make(flow) {
  const open = parts?.bookings.open ?? false;
  parts = {
    rule: el("p", "flow-rule"), numbers: el("p", "soft"), queueTitle: el("h3"), queue: el("ol", "plain rows"),
    bookings: el("details"), bookingsTitle: el("summary"), bookingList: el("ol", "plain rows"),
  };
  parts.queue.id = "flow-queue";
  parts.bookings.append(parts.bookingsTitle, parts.bookingList);
  parts.bookings.open = open;
  byId("flow-body").replaceChildren(parts.rule, parts.numbers, switches(flow), parts.queueTitle, parts.queue, parts.bookings);
}

function switches(flow) {
  const schedule = flow.scheduled ? ` · ${word("scheduled", ...flow.scheduled)}` : "";
  const priority = switchRow(`${word("priority")}: ${word(flow.priority ? "on" : "off")}${schedule}`, actionButton("priority", { on: !flow.priority }, {
    label: word(flow.priority ? "switch_off" : "switch_on"), note: `${word("priority")} → ${word(flow.priority ? "off" : "on")}`, className: "small",
    confirm: word(flow.priority ? "confirm_priority_off" : "confirm_priority_on"),
  }));
  const entrances = flow.entrances.map((one) => {
    const until = one.until_ms ? ` ${word("until", clock(one.until_ms))}` : "";
    const switched = one.role === one.configured ? "" : ` (${word("switched")}${until})`;
    return switchRow(`${laneName(one.lane)}: ${word(`choice_${one.role}`)}${switched}`,
      actionButton("lane_role", { lane: one.lane }, { label: word("switch_role"), note: laneName(one.lane), className: "small", confirm: word("confirm_lane_role") }), one.lane);
  });
  return el("ul", "plain rows", priority, ...entrances);
}

function switchRow(text, button, lane = "") {
  const node = el("li", "switch-row", el("span", "", text), ...(button ? [button] : []));
  if (lane) node.dataset.entrance = lane;
  return node;
}

function makeWaiting() {
  const p = { plate: el("span", "row-plate"), where: el("span", "row-lane"), since: el("span", "row-time"), why: el("span", "found-words") };
  const node = el("li", "row waiting", p.plate, p.where, p.since, p.why);
  fields.set(node, p);
  return node;
}

function showWaiting(node, one, nowMs) {
  const p = fields.get(node);
  say(p.plate, one.plate || word("no_plate"));
  say(p.where, `${laneName(one.lane)} · ${word(one.reserved ? "reserved_car" : "ordinary_car")}`);
  say(p.since, ago(one.since_wall_ms, nowMs));
  say(p.why, `${one.decision === "ask" ? `${word("needs_person")} · ` : ""}${said(one)}`);
  mark(node, "ask", one.decision === "ask");
}

function makeBooking() {
  const p = { plate: el("span", "row-plate"), when: el("span", "row-lane"), state: el("span", "row-state") };
  const node = el("li", "row booking", p.plate, p.when, p.state);
  fields.set(node, p);
  return node;
}

function showBooking(node, one, nowMs) {
  const p = fields.get(node);
  say(p.plate, one.plate);
  say(p.when, `${clock(one.from_ms, nowMs).slice(0, -3)}–${clock(one.until_ms, one.from_ms).slice(0, -3)}`);
  say(p.state, word(one.arrived ? "booking_arrived" : one.confirmed ? "booking_confirmed" : "booking_locked"));
}
