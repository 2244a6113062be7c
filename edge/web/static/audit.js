// The audit: who, when, from where, what, result. Read and exported here, changed nowhere.

import { get } from "./api.js";
import { actionName } from "./actions.js";
import { el, mark } from "./dom.js";
import { button, field, input } from "./forms.js";
import { clock, said, word } from "./language.js";
import { pagedList } from "./lists.js";
import { laneName } from "./lot.js";
import { WORDS } from "./words.js";

const LIMIT = 30;
const DAY_MS = 86_400_000;

export function drawAudit() {
  const name = input("who", { maxLength: 50 });
  const day = input("day", { type: "date" });
  const form = el("form", "inline", field(word("user"), name), field(word("search_day"), day), button(word("search"), null, "small"));
  const whole = el("p", "audit-whole");
  const rows = el("div");
  rows.id = "audit-rows";
  const load = async () => {
    const beginMs = day.value ? Date.parse(`${day.value}T00:00:00+08:00`) : 0;
    const ask = async (before) => {
      const page = await get("/api/audit", { who: name.value.trim(), from_ms: beginMs || "", to_ms: beginMs ? beginMs + DAY_MS : "", before_seq: before || "", limit: LIMIT });
      mark(whole, "ok", page.broken_seq === 0);
      whole.textContent = page.broken_seq ? word("audit_broken", page.broken_seq) : word("audit_whole", page.kept_days);
      return page;
    };
    rows.replaceChildren(...await pagedList(ask, makeRow, "no_audit"));
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    load();
  });
  load();
  return el("div", "", whole, form, el("p", "buttons foot", exportLink("csv"), exportLink("jsonl")), rows);
}

function exportLink(kind) {
  const link = el("a", "button small", word(`export_${kind}`));
  link.href = `/api/audit.${kind}`;
  link.download = "";
  return link;
}

const named = (action) => (Object.hasOwn(WORDS, `did_${action}`) ? word(`did_${action}`) : actionName(action));

function makeRow(row) {
  const node = el("li", "audit-row", el("span", "row-time", clock(row.at_ms, Date.now())), el("strong", "", row.who || "–"),
    el("span", "row-kind", named(row.action)), el("span", "row-state", row.target ? laneName(row.target) : ""),
    el("span", "row-answer", `${row.ok ? "✓" : "✕"} ${said(row)}`),
    el("span", "row-answer soft", [row.why, row.address, row.clock_true ? "" : word("clock_then_unset")].filter(Boolean).join(" · ")));
  mark(node, "ok", row.ok);
  return node;
}
