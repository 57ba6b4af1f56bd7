// The brush that mends the disparity: strokes on the picture, by mouse, pen, finger or keyboard.
import { command } from "./api.js";
import { byId, el, svg } from "./element.js";
import { stop } from "./player.js";
import { changed, clamp, clip, store, watch } from "./store.js";

const TOOLS = [
  ["nearer", "Nearer", "Bring what you paint nearer"],
  ["farther", "Farther", "Move what you paint farther away"],
  ["same", "Same as here", "Give all of the stroke the depth of the place where you press"],
  ["smooth", "Smooth", "Even out bumps and noise"],
  ["front", "Edge: front", "What you paint belongs to the nearest thing under the brush, such as hair to a head"],
  ["back", "Edge: back", "What you paint belongs to the farthest thing under the brush"],
];
const SIZES = [0.004, 0.25], STEP = 1.25, MOST_POINTS = 400;

const stage = byId("stage"), view = byId("view"), row = byId("brush-row"), ring = byId("brush-ring"), line = byId("brush-line");
const brush = { isOn: false, tool: "nearer", radius: 0.04, strength: 0.5 };
let points = null, pointer = null;

export const isBrushing = () => brush.isOn;

export function toggleBrush() {
  brush.isOn = !brush.isOn;
  points = null;
  if (brush.isOn) {
    stop();
    if (store.view === "source") store.view = "result";
  }
  changed();
}

/** Larger (1) or smaller (-1). */
export function resize(way) {
  brush.radius = clamp(brush.radius * STEP ** way, ...SIZES);
  changed();
}

/** A touch of the brush at a point. */
export const dab = (x, y) => paint([[x, y]]);

function paint(way) {
  const step = Math.ceil(way.length / MOST_POINTS);
  const kept = way.filter((_, number) => number % step === 0 || number === way.length - 1);
  return command("paint", {
    frame: store.frame, tool: brush.tool, radius: Number(brush.radius.toFixed(4)), strength: brush.strength, softness: 0.5,
    points: kept.map((point) => point.map((value) => Number(clamp(value, 0, 1).toFixed(4)))),
  });
}

// ---- drawing -----------------------------------------------------------------------------------------------------
function draw() {
  const now = clip();
  if (!now) return;
  if (store.isPlaying) brush.isOn = false;
  byId("brush").setAttribute("aria-pressed", String(brush.isOn));
  row.hidden = !brush.isOn;
  stage.classList.toggle("is-brushing", brush.isOn);
  for (const input of row.querySelectorAll("[name=brush-tool]")) input.checked = input.value === brush.tool;
  byId("brush-about").textContent = TOOLS.find(([name]) => name === brush.tool)[2];
  if (document.activeElement !== byId("brush-size")) byId("brush-size").value = Math.log(brush.radius);
  const here = now.strokes.filter(([frame]) => frame === store.frame).length;
  byId("brush-wipe").hidden = !here;
  byId("brush-wipe").textContent = here === 1 ? "Remove the stroke of this frame" : `Remove the ${here} strokes of this frame`;
  if (!brush.isOn) ring.hidden = true;
  const [width, height] = [now.width, now.height], long = Math.max(width, height);
  ring.style.width = `${200 * brush.radius * long / width}%`;
  ring.style.height = `${200 * brush.radius * long / height}%`;
  line.setAttribute("viewBox", `0 0 ${width} ${height}`);
}

function drawLine() {
  const now = clip(), long = Math.max(now.width, now.height);
  const way = points && points.map(([x, y]) => `${x * now.width},${y * now.height}`);
  if (way && way.length === 1) way.push(way[0]);
  line.replaceChildren(...(way ? [svg("polyline", { points: way.join(" "), "stroke-width": 2 * brush.radius * long })] : []));
}

// ---- pointer -----------------------------------------------------------------------------------------------------
function at(event) {
  const area = byId("picture").getBoundingClientRect();
  return [(event.clientX - area.left) / area.width, (event.clientY - area.top) / area.height];
}

function moveRing(event) {
  const [x, y] = at(event);
  ring.hidden = !(x >= 0 && x <= 1 && y >= 0 && y <= 1);
  ring.style.left = `${100 * x}%`;
  ring.style.top = `${100 * y}%`;
}

const HANDS = {
  pointerdown(event) {
    if (pointer !== null || event.button > 0) return;
    const place = at(event);
    if (place.some((value) => value < 0 || value > 1)) return;
    event.preventDefault();
    pointer = event.pointerId;
    stage.setPointerCapture(pointer);
    points = [place];
    moveRing(event);
    drawLine();
  },
  pointermove(event) {
    moveRing(event);
    if (event.pointerId !== pointer || !points) return;
    const place = at(event), last = points.at(-1);
    if (Math.hypot(place[0] - last[0], place[1] - last[1]) < brush.radius / 8) return;
    points.push(place);
    drawLine();
  },
  async pointerup(event) {
    if (event.pointerId !== pointer || !points) return;
    const way = points;
    pointer = points = null;
    await paint(way);
    if (!points) drawLine();
  },
  pointercancel() { pointer = points = null; drawLine(); },
  click() {},  // focuses on nothing
};

// Before the stage itself hears them.
for (const [kind, act] of Object.entries(HANDS)) {
  stage.addEventListener(kind, (event) => {
    if (!brush.isOn || !clip() || event.target.closest("#edge")) return;
    event.stopImmediatePropagation();
    act(event);
  }, { capture: true });
}
stage.addEventListener("pointerleave", () => { if (pointer === null) ring.hidden = true; });

// ---- controls ----------------------------------------------------------------------------------------------------
byId("brush").addEventListener("click", toggleBrush);
byId("brush-tools").append(...TOOLS.map(([name, label, about]) => {
  const input = el("input", { type: "radio", name: "brush-tool", value: name });
  input.addEventListener("change", () => { brush.tool = name; changed(); });
  return el("label", { title: about }, input, label);
}));
const size = byId("brush-size"), strength = byId("brush-strength");
[size.min, size.max] = SIZES.map(Math.log);
size.addEventListener("input", () => { brush.radius = clamp(Math.exp(Number(size.value)), ...SIZES); changed(); });
strength.addEventListener("input", () => { brush.strength = Number(strength.value) / 100; changed(); });
byId("brush-wipe").addEventListener("click", () => command("wipe", { frame: store.frame }));

watch(draw);
