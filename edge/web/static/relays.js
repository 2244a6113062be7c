// One pulse of one relay, to see whether the right contact of the barrier hears it: only at a locked, empty lane.

import { actionButton } from "./actions.js";
import { byId, el, keep, mark, say } from "./dom.js";
import { isEnglish, word } from "./language.js";
import { stateWords } from "./lot.js";

const fields = new WeakMap();

export function drawRelays() {
  const list = el("ul", "plain rows");
  list.id = "relay-list";
  return el("div", "", el("p", "soft", word("relay_hint")), list);
}

export function showRelays(lanes) {
  const list = byId("relay-list");
  if (!list) return;
  keep(list, lanes, (lane) => `${lane.id} ${isEnglish()}`, makeRow, (node, lane) => {
    const p = fields.get(node);
    const { locked } = lane;
    const empty = lane.arrival === false && lane.safety === false;
    say(p.state, [stateWords(lane), word(empty ? "nobody" : "not_empty")].join(" · "));
    mark(node, "ready", locked && empty);
    p.lock.hidden = locked;
    p.unlock.hidden = !locked;
    for (const test of p.tests) test.disabled = !(locked && empty);
  });
}

function makeRow(lane) {
  const p = {
    state: el("span", "row-state"),
    lock: actionButton("lock", { lane: lane.id }, { note: lane.name, className: "small" }),
    unlock: actionButton("unlock", { lane: lane.id }, { note: lane.name, className: "small" }),
    tests: ["open", "close", "stop"].map((relay) =>
      actionButton("test_relay", { lane: lane.id, relay }, { note: `${lane.name} · ${relay.toUpperCase()}`, label: relay.toUpperCase(), className: "small" })),
  };
  p.tests.forEach((test, index) => { test.dataset.relay = ["open", "close", "stop"][index]; });
  const node = el("li", "relay", el("strong", "", lane.name), p.state, el("div", "buttons", p.lock, p.unlock, ...p.tests));
  node.dataset.lane = lane.id;
  fields.set(node, p);
  return node;
}
