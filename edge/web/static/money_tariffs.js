// The tariffs in their versions, and the calculator: entry, exit and class give the sum and how it comes about.

import { allowed, openAction } from "./actions.js";
import { get, post, Problem } from "./api.js";
import { block } from "./blocks.js";
import { el, mark } from "./dom.js";
import { answerPlace, button, field, input, once, select, showAnswer } from "./forms.js";
import { said, stay, word, yuan } from "./language.js";
import { trouble } from "./lists.js";
import { versionForm } from "./money_version.js";

const LOCAL = "local"; // `tariff_id` of the box's own
const NEW = "new"; // no version's id: those are hex
const CLASSES = ["small", "medium", "large"];
const STAY_MS = 7_200_000; // what the calculator begins with
const LOT_TIME = new Intl.DateTimeFormat("sv-SE", { timeZone: "Asia/Shanghai", dateStyle: "short", timeStyle: "short" });

let question = 0;

export async function showTariffs(root) {
  const mine = ++question;
  root.replaceChildren(el("p", "soft", word("searching")));
  let nodes = null;
  try {
    const { rows } = await get("/api/money/tariffs");
    nodes = [el("div", "columns", block("tariffs", word("bill_tariff"), el("ol", "plain rows", ...rows.map(makeTariff))), block("calculator", word("calculator"), calculator(rows, () => showTariffs(root))))];
  } catch (problem) {
    nodes = [trouble(problem)];
  }
  if (mine === question && root.isConnected) root.replaceChildren(...nodes);
}

const nameOf = (tariff) => (tariff.tariff_id === LOCAL ? word("own_tariff") : tariff.name || tariff.tariff_id);

function makeTariff(tariff) {
  const notes = [tariff.city ? word(tariff.city) : "", tariff.car_type, word("leave_within", tariff.leave_min), tariff.who ? word("set_by", tariff.who) : "", tariff.cars ? word("tariff_cars", tariff.cars) : ""];
  const node = el("li", "row holder", el("strong", "row-plate", nameOf(tariff)), el("span", "row-state", word(tariff.in_force ? "in_force" : "not_in_force")),
    el("span", "found-words", said(tariff)), el("span", "found-words soft", notes.filter(Boolean).join(" · ")));
  mark(node, "good", tariff.in_force);
  return node;
}

const lotTime = (ms) => LOT_TIME.format(ms).replace(" ", "T");
const instant = (text) => Date.parse(`${text.slice(0, 16)}:00+08:00`); // the lot's time, wherever the phone is

// With `NEW` chosen it prices a tariff that is written here, and may put it in force; `again` draws everything anew.
function calculator(rows, again) {
  const now = Date.now();
  const own = rows.find((tariff) => tariff.tariff_id === LOCAL && tariff.in_force);
  const draft = allowed("tariff_version") && own ? versionForm(own) : null;
  const known = rows.map((tariff) => [tariff.version, `${nameOf(tariff)} (${word(tariff.in_force ? "in_force" : "not_in_force")})`]);
  const version = select("version", draft ? [...known, [NEW, word("new_version")]] : known, rows[0]?.version);
  const vehicle = select("vehicle", [["", word("class_any")], ...CLASSES.map((name) => [name, word(`class_${name}`)])], "");
  const began = input("began", { type: "datetime-local", required: true, value: lotTime(now - STAY_MS) });
  const until = input("until", { type: "datetime-local", required: true, value: lotTime(now) });
  const answer = answerPlace();
  const result = el("div");
  result.id = "price";
  result.setAttribute("aria-live", "polite");
  const enforce = button(word("put_in_force"), () => openAction("tariff_version", draft.members(), word("own_tariff"), again), "");
  enforce.dataset.action = "tariff_version";
  const shown = () => {
    for (const node of [draft?.node, enforce]) if (node) node.hidden = version.value !== NEW;
  };
  version.addEventListener("change", shown);
  shown();
  const form = el("form", "", field(word("bill_tariff"), version), ...(draft ? [draft.node] : []), field(word("calc_class"), vehicle), field(word("calc_entry"), began),
    field(word("calc_exit"), until), el("div", "buttons", button(word("calculate"), null, "primary"), enforce), answer, result);
  form.noValidate = true; // the box says what is wrong, in the page's language
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    once(form, async () => {
      answer.hidden = true;
      result.replaceChildren();
      const [from, to] = [instant(began.value), instant(until.value)];
      if (Number.isNaN(from) || Number.isNaN(to)) {
        showAnswer(answer, { ok: false, zh: word("calc_times"), en: word("calc_times") });
        return;
      }
      try {
        const visit = { vehicle: vehicle.value, began_ms: from, until_ms: to };
        result.replaceChildren(...draw(await (version.value === NEW ? post("/api/money/try", { param: draft.members().param, ...visit })
          : get("/api/money/price", { version: version.value, ...visit }))));
      } catch (problem) {
        if (!(problem instanceof Problem)) throw problem;
        showAnswer(answer, problem);
      }
    });
  });
  return form;
}

function draw(price) {
  const steps = price.steps.map((step) => el("div", "", el("dt", "", said(step)), el("dd", "fen", yuan(step.fen))));
  const sum = el("div", "sum", el("dt", "", `${word("sum")} · ${word("stayed", stay(price.parked_ms))}`), el("dd", "fen", yuan(price.fen)));
  return [el("dl", "price", ...steps, sum)];
}
