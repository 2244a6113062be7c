// Aiming a camera: its last pictures with the plate's width in pixels, and which way to turn the lens.

import { getAutomatically } from "./api.js";
import { el, mark } from "./dom.js";
import { clock, word } from "./language.js";
import { trouble } from "./lists.js";
import { laneName } from "./lot.js";
import { noPicture, pictureButton } from "./picture.js";

// Qingdao B.1 rule 3: a plate is at least 100 px wide.
const PLATE_MIN_PX = 100;
const READS = 6;

let place = null;
let seen = ""; // the reads that were there when it was drawn

export function drawCameras() {
  place = el("div", "cameras");
  seen = "";
  return place;
}

// A new read at a lane, or its picture, which comes after it: the list is fetched anew.
export function freshReads(lanes, pictures) {
  const key = lanes.map((lane) => `${lane.last_read_id} ${pictures.includes(lane.last_read_id)}`).join();
  if (place === null || !place.isConnected || key === seen) return;
  seen = key;
  load();
}

async function load() {
  const mine = place;
  try {
    const rows = await getAutomatically("/api/cameras");
    mine.replaceChildren(...(rows.length ? rows.map(makeCamera) : [el("p", "soft", word("no_cameras"))]));
  } catch (problem) {
    mine.replaceChildren(trouble(problem));
  }
}

function makeCamera(camera) {
  const title = el("h3", "", `${camera.id} · ${laneName(camera.lane)}`);
  const about = el("p", "soft", [camera.vendor, ...camera.addresses].join(" · "));
  const reads = camera.reads.slice(0, READS).map((read) => makeRead(read));
  const node = el("div", "camera-row", title, about, verdict(camera.reads), reads.length ? el("ul", "plain shots", ...reads) : "");
  return node;
}

// One sentence that says whether the lens is right, from the reads whose width the camera told.
function verdict(reads) {
  const widths = reads.map((read) => read.plate_width_px).filter((px) => px >= 0);
  const narrow = widths.filter((px) => px < PLATE_MIN_PX).length;
  const words = reads.length === 0 ? word("aim_no_read") : widths.length === 0 ? word("aim_unknown")
    : narrow ? word("aim_narrow", narrow, widths.length) : word("aim_good", Math.min(...widths));
  const node = el("p", "aim", words);
  mark(node, "level", narrow || reads.length === 0 ? "notice" : "ok");
  return node;
}

function makeRead(read) {
  const width = read.plate_width_px < 0 ? word("width_unknown") : word("width_px", read.plate_width_px);
  const words = `${read.plate || word("no_plate")} · ${clock(read.at_ms, Date.now())}`;
  const shot = read.picture ? pictureButton(read.read_id, `${words} · ${width}`, word("picture_of", words), "thumb") : noPicture("thumb");
  const node = el("li", "shot", shot, el("span", "shot-plate", read.plate || word("no_plate")), el("span", "shot-width", width));
  mark(node, "narrow", read.plate_width_px >= 0 && read.plate_width_px < PLATE_MIN_PX);
  return node;
}
