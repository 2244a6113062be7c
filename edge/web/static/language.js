// Which language is spoken, and how words, money, sizes and times are written in it.

import { WORDS } from "./words.js";

const KEPT_AS = "parkbox-language";

let english = remembered() === "en";

export const isEnglish = () => english;

export function setEnglish(wanted) {
  english = wanted;
  try {
    localStorage.setItem(KEPT_AS, wanted ? "en" : "zh");
  } catch {
    // A browser that forbids storage: the choice lasts until the page is closed.
  }
}

function remembered() {
  try {
    return localStorage.getItem(KEPT_AS);
  } catch {
    return null; // storage forbidden: Chinese first
  }
}

// A word of the page; {0}, {1} are filled in. A name that the page does not know stands for itself.
export function word(key, ...values) {
  const pair = Object.hasOwn(WORDS, key) ? WORDS[key] : [key, key];
  return pair[english ? 1 : 0].replace(/\{(\d)\}/g, (_, index) => String(values[index]));
}

// The `zh`/`en` pair that the box sends: `said(fault, "effect_")`.
export const said = (object, prefix = "") => (english && object[`${prefix}en`]) || object[`${prefix}zh`];

// What the box keeps as `中文 / English`, in the language that is spoken; anything else stands as it is.
export function spoken(text) {
  const parts = text.split(" / ");
  return parts.length === 2 ? parts[english ? 1 : 0] : text;
}

const CLOCK = new Intl.DateTimeFormat("en-GB", {
  timeZone: "Asia/Shanghai", hour: "2-digit", minute: "2-digit", second: "2-digit",
});
const DAY = new Intl.DateTimeFormat("sv-SE", { timeZone: "Asia/Shanghai" });

// The lot's time of day, whatever zone the phone is in; with the date when that is another day than `nowMs`.
export function clock(ms, nowMs = ms) {
  const day = DAY.format(ms);
  return day === DAY.format(nowMs) ? CLOCK.format(ms) : `${day.slice(5)} ${CLOCK.format(ms)}`;
}

export function ago(ms, nowMs) {
  const seconds = Math.max(0, Math.round((nowMs - ms) / 1000));
  if (seconds < 60) return word("second_ago", seconds);
  if (seconds < 3600) return word("minute_ago", Math.floor(seconds / 60));
  return word("hour_ago", Math.floor(seconds / 3600));
}

// The same with the day, to the minute: for spans of days.
export const minute = (ms) => `${DAY.format(ms)} ${CLOCK.format(ms).slice(0, 5)}`;

// Integer fen to yuan without floating point.
export function yuan(fen) {
  const cents = String(Math.abs(fen) % 100).padStart(2, "0");
  return `${fen < 0 ? "-" : ""}¥${Math.trunc(Math.abs(fen) / 100)}.${cents}`;
}

// How long somebody stayed: days, hours and minutes, as a guard says it.
export function stay(ms) {
  const minutes = Math.max(0, Math.floor(ms / 60_000));
  if (minutes < 60) return word("stay_minutes", minutes);
  if (minutes < 1440) return word("stay_hours", Math.floor(minutes / 60), minutes % 60);
  return word("stay_days", Math.floor(minutes / 1440), Math.floor((minutes % 1440) / 60));
}

// Decimal units, as on the card's label.
export function size(bytes) {
  if (bytes < 0) return word("not_known");
  const [unit, name] = bytes >= 1e9 ? [1e9, "GB"] : bytes >= 1e6 ? [1e6, "MB"] : [1e3, "kB"];
  return `${(bytes / unit).toFixed(bytes >= 100 * unit ? 0 : 1)} ${name}`;
}
