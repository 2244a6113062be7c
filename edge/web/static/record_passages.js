// The list of passages: each leads to the timeline of its visit.

import { get } from "./api.js";
import { el, mark } from "./dom.js";
import { clock, word, yuan } from "./language.js";
import { pagedList } from "./lists.js";
import { laneName } from "./lot.js";

const LIMIT = 30;

export function listPassages(query) {
  const ask = (before) => get("/api/passages", { ...query, before_seq: before || "", limit: LIMIT });
  return pagedList(ask, makeRow, "no_passages");
}

function makeRow(row) {
  const owed = row.due_fen - row.paid_fen - row.discount_fen;
  const money = [row.paid_fen > 0 ? yuan(row.paid_fen) : "", row.discount_fen > 0 ? word("waived", yuan(row.discount_fen)) : "",
    owed > 0 ? word("owed", yuan(owed)) : ""];
  const notes = [
    row.admitted ? "" : word("not_admitted"), row.how === "admitted" ? "" : word(`how_${row.how}`), ...money,
    row.corrected_from ? word("corrected_from", row.corrected_from) : "", row.clock_true ? "" : word("clock_then_unset"),
  ].filter(Boolean).join(" · ");
  const link = el("a", "passage",
    el("span", "row-time", clock(row.at_ms, Date.now())), el("span", "row-kind", `${row.direction === "in" ? "→" : "←"} ${word(row.direction === "in" ? "tab_in" : "tab_out")}`),
    el("span", "row-plate", row.plate || word("no_plate")), el("span", "row-lane", laneName(row.lane)), el("span", "row-notes", notes));
  link.href = `#records/visit/${row.seq}`;
  const node = el("li", "", link);
  mark(node, "admitted", row.admitted);
  return node;
}
