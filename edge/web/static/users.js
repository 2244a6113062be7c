// Who may use the page, and as what.

import { actionButton } from "./actions.js";
import { get } from "./api.js";
import { el } from "./dom.js";
import { clock, word } from "./language.js";
import { trouble } from "./lists.js";
import { who } from "./session.js";

export function drawUsers() {
  const place = el("div");
  load(place);
  return place;
}

async function load(place) {
  const again = () => load(place);
  const add = actionButton("user_add", {}, { done: again });
  try {
    const rows = await get("/api/users");
    place.replaceChildren(el("ul", "plain rows", ...rows.map((row) => makeRow(row, again))), el("p", "buttons foot", add));
  } catch (problem) {
    place.replaceChildren(trouble(problem));
  }
}

function makeRow(row, again) {
  const now = Date.now();
  const notes = [
    row.last_login_ms ? word("last_login", clock(row.last_login_ms, now)) : word("never_logged_in"),
    row.must_change_password ? word("must_change") : "", row.locked_until_ms > now ? word("locked_until", clock(row.locked_until_ms, now)) : "",
  ].filter(Boolean).join(" · ");
  const own = row.name === who().user; // nobody locks himself out by a slip of the thumb
  const buttons = own ? [] : [["user_role", { name: row.name }], ["user_reset", { name: row.name }], ["user_remove", { name: row.name }]]
    .map(([name, preset]) => actionButton(name, preset, { note: row.name, className: name === "user_remove" ? "small danger" : "small", done: again }));
  const node = el("li", "user-row", el("strong", "", row.name), el("span", "row-state", word(`role_${row.role}`)), el("span", "row-notes", notes),
    el("div", "buttons", ...buttons.filter(Boolean)));
  node.dataset.user = row.name;
  return node;
}
