// The application form (T/QME 0015-2024 Annex A.1): what the box knows is there, the rest is typed once.

import { actionFields, allowed, order } from "./actions.js";
import { el } from "./dom.js";
import { answerPlace, button, facts, field, input, once, select, showAnswer, showBusy } from "./forms.js";
import { said, word } from "./language.js";
import { WORDS } from "./words.js";

export function applicationForm(list, again) {
  const known = Object.entries(list.known).filter(([, value]) => value !== "");
  const shown = facts(known.map(([name, value]) => [Object.hasOwn(WORDS, `known_${name}`) ? word(`known_${name}`) : name, value]));
  const fields = actionFields("commission_form");
  if (!allowed("commission_form")) {
    return el("div", "", shown, facts(fields.map((one) => [said(one), list.form[one.name] || "–"])));
  }
  const controls = fields.map((one) => {
    const present = list.form[one.name] ?? "";
    const node = one.kind === "choice"
      ? select(one.name, one.choices.map((choice) => [choice, choice || "–"]), present)
      : input(one.name, { maxLength: one.max_length || 200, value: present, type: one.name === "filed_on" ? "date" : "text" });
    return { name: one.name, node, row: field(said(one), node) };
  });
  const answer = answerPlace();
  const form = el("form", "application", ...controls.map((one) => one.row), button(word("save"), null, "primary"), answer);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    once(form, async () => {
      showBusy(answer);
      const result = await order("commission_form", Object.fromEntries(controls.map((one) => [one.name, one.node.value.trim()])));
      showAnswer(answer, result);
      if (result.ok) await again();
    });
  });
  return el("div", "", shown, form);
}
