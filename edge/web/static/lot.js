// The lanes by name, and devices in words: "in1/arrival" is what the box calls the arrival loop of 东门入口.

import { said, word } from "./language.js";
import { WORDS } from "./words.js";

let names = new Map();

export const tellLanes = (lanes) => { names = new Map(lanes.map((lane) => [lane.id, lane.name])); };
export const laneOptions = () => [...names];
export const laneName = (id) => names.get(id) ?? id;

const known = (part) => (Object.hasOwn(WORDS, `device_${part}`) ? word(`device_${part}`) : names.get(part) ?? part);

export const deviceName = (device) => device.split("/").map(known).join(" ");

// A car stands at the arm and is not admitted (as `WAITS` in edge/agent/desk.py).
const WAITS = ["wait_read", "wait_payment", "wait_stall", "wait_confirm", "refused"];
export const carWaits = (lane) => WAITS.includes(lane.state);

// A locked lane says so even while nobody stands there.
export const stateOf = (lane) => (lane.locked ? "locked" : lane.state);
export const stateWords = (lane) => (lane.locked ? word("locked") : said(lane, "state_"));

// The lane that a device belongs to, "" for the box's own.
export const laneOf = (device) => (names.has(device.split("/")[0]) ? device.split("/")[0] : "");
