// The search: was this car reported, with picture, when, and if not, why.

import { byId, el, keep, mark, say } from "./dom.js";
import { clock, said, word } from "./words.js";

const DAY_MS = 86_400_000;

const fields = new WeakMap(); // node -> the nodes in it that change
let asked = 0; // an answer that comes after a newer question is not shown
let rows = null; // null: nothing was asked yet
let notice = ""; // what stands there instead of rows

async function search() {
  const mine = ++asked;
  rows = [];
  notice = "searching";
  showFound(Date.now());
  const query = new URLSearchParams({ plate: byId("search-plate").value.trim() });
  if (byId("search-day").value) {
    const beginMs = Date.parse(`${byId("search-day").value}T00:00:00+08:00`); // the lot's day, wherever the phone is
    query.set("from_ms", beginMs);
    query.set("to_ms", beginMs + DAY_MS);
  }
  let found = null;
  try {
    const answer = await fetch(`/api/deliveries?${query}`);
    if (answer.ok) found = await answer.json();
  } catch {
    found = null; // no line to the box: said below
  }
  if (mine !== asked) return;
  rows = found ?? [];
  notice = found === null ? "search_failed" : "none_found";
  showFound(Date.now());
}

export function showFound(nowMs) {
  if (rows === null) return;
  keep(byId("found"), rows.length ? rows : [null], (row) => row?.id ?? "none", makeFound, (node, row) => {
    const p = fields.get(node);
    if (row === null) {
      say(p.words, word(notice));
      return;
    }
    mark(node, "state", row.state);
    say(p.time, clock(row.made_ms, nowMs));
    say(p.kind, word(row.kind));
    say(p.plate, row.plate || word("no_plate"));
    say(p.state, word(row.state));
    say(p.words, [said(row), said(row, "picture_")].filter(Boolean).join(" · "));
    p.picture.hidden = row.read_id === "";
    say(p.picture, word("with_picture"));
    p.picture.onclick = () => enlarge(row);
  });
}

function makeFound() {
  const p = {
    time: el("span", "row-time"), kind: el("span", "row-kind"), plate: el("span", "row-plate"),
    state: el("span", "row-state"), words: el("span", "found-words"), picture: el("button", "found-picture"),
  };
  p.picture.type = "button";
  p.picture.hidden = true;
  const node = el("li", "row found", p.time, p.kind, p.plate, p.state, p.words, p.picture);
  fields.set(node, p);
  return node;
}

function enlarge(row) {
  const image = byId("viewer-image");
  image.src = `/picture/${row.read_id}.jpg`;
  image.alt = row.plate;
  say(byId("viewer-text"), `${row.plate} · ${clock(row.made_ms)}`);
  byId("viewer").showModal();
}

byId("search").addEventListener("submit", (event) => {
  event.preventDefault();
  search();
});
