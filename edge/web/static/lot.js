// The lanes by name, and devices in words: "in1/arrival" is what the box calls the arrival loop of 东门入口.

import { isEnglish, said, word } from "./language.js";
import { WORDS } from "./words.js";

let names = new Map();
let lanes = [];

export const tellLanes = (told) => {
  lanes = told;
  names = new Map(lanes.map((lane) => [lane.id, lane.name]));
};
export const laneOptions = () => [...names];
export const laneName = (id) => names.get(id) ?? id;

// What an order for the car at the arm names it by. `car`: the lane of the state, or the car of the exit desk.
export const meant = (lane, car) => ({ lane, arrival_id: car.arrival_id, seen_plate: car.plate, order_id: car.order_id });

// The lane as it is now, when another car stands there than the one that the order names; else undefined.
export const otherCar = (order) => lanes.find((lane) => lane.id === order.lane &&
  Object.entries(meant(lane.id, lane)).some(([name, value]) => name in order && value !== order[name]));

// Refused master data: the interface stands where a fault has its device.
const TOLD = {
  parkininfo: "车场信息", equipinfo: "设备信息", standardinfo: "收费标准", cardtypeinfo: "套餐", monthstandardinfo: "套餐价格",
  3001: "车场信息", 3002: "出入口", 3005: "收费标准",
};

const known = (part) =>
  Object.hasOwn(WORDS, `device_${part}`) ? word(`device_${part}`) : names.get(part) ?? (!isEnglish() && Object.hasOwn(TOLD, part) ? `${TOLD[part]} ${part}` : part);

export const deviceName = (device) => device.split("/").map(known).join(" ");

// A car stands at the arm and is not admitted (as `WAITS` in edge/core/lane_orders.py).
const WAITS = ["wait_read", "wait_payment", "wait_stall", "wait_confirm", "refused"];
export const carWaits = (lane) => WAITS.includes(lane.state);

// A locked lane says so even while nobody stands there.
export const stateOf = (lane) => (lane.locked ? "locked" : lane.state);
export const stateWords = (lane) => (lane.locked ? word("locked") : said(lane, "state_"));

// The lane that a device belongs to, "" for the box's own.
export const laneOf = (device) => (names.has(device.split("/")[0]) ? device.split("/")[0] : "");
