// The drawing of one lane from the side. Entries run to the right; exits are the mirror image.
//
//        x=34        130   166         266  286
//         [ arrival loop ] [ safety loop ]  post, arm reaching back over the safety loop
//
// What nobody knows is drawn as unknown (hatched loop, dashed arm at both ends), never as the last known state.

import { mark, svg } from "./dom.js";

const WIDTH = 320;
const HEIGHT = 154;
const GROUND = 132;
const PIVOT = { x: 286, y: 101 }; // lane.css turns the arm about this point
const ARM = { x: PIVOT.x - 108, y: PIVOT.y - 4, width: 108, height: 8, rx: 4 };
const LOOPS = { arrival: { x: 34, width: 96 }, safety: { x: 166, width: 100 } };
// Where the car stands, as its left edge: on one loop, on the other, over both.
const CAR_AT = { arrival: 28, both: 96, safety: 162 };

const BODY = "M3 29C2 23 4 20 9 19L25 17C31 9 37 5 46 5H64C72 5 78 9 84 16L97 19C103 20 105 23 105 30L104 33H4Z";
const FRONT_WINDOW = "M58 9H64C70 9 75 12 79 17H58Z";
const REAR_WINDOW = "M54 9H47C40 9 35 12 31 17H54Z";

function car() {
  const wheel = (x) => svg("g", {},
    svg("circle", { class: "tyre", cx: x, cy: 33, r: 8 }), svg("circle", { class: "hub", cx: x, cy: 33, r: 3.2 }));
  return svg("g", { class: "car" },
    svg("path", { class: "car-body", d: BODY }), svg("path", { class: "car-glass", d: FRONT_WINDOW }),
    svg("path", { class: "car-glass", d: REAR_WINDOW }), svg("rect", { class: "car-lamp", x: 99, y: 22, width: 5, height: 4, rx: 1.5 }),
    wheel(25), wheel(84));
}

function loop(name) {
  const { x, width } = LOOPS[name];
  const box = { x, y: GROUND + 5, width, height: 11, rx: 3 };
  return svg("g", { class: `loop loop-${name}` },
    svg("rect", { class: "loop-field", ...box }), svg("rect", { class: "loop-hatch", ...box, fill: "url(#hatch)" }),
    svg("rect", { class: "loop-edge", ...box }));
}

function arm() {
  const bands = [16, 43, 70].map((x) =>
    svg("rect", { class: "arm-band", x: ARM.x + x, y: ARM.y + 1, width: 14, height: ARM.height - 2 }));
  return svg("g", { class: "arm" }, svg("rect", { class: "arm-bar", ...ARM }), ...bands);
}

function ghost(className) {
  return svg("rect", { class: `ghost ${className}`, ...ARM });
}

// Two lamps in the post: upper limit switch, lower limit switch. Lit: made; hollow: not; hatched: nobody knows.
function limit(name, y) {
  const box = { x: 280, y, width: 12, height: 7, rx: 2 };
  return svg("g", { class: `limit limit-${name}` },
    svg("rect", { class: "limit-lamp", ...box }), svg("rect", { class: "limit-hatch", ...box, fill: "url(#hatch)" }));
}

function post() {
  return svg("g", { class: "post" },
    svg("rect", { class: "post-box", x: 274, y: GROUND - 44, width: 24, height: 44, rx: 4 }),
    svg("circle", { class: "pivot", cx: PIVOT.x, cy: PIVOT.y, r: 5.5 }), limit("up", GROUND - 22), limit("down", GROUND - 12));
}

// The camera on its pole, looking back at the car on the arrival loop; its beam shows while it is asked.
function camera() {
  return svg("g", { class: "camera" },
    svg("path", { class: "camera-beam", d: "M146 60L40 108L40 128L132 128Z" }),
    svg("path", { class: "camera-pole", d: `M152 ${GROUND}V56` }),
    svg("path", { class: "camera-body", d: "M138 50h20a3 3 0 0 1 3 3v8a3 3 0 0 1-3 3h-20a3 3 0 0 1-3-3v-8a3 3 0 0 1 3-3z" }),
    svg("circle", { class: "camera-eye", cx: 139, cy: 57, r: 3 }));
}

export function makeScene(direction) {
  const mirrored = direction === "out";
  const flow = [138, 146, 154].map((x) => svg("path", { class: "flow", d: `M${x} ${GROUND + 7}l4 3.5l-4 3.5` }));
  const world = svg("g", mirrored ? { transform: `translate(${WIDTH} 0) scale(-1 1)` } : {},
    svg("rect", { class: "road", x: 0, y: GROUND, width: WIDTH, height: 22 }),
    loop("arrival"), loop("safety"), ...flow,
    svg("path", { class: "kerb", d: `M0 ${GROUND}H${WIDTH}` }),
    svg("path", { class: "sweep", d: "M182 76A107 107 0 0 1 246 2" }),
    camera(), ghost("ghost-down"), ghost("ghost-up"), car(), arm(), post());
  return svg("svg", { class: "scene", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img" }, world);
}

const loopName = (value) => (value === null ? "unknown" : String(value));

export function showScene(scene, lane, description) {
  mark(scene, "arm", lane.arm);
  mark(scene, "asked", lane.arm_asked);
  mark(scene, "arrival", loopName(lane.arrival));
  mark(scene, "safety", loopName(lane.safety));
  mark(scene, "reading", lane.state === "WAIT_READ");
  showCar(scene, lane);
  if (scene.getAttribute("aria-label") !== description) scene.setAttribute("aria-label", description);
}

function showCar(scene, lane) {
  const place = lane.arrival && lane.safety ? "both" : lane.arrival ? "arrival" : lane.safety ? "safety" : "none";
  if (scene.dataset.car === place) return;
  const node = scene.querySelector(".car");
  const appears = (scene.dataset.car ?? "none") === "none";
  scene.dataset.car = place;
  if (place === "none") return; // fades where it was
  node.classList.toggle("jump", appears); // a new car must not slide in from where the last one left
  node.style.transform = `translate(${CAR_AT[place]}px, ${GROUND - 41}px)`;
  node.getBoundingClientRect(); // the place is taken before transitions are back
  node.classList.remove("jump");
}
