// Records: who passed, what was reported, what people ordered. One search for plate and day, three lists under it.

import { byId, el } from "./dom.js";
import { button, field, input } from "./forms.js";
import { word } from "./language.js";
import { listDeliveries } from "./record_deliveries.js";
import { listOrders } from "./record_orders.js";
import { listPassages } from "./record_passages.js";
import { showVisit } from "./visit.js";

const LISTS = { passages: listPassages, deliveries: listDeliveries, orders: listOrders };
const DAY_MS = 86_400_000;

let chosen = "passages";
const asked = { plate: "", day: "" };
let question = 0; // an answer that comes after a newer question is not shown

export function show(root, argument) {
  const [what, value] = argument.split("/");
  if (what === "visit") {
    showVisit(root, value);
    return;
  }
  if (Object.hasOwn(LISTS, what)) chosen = what;
  const plate = input("plate", { id: "search-plate", type: "search", maxLength: 20, enterKeyHint: "search", autocapitalize: "characters", value: asked.plate });
  const day = input("day", { id: "search-day", type: "date", value: asked.day });
  const form = el("form", "inline search", field(word("search_plate"), plate), field(word("search_day"), day), button(word("search"), null, "primary"));
  form.id = "search";
  form.role = "search";
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    asked.plate = plate.value.trim();
    asked.day = day.value;
    list(found);
  });
  const choices = Object.keys(LISTS).map((name) => choice(name));
  const found = el("div");
  found.id = "found";
  found.setAttribute("aria-live", "polite");
  const picker = el("div", "segments", ...choices);
  picker.setAttribute("role", "group");
  picker.setAttribute("aria-label", word("which_list"));
  root.replaceChildren(el("h1", "", word("tab_records")), picker, form, found);
  list(found);
}

function choice(name) {
  const link = el("a", "segment", word(`list_${name}`));
  link.href = `#records/${name}`;
  if (name === chosen) link.setAttribute("aria-current", "true");
  return link;
}

async function list(found) {
  const mine = ++question;
  found.replaceChildren(el("p", "soft", word("searching")));
  const nodes = await LISTS[chosen](query(), () => mine === question);
  if (mine === question && byId("found") === found) found.replaceChildren(...nodes);
}

function query() {
  const beginMs = asked.day ? Date.parse(`${asked.day}T00:00:00+08:00`) : 0; // the lot's day, wherever the phone is
  return { plate: asked.plate, from_ms: beginMs || "", to_ms: beginMs ? beginMs + DAY_MS : "" };
}
