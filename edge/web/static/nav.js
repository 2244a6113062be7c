// Which part of the page is seen: the tabs, and the address behind the # (so that back and reload work).
//
// A part other than the first is a module of its own, fetched when it is first opened: the phone at the lane
// loads what it needs to see the lanes, and nothing more.

import { byId, el, say, svg } from "./dom.js";
import { word } from "./language.js";

const ICONS = {
  now: "M3 20V9h4v11M7 13 21 6M3 20h18",
  records: "M6 3h12v18H6zM9 8h6M9 12h6M9 16h4",
  money: "M3 6h18v12H3zM12 9a3 3 0 1 0 0 6a3 3 0 0 0 0-6M6 9v6M18 9v6",
  box: "M4 6h16v12H4zM8 3v3M16 3v3M8 18v3M16 18v3M8 10h8v4H8z",
  setup: "M4 6h3l1 1 2-3M4 13h3l1 1 2-3M4 20h3l1 1 2-3M13 6h7M13 13h7M13 20h7",
  admin: "M12 8a4 4 0 1 0 0 8a4 4 0 0 0 0-8M12 2v4M12 18v4M2 12h4M18 12h4M5 5l3 3M16 16l3 3M19 5l-3 3M8 16l-3 3",
};
const PARTS = {
  now: null,
  records: () => import("./records.js"),
  money: () => import("./money.js"),
  box: () => import("./box.js"),
  setup: () => import("./setup.js"),
  admin: () => import("./admin.js"),
};

let shown = ""; // the part that is seen
let module = null; // and its module, null for the first part
let newest = null; // the newest state, for a part that is opened later
let asked = 0; // a module that arrives after another part was opened is not shown

export const part = () => shown;

// After login: every part is for everybody, what is in it depends on the role.
export function openNav() {
  byId("tabs").hidden = false;
  byId("tabs").replaceChildren(...Object.keys(PARTS).map(makeTab));
  speakNav();
  go();
}

export function closeNav() {
  byId("tabs").hidden = true;
  newest = null;
  leave();
  for (const name of Object.keys(PARTS)) byId(`view-${name}`).hidden = true;
  for (const name of Object.keys(PARTS).slice(1)) byId(`view-${name}`).replaceChildren();
}

export function speakNav() {
  byId("tabs").setAttribute("aria-label", word("parts"));
  for (const tab of byId("tabs").children) say(tab.lastElementChild, word(`tab_${tab.dataset.part}`));
}

// The open part is drawn anew (another language).
export function redraw() {
  module?.show(byId(`view-${shown}`), argument());
  if (newest) module?.live?.(newest.state, newest.nowMs);
}

// New state came over the line: a part that shows live things takes it.
export function tellPart(state, nowMs) {
  newest = { state, nowMs };
  module?.live?.(state, nowMs);
}

function makeTab(name) {
  const icon = svg("svg", { viewBox: "0 0 24 24", "aria-hidden": "true" }, svg("path", { d: ICONS[name] }));
  const tab = el("a", "tab", icon, el("span"));
  tab.href = `#${name}`;
  tab.dataset.part = name;
  return tab;
}

const argument = () => decodeURIComponent(location.hash.split("/").slice(1).join("/"));

function leave() {
  module?.hide?.();
  module = null;
  shown = "";
  asked += 1;
}

async function go() {
  if (byId("tabs").hidden) return;
  const wanted = location.hash.slice(1).split("/")[0];
  const name = Object.hasOwn(PARTS, wanted) ? wanted : "now";
  if (name === shown) {
    redraw();
    return;
  }
  leave();
  const mine = asked;
  shown = name;
  for (const each of Object.keys(PARTS)) byId(`view-${each}`).hidden = each !== name;
  for (const tab of byId("tabs").children) {
    if (tab.dataset.part === name) tab.setAttribute("aria-current", "page");
    else tab.removeAttribute("aria-current");
  }
  window.scrollTo(0, 0);
  if (PARTS[name] === null) return;
  const loaded = await PARTS[name]();
  if (mine !== asked) return;
  module = loaded;
  redraw();
}

window.addEventListener("hashchange", go);
