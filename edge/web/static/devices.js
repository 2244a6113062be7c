// Every device of every lane with its state; a device with a fault says cause, effect and what to do.

import { byId, el, keep, mark, say } from "./dom.js";
import { said, word } from "./language.js";
import { deviceName } from "./lot.js";

const fields = new WeakMap();

export function drawDevices() {
  const list = el("ul", "plain rows");
  list.id = "device-list";
  return list;
}

export function showDevices(box, agent) {
  const faults = [...box.faults, ...agent.faults];
  const rows = box.lanes.flatMap((lane) => [
    { id: `${lane.id}/arm`, state: word(`position_${lane.arm}`), known: lane.arm !== "unknown" },
    { id: `${lane.id}/arrival`, state: word(`loop_${lane.arrival ?? "unknown"}`), known: lane.arrival !== null },
    { id: `${lane.id}/safety`, state: word(`loop_${lane.safety ?? "unknown"}`), known: lane.safety !== null },
  ]);
  for (const fault of faults) {
    const row = rows.find((one) => one.id === fault.device);
    if (row) row.fault = fault;
    else rows.push({ id: fault.device, state: "", known: true, fault });
  }
  keep(byId("device-list"), rows, (row) => row.id, makeRow, (node, row) => {
    const p = fields.get(node);
    mark(node, "level", row.fault ? "fault" : row.known ? "ok" : "unknown");
    say(p.name, deviceName(row.id));
    say(p.state, row.fault ? `⚠ ${said(row.fault)}` : row.known ? row.state : `? ${row.state}`);
    say(p.effect, row.fault ? `${word("effect")}: ${said(row.fault, "effect_")}` : "");
    say(p.todo, row.fault ? `${word("todo")}: ${said(row.fault, "todo_")}` : "");
  });
}

function makeRow() {
  const p = { name: el("span", "device-name"), state: el("span", "device-state"), effect: el("p", "device-words"), todo: el("p", "device-words todo") };
  const node = el("li", "device", p.name, p.state, p.effect, p.todo);
  fields.set(node, p);
  return node;
}
