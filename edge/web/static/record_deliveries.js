// The list of deliveries: was this car reported, with picture, when, and if not, why. What was set aside is sent again.

import { actionButton } from "./actions.js";
import { get } from "./api.js";
import { el, mark } from "./dom.js";
import { button } from "./forms.js";
import { clock, said, word } from "./language.js";
import { trouble } from "./lists.js";
import { enlarge } from "./picture.js";

export async function listDeliveries(query) {
  try {
    const rows = await get("/api/deliveries", query);
    if (rows.length === 0) return [el("p", "soft", word("none_found"))];
    return [el("ol", "plain rows", ...rows.map(makeRow))];
  } catch (problem) {
    return [trouble(problem)];
  }
}

function makeRow(row) {
  const state = el("span", "row-state", word(row.state));
  const again = row.state === "set_aside" ? repeatButton(row.id, `${row.plate || word("no_plate")} · ${word(row.kind)}`, (result) => {
    if (result.ok) mark(node, "state", "waiting");
    state.textContent = word("waiting");
    again.remove();
  }) : null;
  const picture = row.read_id ? button(word("with_picture"), () =>
    enlarge(`/picture/${row.read_id}.jpg`, `${row.plate} · ${clock(row.made_ms, Date.now())}`), "small found-picture") : null;
  const node = el("li", "row found", el("span", "row-time", clock(row.made_ms, Date.now())), el("span", "row-kind", word(row.kind)),
    el("span", "row-plate", row.plate || word("no_plate")), el("span", "row-city", word(row.city)), state, el("span", "found-words", said(row)),
    ...(again || picture ? [el("div", "buttons", ...[again, picture].filter(Boolean))] : []));
  mark(node, "state", row.state);
  return node;
}

export function repeatButton(id, note, done) {
  return actionButton("repeat_delivery", { ids: [id] }, { note, className: "small", done });
}
