// The machine: clock, disk, card wear, temperature, memory, programs, versions. Asked for when the part is opened.

import { get } from "./api.js";
import { el } from "./dom.js";
import { button, facts } from "./forms.js";
import { clock, said, size, stay, word } from "./language.js";
import { trouble } from "./lists.js";

// A Raspberry Pi slows down at 80 degrees (its documentation: "temperature limit").
const HOT_C = 80;
const WARM_C = 70;
const UNKNOWN_C = -273;
const DISK_LOW = 0.1; // a tenth of the card left: pictures begin to go soon
const WORN_PCT = 80; // eMMC life: time to order a new one

export function drawHealth() {
  const place = el("div");
  place.setAttribute("aria-live", "polite");
  load(place);
  return place;
}

async function load(place) {
  const again = button(word("refresh"), () => load(place), "small");
  try {
    place.replaceChildren(facts(rows(await get("/api/system"))), el("p", "buttons foot", again));
  } catch (problem) {
    place.replaceChildren(trouble(problem), el("p", "buttons foot", again));
  }
}

function rows(view) {
  const { disk } = view;
  const warmth = view.temperature_c <= UNKNOWN_C ? word("not_known") : `${view.temperature_c.toFixed(1)} °C`;
  const wear = [said(disk, "wear_"), disk.written_bytes >= 0 ? word("written", size(disk.written_bytes)) : ""].filter(Boolean).join(" · ");
  return [
    [word("clock_row"), `${clock(view.now_ms, Date.now())} · ${said(view, "clock_")}`, view.clock_true ? "ok" : "notice"],
    [word("up_for"), stay(view.up_s * 1000)],
    [word("temperature"), warmth, view.temperature_c >= HOT_C ? "fault" : view.temperature_c >= WARM_C ? "notice" : ""],
    [word("disk_free"), word("of", size(disk.free_bytes), size(disk.total_bytes)), disk.free_bytes < disk.total_bytes * DISK_LOW ? "notice" : ""],
    [word("card_wear"), wear, disk.wear_pct >= WORN_PCT ? "notice" : ""],
    [word("memory_free"), word("of", size(view.memory_free_bytes), size(view.memory_bytes))],
    [word("load"), view.load.toFixed(2)],
    ...view.programs.map((one) => [word(`choice_${one.name}`), `${word(one.up ? "runs" : "down")} · ${one.version} · ${size(one.rss_bytes)}`, one.up ? "ok" : "fault"]),
    ...Object.entries(view.versions),
  ];
}
