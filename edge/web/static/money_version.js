// A new version of the box's own tariff: its usual numbers as fields, all of it as the text that the box reads.

import { fen } from "./actions.js";
import { el } from "./dom.js";
import { field, input } from "./forms.js";
import { word } from "./language.js";

// Where each number stands in the text, and its unit. Those of a unit only where one price holds all day.
const NUMBERS = [
  ["free_min", (plan) => plan, "min"], ["first_min", (plan) => plan, "min"], ["first_fen", (plan) => plan, "fen"],
  ["unit_min", (plan) => plan.rates[0], "min"], ["unit_fen", (plan) => plan.rates[0], "fen"], ["day_cap_fen", (plan) => plan, "fen"],
];

// `node` to show; `members()` are those of the order: what stands there now.
export function versionForm(own) {
  const plan = JSON.parse(own.param);
  const text = el("textarea", "param");
  text.name = "param";
  text.rows = 8;
  text.spellcheck = false;
  text.value = JSON.stringify(plan, null, 1);
  const usual = plan.rates.length === 1 ? NUMBERS : NUMBERS.filter(([name]) => !name.startsWith("unit"));
  const fields = usual.map(([name, place, unit]) => {
    const value = place(plan)[name];
    const node = unit === "fen"
      ? input(name, { inputMode: "decimal", pattern: "\\d{1,5}([.]\\d{1,2})?", required: true, value: (value / 100).toFixed(2) })
      : input(name, { inputMode: "numeric", pattern: "\\d{1,5}", required: true, value: String(value) });
    node.addEventListener("input", () => {
      if (!node.checkValidity()) return;
      try {
        const now = JSON.parse(text.value);
        place(now)[name] = unit === "fen" ? fen(node.value) : Number(node.value);
        text.value = JSON.stringify(now, null, 1);
      } catch (error) {
        if (!(error instanceof SyntaxError || error instanceof TypeError)) throw error; // typed by hand and not whole: the box says what is wrong
      }
    });
    return field(unit === "fen" ? `${word(`version_${name}`)} (¥)` : word(`version_${name}`), node);
  });
  const leave = input("leave_min", { inputMode: "numeric", pattern: "\\d{1,4}", required: true, value: String(own.leave_min) });
  const node = el("div", "version", ...fields, field(word("version_leave_min"), leave), field(word("version_param"), text, word("version_hint")));
  return { node, members: () => ({ param: text.value, leave_min: Number(leave.value) }) };
}
