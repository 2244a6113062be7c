// Faults, deliveries, counters: the parts of the page that are not lanes.

import { actionButton } from "./actions.js";
import { byId, el, keep, mark, say } from "./dom.js";
import { ago, clock, isEnglish, said, spoken, word } from "./language.js";
import { deviceName, laneOf } from "./lot.js";

const RECENT_SHOWN = 5; // the rest is among the records

const fields = new WeakMap(); // node -> the nodes in it that change

function made(node, parts) {
  fields.set(node, parts);
  return node;
}

export function showFaults(faults, nowMs) {
  byId("faults").hidden = faults.length === 0;
  keep(byId("fault-list"), faults, (fault) => `${fault.code} ${fault.device}`, makeFault, (node, fault) => {
    const p = fields.get(node);
    mark(node, "mild", Boolean(fault.mild));
    say(p.device, deviceName(fault.device));
    say(p.cause, said(fault));
    say(p.since, fault.since_wall_ms > 0 ? `${word("since", clock(fault.since_wall_ms, nowMs))} · ${ago(fault.since_wall_ms, nowMs)}` : "");
    say(p.effectName, word("effect"));
    say(p.effect, said(fault, "effect_"));
    say(p.todoName, word("todo"));
    say(p.todo, said(fault, "todo_"));
    say(p.code, [fault.code, fault.detail].filter(Boolean).join(": "));
    if (node.dataset.spoken === String(isEnglish())) return;
    mark(node, "spoken", isEnglish());
    p.end.replaceChildren((fault.by_hand && acknowledge(fault)) || el("p", "fault-itself", word(fault.by_hand ? "to_acknowledge" : "by_itself")));
  });
}

function makeFault() {
  const p = {
    device: el("p", "fault-device"), cause: el("h3"), since: el("p", "fault-since"), code: el("p", "fault-code"),
    effectName: el("dt"), effect: el("dd"), todoName: el("dt"), todo: el("dd"), end: el("div", "fault-end"),
  };
  const facts = el("dl", "fault-facts", p.effectName, p.effect, p.todoName, p.todo);
  return made(el("li", "fault panel", p.device, p.cause, p.since, facts, p.code, p.end), p);
}

function acknowledge(fault) {
  const whose = fault.of === "agent" ? { device: fault.device, lane: undefined } : { device: undefined, lane: laneOf(fault.device) || undefined };
  return actionButton("acknowledge_fault", { fault: fault.code, ...whose }, {
    note: `${deviceName(fault.device)}: ${said(fault)}`, className: "small",
  });
}

export function showDeliveries(agent, nowMs) {
  keep(byId("links"), agent.links, (link) => link.city, makeLink, (node, link) => {
    const p = fields.get(node);
    mark(node, "online", link.idle ? "idle" : link.online);
    say(p.city, word(link.city));
    say(p.words, said(link));
    say(p.last, link.receives || link.idle ? "" : link.last_ok_wall_ms > 0 ? word("last_ok", ago(link.last_ok_wall_ms, nowMs)) : word("never_ok"));
  });
  const names = ["waiting", "accepted", "set_aside"];
  if (agent.counts.held_for_clock) names.push("held_for_clock");
  keep(byId("counts"), names, (name) => name, makeCount, (node, name) => {
    const count = agent.counts[name] ?? 0;
    say(fields.get(node).name, word(name));
    say(fields.get(node).count, String(count));
    mark(node, "wrong", name !== "waiting" && name !== "accepted" && count > 0);
  });
  const recent = agent.recent.length ? agent.recent.slice(0, RECENT_SHOWN) : [null];
  keep(byId("recent"), recent, (row) => row?.id ?? "none", makeRow, (node, row) => showRow(fields.get(node), node, row, nowMs));
}

function makeLink() {
  const p = { city: el("strong"), words: el("span", "link-words"), last: el("span", "link-last") };
  return made(el("li", "link", p.city, p.words, p.last), p);
}

function makeCount() {
  const p = { name: el("dt"), count: el("dd") };
  return made(el("div", "count", p.count, p.name), p);
}

function makeRow() {
  const p = {
    time: el("span", "row-time"), kind: el("span", "row-kind"), plate: el("span", "row-plate"), city: el("span", "row-city"),
    state: el("span", "row-state"), answer: el("span", "row-answer"),
  };
  return made(el("li", "row", p.time, p.kind, p.plate, p.city, p.state, p.answer), p);
}

function showRow(p, node, row, nowMs) {
  if (row === null) {
    say(p.answer, word("none_recent"));
    return;
  }
  mark(node, "state", row.state);
  say(p.time, clock(row.made_ms, nowMs));
  say(p.kind, word(row.kind));
  say(p.plate, row.plate);
  say(p.city, word(row.city));
  say(p.state, word(row.state) + (row.attempts > 1 ? ` · ${word("attempts", row.attempts)}` : ""));
  say(p.answer, row.state === "accepted" ? "" : spoken(row.last_answer)); // an acceptance is said by the state
}

export function showCounters(counters) {
  const rows = Object.entries(counters).sort(([a], [b]) => (a < b ? -1 : 1));
  byId("counters").hidden = rows.length === 0;
  keep(byId("counter-list"), rows, ([name]) => name, makeCount, (node, [name, count]) => {
    say(fields.get(node).name, name);
    say(fields.get(node).count, String(count));
  });
}

export function showAbout(agent, box) {
  say(byId("about"), word("about", agent.version, box ? box.ledger_seq : "–"));
}
