// What people and cities ordered at the lanes, as the lane recorded it, with the picture nearest to it.

import { get } from "./api.js";
import { actionName } from "./actions.js";
import { el, mark } from "./dom.js";
import { button } from "./forms.js";
import { clock, isEnglish, said, word } from "./language.js";
import { pagedList } from "./lists.js";
import { laneName } from "./lot.js";
import { enlarge } from "./picture.js";
import { ORDER_WORDS } from "./words_orders.js";

const LIMIT = 30;

// A name as the ledger has it: one of the page's own table, or of a city's orders.
const orderName = (name) => (Object.hasOwn(ORDER_WORDS, name) ? ORDER_WORDS[name][isEnglish() ? 1 : 0] : actionName(name));

export function listOrders(query) {
  const ask = (before) => get("/api/orders", { ...query, before_seq: before || "", limit: LIMIT });
  return pagedList(ask, makeRow, "no_orders");
}

function makeRow(row) {
  const when = clock(row.at_ms, Date.now());
  const after = Math.abs(row.picture_after_s).toFixed(1);
  const picture = row.read_id ? button(word(row.picture_after_s < 0 ? "picture_before" : "picture_after", after), () =>
    enlarge(`/picture/${row.read_id}.jpg`, `${laneName(row.lane)} · ${when}`), "small") : null;
  const node = el("li", "row order", el("span", "row-time", when), el("strong", "", orderName(row.action)),
    el("span", "row-lane", laneName(row.lane)), el("span", "row-state", `${row.ok ? "✓" : "✕"} ${said(row)}`),
    el("span", "found-words", `${row.who}: ${row.why}`), ...(picture ? [el("div", "buttons", picture)] : []));
  mark(node, "ok", row.ok);
  return node;
}
