// RS485: how each device on each line answers, and how late a lane on a board may hear of its safety loop.

import { byId, el, keep, mark, say } from "./dom.js";
import { isEnglish, word } from "./language.js";

const fields = new WeakMap();

export function drawRs485() {
  const worst = el("ul", "plain rows");
  worst.id = "reaction-list";
  const list = el("ul", "plain rows");
  list.id = "line-list";
  const none = el("p", "soft", word("rs485_none"));
  none.id = "line-none";
  return el("div", "", worst, list, none);
}

export function showRs485(box) {
  const list = byId("line-list");
  if (!list) return;
  const lines = box.lines ?? [];
  const names = new Map(box.lanes.map((lane) => [lane.id, lane.name]));
  byId("line-none").hidden = lines.length > 0;
  keep(byId("reaction-list"), box.reactions ?? [], (one) => one.lane, makeRow, (node, one) => {
    const p = fields.get(node);
    const slow = one.edge_ms + one.order_ms > one.limit_ms;
    say(p.name, names.get(one.lane) ?? one.lane);
    say(p.state, `${slow ? "⚠ " : ""}${one.edge_ms + one.order_ms} ms`);
    say(p.counts, fill(word(slow ? "rs485_slow" : "rs485_worst"), { edge: one.edge_ms, order: one.order_ms, limit: one.limit_ms }));
    mark(node, "slow", slow);
  });
  const devices = lines.flatMap((line) => line.devices.length ? line.devices.map((device) => ({ line, device })) : [{ line, device: null }]);
  keep(list, devices, ({ line, device }) => `${line.id}/${device?.id ?? ""} ${isEnglish()}`, makeRow, (node, { line, device }) => {
    const p = fields.get(node);
    say(p.name, `${line.id} · ${device?.id ?? "–"}`);
    say(p.state, line.down ? `⚠ ${word("sign_gone")}` : `${line.baud}`);
    say(p.counts, line.down || (device ? fill(word("sign_counts"), device.counts) : word("sign_none")));
    mark(node, "device", device?.id ?? "");
  });
}

function fill(text, values) {
  return text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

function makeRow() {
  const p = { name: el("strong"), state: el("span", "row-state"), counts: el("p", "soft wide") };
  const node = el("li", "relay", p.name, p.state, p.counts);
  fields.set(node, p);
  return node;
}
