// What a person may order: the box's own table of actions becomes buttons and sheets.
//
// A sheet has the fields that are not known already, a reason to press or to type, and the answer in the box's words.

import { get, newId, post, Problem } from "./api.js";
import { el, say } from "./dom.js";
import { answerPlace, button, field, input, once, select, showAnswer, showBusy } from "./forms.js";
import { said, word } from "./language.js";
import { laneOptions, otherCar } from "./lot.js";
import { plateField } from "./plate.js";
import { openSheet, watchFromSheet } from "./sheet.js";
import { WORDS } from "./words.js";

// Kinds that nobody types: they are known from where the button stands.
const KNOWN_ONLY = ["ids", "hex", "known"];

let table = new Map();

export async function loadActions() {
  table = new Map((await get("/api/actions")).map((action) => [action.name, action]));
}

export const allowed = (name) => table.get(name)?.allowed === true;
export const actionsOf = (group) => [...table.values()].filter((action) => action.group === group && action.allowed);
export const actionFields = (name) => table.get(name)?.fields ?? [];
export const actionName = (name) => said(table.get(name) ?? { zh: name, en: name });

// A button that opens the action's sheet; null when this person may not.
export function actionButton(name, preset, { label = "", className = "", note = "", confirm = "", done = () => {} } = {}) {
  if (!allowed(name)) return null;
  const made = button(label || actionName(name), () => openAction(name, { ...preset }, note, done, confirm), className);
  made.dataset.action = name;
  return made;
}

// `preset`: members that are known, those that this action has not are left out; with an arrival it is about that car,
// and the sheet ends when another one stands there. `note`: what it is about, in words. `confirm`: what the press will do, "" is the
// action's name; or made of what stands in the fields. `done(result)` after a success.
export function openAction(name, preset = {}, note = "", done = () => {}, confirm = "") {
  const action = table.get(name);
  const known = Object.fromEntries(Object.entries(preset).filter(([each]) => action.fields.some((one) => one.name === each)));
  const answer = answerPlace();
  const controls = action.fields.filter((one) => !(one.name in preset) && !KNOWN_ONLY.includes(one.kind))
    .map((one) => ({ name: one.name, ...control(one, action) }));
  let confirmed = {}; // the box has asked whether it is meant
  const told = () => (typeof confirm === "function" ? confirm(values(controls)) : confirm || said(action));
  const submit = button(told(), null, "primary");
  const form = el("form", "", ...controls.map((one) => one.node), el("div", "buttons", submit));
  const about = [note, said(action, "warn_")].filter(Boolean).map((text) => el("p", "sheet-note", text));
  let id = newId();
  let ended = false;
  form.addEventListener("input", () => { if (!confirmed.confirmed) say(submit, told()); });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    once(form, async () => {
      showBusy(answer);
      const result = await order(name, { ...known, ...values(controls), ...confirmed, ...withId(action, id) });
      showAnswer(answer, result);
      if (result.ask) {
        confirmed = { confirmed: true };
        say(submit, word("all_the_same", said(action)));
      }
      answer.append(...extras(result));
      if (result.code === "offline") return; // nobody knows whether it was done: the same id again is safe
      id = newId();
      if (!result.ok) return;
      ended = true;
      form.replaceChildren();
      done(result);
    });
  });
  openSheet(said(action), ...about, form, answer);
  if (known.arrival_id) watchFromSheet(() => {
    const lane = ended || form.dataset.busy ? undefined : otherCar(known);
    if (!lane) return;
    ended = true;
    form.replaceChildren();
    const words = word("other_car", known.seen_plate || word("no_plate"), lane.arrival_id ? lane.plate || word("no_plate") : word("nobody"));
    showAnswer(answer, { ok: false, zh: words });
  });
}

// Also for what needs no sheet (check a link): the result or the problem, both with `ok`, `zh`, `en`.
export async function order(name, body) {
  try {
    return await post(`/api/actions/${name}`, body);
  } catch (problem) {
    if (problem instanceof Problem) return problem;
    throw problem;
  }
}

// Orders (those with a reason) take an id: the same one twice is carried out once.
const withId = (action, id) => (action.fields.some((one) => one.name === "why") ? { command_id: id } : {});

const values = (controls) => Object.fromEntries(controls.map((one) => [one.name, one.value()]).filter(([, value]) => value !== undefined));

function extras(result) {
  const issues = (result.issues ?? []).map((issue) => el("span", "issue", `${issue.path}: ${said(issue)} (${issue.value})`));
  return result.password ? [el("span", "secret", result.password), el("span", "field-hint", word("password_once")), ...issues] : issues;
}

// --- one field -----------------------------------------------------------------------------------------------

function control(one, action) {
  const label = said(one);
  const maxLength = one.max_length || 200;
  if (one.name === "why") return reason(label, one, action);
  if (one.kind === "lane") return picked(label, one, laneOptions());
  if (one.kind === "choice") return picked(label, one, one.choices.map((choice) => [choice, word(`choice_${choice}`)]));
  if (one.kind === "plate") return plateField(label, one);
  if (one.kind === "bool") {
    const box = input(one.name, { type: "checkbox" });
    const text = el("label", "check", box, label);
    return { node: el("div", "field", text), value: () => box.checked };
  }
  if (one.kind === "fen") {
    const money = input(one.name, { inputMode: "decimal", pattern: "\\d{1,5}([.]\\d{1,2})?", required: one.required });
    return { node: field(`${label} (¥)`, money), value: () => (money.value ? fen(money.value) : undefined) };
  }
  if (one.kind === "count") {
    const count = input(one.name, { inputMode: "numeric", pattern: "\\d{1,6}", required: one.required });
    return { node: field(label, count), value: () => (count.value ? Number(count.value) : undefined) };
  }
  if (one.kind === "day") {
    const day = input(one.name, { type: "date", required: one.required });
    return { node: field(label, day), value: () => day.value || undefined };
  }
  const text = input(one.name, { maxLength, required: one.required, autocapitalize: "none" });
  return { node: field(label, text), value: () => text.value.trim() || undefined };
}

function picked(label, one, options) {
  const node = select(one.name, one.required ? options : [["", "–"], ...options], options[0]?.[0]);
  return { node: field(label, node), value: () => node.value || undefined };
}

// Wet fingers type badly: the usual reasons are pressed, a rare one is typed.
function reason(label, one, action) {
  const text = input("why", { maxLength: one.max_length || 200, required: one.required, value: "" });
  const chips = word(Object.hasOwn(WORDS, `reasons_${action.name}`) ? `reasons_${action.name}` : `reasons_${action.group}`).split("|").map((words) => {
    const chip = button(words, () => {
      text.value = words;
      mark();
    }, "");
    chip.className = "chip-button";
    return chip;
  });
  const mark = () => chips.forEach((chip) => chip.setAttribute("aria-pressed", String(chip.textContent === text.value)));
  text.addEventListener("input", mark);
  mark();
  const group = el("div", "chips", ...chips);
  group.setAttribute("role", "group");
  group.setAttribute("aria-label", word("usual_reasons"));
  const node = field(label, text);
  node.insertBefore(group, text);
  return { node, value: () => text.value.trim() };
}

// "12.5" is 1250 fen: digits only, no floating point (the pattern has been checked by the form).
export function fen(text) {
  const [whole, part = ""] = text.split(".");
  return Number(whole) * 100 + Number(part.padEnd(2, "0"));
}

