// Money: the exits with what stands there, orders with their story, tariffs with a calculator, cards and lists.

import { byId, el } from "./dom.js";
import { button, field, input } from "./forms.js";
import { word } from "./language.js";
import { showDesk, tellDesk } from "./money_desk.js";
import { showOrder } from "./money_order.js";
import { listCards, listEntries, listMoneyOrders } from "./money_lists.js";
import { showTariffs } from "./money_tariffs.js";
import { WORDS } from "./words.js";
import { MONEY_WORDS } from "./words_money.js";

Object.assign(WORDS, MONEY_WORDS); // before anything here is drawn; the phone at the lane does without them

const PARTS = ["desk", "orders", "tariffs", "cards", "lists"];
const LISTS = { orders: listMoneyOrders, cards: listCards, lists: listEntries };

let chosen = "desk";
const DAY_MS = 86_400_000;

let plate = "";
let day = "";
let question = 0; // an answer that comes after a newer question is not shown

export function show(root, argument) {
  const [what, value] = argument.split("/");
  question += 1;
  if (what === "order") {
    chosen = "orders";
    showOrder(root, value);
    return;
  }
  if (PARTS.includes(what)) chosen = what;
  const picker = el("div", "segments", ...PARTS.map(choice));
  picker.setAttribute("role", "group");
  picker.setAttribute("aria-label", word("which_money"));
  const body = el("div");
  body.id = "money-body";
  root.replaceChildren(el("h1", "", word("tab_money")), picker, body);
  if (chosen === "desk") showDesk(body);
  else if (chosen === "tariffs") showTariffs(body);
  else search(body);
}

export function live(state) {
  if (chosen === "desk") tellDesk(byId("money-body"), state);
}

function choice(name) {
  const link = el("a", "segment", word(`money_${name}`));
  link.href = `#money/${name}`;
  if (name === chosen) link.setAttribute("aria-current", "true");
  return link;
}

function search(body) {
  const typed = input("plate", { id: "money-plate", type: "search", maxLength: 20, enterKeyHint: "search", autocapitalize: "characters", value: plate });
  const date = input("day", { type: "date", value: day });
  const form = el("form", "inline search", field(word("search_plate"), typed), ...(chosen === "orders" ? [field(word("search_day"), date)] : []), button(word("search"), null, "primary"));
  form.role = "search";
  const found = el("div");
  found.id = "money-found";
  found.setAttribute("aria-live", "polite");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    plate = typed.value.trim();
    day = date.value;
    list(found);
  });
  body.replaceChildren(form, found);
  list(found);
}

function query() {
  const beginMs = chosen === "orders" && day ? Date.parse(`${day}T00:00:00+08:00`) : 0; // the lot's day, wherever the phone is
  return { plate, from_ms: beginMs || "", to_ms: beginMs ? beginMs + DAY_MS : "" };
}

async function list(found) {
  const mine = ++question;
  found.replaceChildren(el("p", "soft", word("searching")));
  const nodes = await LISTS[chosen](query(), () => list(found), () => {
    plate = byId("money-plate").value = ""; // the new one may be of another plate than was searched for
    list(found);
  });
  if (mine === question) found.replaceChildren(...nodes);
}
