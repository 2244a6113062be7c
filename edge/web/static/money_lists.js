// Orders to pay, cards, and plates on lists: searched by plate, the newest first.

import { actionButton } from "./actions.js";
import { get } from "./api.js";
import { el, mark } from "./dom.js";
import { clock, minute, word } from "./language.js";
import { pagedList, trouble } from "./lists.js";
import { laneName } from "./lot.js";
import { sums } from "./money_order.js";

const DAY_MIN = 1440;

// `head(found)` stands above the rows. `again` lists them again, after something was changed; `anew` whatever was searched for.
async function rowsOf(path, plate, make, empty, head = () => []) {
  try {
    const found = await get(path, { plate });
    const none = found.rows.length ? [] : [el("p", "soft", word(empty))];
    const more = found.more ? [el("p", "soft list-foot", word("more_rows"))] : [];
    return [...head(found), ...none, el("ol", "plain rows", ...found.rows.map(make)), ...more];
  } catch (problem) {
    return [trouble(problem)];
  }
}

const LIMIT = 30;

// `query`: plate and span of time. The next page is asked for by the last order of this one.
export function listMoneyOrders(query) {
  const ask = async (before) => {
    const found = await get("/api/money/orders", { ...query, before: before || "", limit: LIMIT });
    return { rows: found.rows, next_before_seq: found.more ? found.rows.at(-1)?.order_id : "" };
  };
  return pagedList(ask, makeOrder, "no_money_orders");
}

export const listCards = ({ plate }, again, anew) => rowsOf("/api/money/cards", plate, (card) => makeCard(card, again), "no_cards",
  (found) => [...adding("card_add", anew), el("p", "soft", word("cards_all", found.all))]);
export const listEntries = ({ plate }, again, anew) => rowsOf("/api/money/lists", plate, (entry) => makeEntry(entry, again), "no_list_rows",
  (found) => [...adding("list_add", anew), el("p", "soft", word("lists_all", found.all))]);

function adding(name, done) {
  const made = actionButton(name, {}, { className: "primary", done });
  return made ? [el("p", "buttons", made)] : [];
}

function makeOrder(order) {
  const at = order.paid_ms || order.billed_ms;
  const link = el("a", "passage", el("span", "row-time", at ? clock(at, Date.now()) : ""), el("span", "row-kind", word(`order_${order.state}`)),
    el("span", "row-plate", order.plate || word("no_plate")), el("span", "row-lane", order.lane ? laneName(order.lane) : ""),
    el("span", "row-notes", sums(order).join(" · ")));
  link.href = `#money/order/${order.order_id}`;
  const node = el("li", "", link);
  mark(node, "order", order.state);
  mark(node, "admitted", !(order.refund_due_fen || order.state === "owed"));
  return node;
}

function span(fromMs, untilMs) {
  return untilMs ? `${fromMs ? minute(fromMs) : ""} – ${minute(untilMs)}` : word("for_ever");
}

const time = (min) => `${String(Math.floor((min % DAY_MIN) / 60)).padStart(2, "0")}:${String(min % 60).padStart(2, "0")}`;

function hours(one) {
  const names = word("weekdays").includes(" ") ? word("weekdays").split(" ") : [...word("weekdays")];
  const days = (one.days ?? []).map((day) => names[day]).join(" ");
  return [days, `${time(one.from_min)}–${time(one.until_min)}`].filter(Boolean).join(" ");
}

function makeCard(card, again) {
  const terms = [word("places_taken", card.taken, card.places), card.hours.map(hours).join(", "), card.plan, word(`then_${card.expired}`), word(`full_${card.full}`), card.city ? word(card.city) : ""];
  return makeRow(card.plates.join(" "), word(`card_${card.standing}`), card.standing === "valid", span(card.from_ms, card.until_ms), terms,
    card.city ? [] : ["card_extend", "card_cancel"].map((name) => actionButton(name, { card_id: card.card_id }, { className: "small", note: card.plates.join(" "), done: again })));
}

function makeEntry(entry, again) {
  const origin = entry.origin === "config" ? word("by_config") : [entry.city ? word(entry.city) : "", entry.origin].filter(Boolean).join(" ");
  return makeRow(entry.plate, word(`list_${entry.strategy}`), entry.in_force, span(entry.from_ms, entry.until_ms), [origin, entry.in_force ? "" : word("card_not_yet")],
    entry.city || !entry.entry_id ? [] : [actionButton("list_remove", { entry_id: entry.entry_id }, { className: "small", note: entry.plate, done: again })]);
}

// What a city or the configuration made has no `buttons`: it is changed there.
function makeRow(plates, state, good, when, notes, buttons) {
  const may = buttons.filter(Boolean);
  const node = el("li", "row holder", el("span", "row-plate", plates), el("span", "row-state", state), el("span", "found-words", when),
    el("span", "found-words soft", notes.filter(Boolean).join(" · ")), ...(may.length ? [el("div", "buttons", ...may)] : []));
  mark(node, "good", good);
  return node;
}

