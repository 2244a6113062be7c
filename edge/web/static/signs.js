// The signs: what each was last given, how its line is doing, and a test text on it.

import { actionButton } from "./actions.js";
import { byId, el, keep, mark, say } from "./dom.js";
import { isEnglish, word } from "./language.js";

const fields = new WeakMap();

export function drawSigns() {
  const list = el("ul", "plain rows");
  list.id = "sign-list";
  const none = el("p", "soft", word("no_signs"));
  none.id = "sign-none";
  return el("div", "", el("p", "soft", word("sign_hint")), list, none);
}

export function showSigns(box) {
  const list = byId("sign-list");
  if (!list) return;
  const names = new Map(box.lanes.map((lane) => [lane.id, lane.name]));
  const signs = box.signs ?? [];
  byId("sign-none").hidden = signs.length > 0;
  keep(list, signs, (sign) => `${sign.id} ${isEnglish()}`, (sign) => makeRow(sign, names.get(sign.lane) ?? sign.lane), (node, sign) => {
    const p = fields.get(node);
    const outcome = sign.line_down ? "gone" : sign.outcome || "none";
    say(p.state, word(`sign_${outcome}`));
    say(p.rows, sign.rows.filter(Boolean).join(" ｜ ") || "–");
    const { asked, answered, silent, damaged, sent } = sign.counts;
    say(p.counts, word("sign_counts").replace("{asked}", asked).replace("{answered}", answered)
      .replace("{silent}", silent).replace("{damaged}", damaged).replace("{sent}", sent));
    mark(node, "outcome", outcome);
  });
}

function makeRow(sign, lane) {
  const p = { state: el("span", "row-state"), rows: el("p", "sign-rows"), counts: el("p", "soft") };
  const test = actionButton("test_sign", { lane: sign.lane }, { note: lane, className: "small" });
  const node = el("li", "relay", el("strong", "", `${lane} · ${sign.id}`), p.state, el("div", "wide", p.rows, p.counts), el("div", "buttons", ...(test ? [test] : [])));
  node.dataset.sign = sign.id;
  fields.set(node, p);
  return node;
}
