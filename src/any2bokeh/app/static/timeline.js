// The timeline: the focus over time, keyframes that can be dragged, and the playhead.
import { command } from "./api.js";
import { byId, el, svg } from "./element.js";
import { go, step } from "./place.js";
import { clamp, clip, store, watch } from "./store.js";

const timeline = byId("timeline"), scrub = byId("scrub");
const STEPS_S = [0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600];

const place = (frame) => (clip().frames > 1 ? 100 * frame / (clip().frames - 1) : 0);

function draw() {
  const now = clip();
  if (!now) return;
  byId("head").style.left = `${place(store.frame)}%`;
  const seconds = (store.frame / now.fps).toFixed(2);
  scrub.max = now.frames - 1;
  scrub.value = store.frame;
  scrub.style.setProperty("--share", `${place(store.frame)}%`);
  scrub.setAttribute("aria-valuetext", `frame ${store.frame} of ${now.frames - 1}, ${seconds} seconds`);
  byId("clock").textContent = `${seconds} s · frame ${store.frame} of ${now.frames - 1}`;
  drawStatus(now);
  const known = `${store.token}/${now.revision}/${JSON.stringify(now.finding)}/${now.frames}/${store.refusals}`;
  if (timeline.dataset.known === known) return;
  timeline.dataset.known = known;
  byId("graph").replaceChildren(...ticks(now), svg("path", { class: "st-track", d: line(now.focus) }));
  byId("keys").replaceChildren(...now.keyframes.map(key));
}

function ticks(now) {
  const length_s = now.frames / now.fps, step_s = STEPS_S.find((s) => length_s / s <= 12) || 1200;
  const made = [];
  for (let s = 0; s <= length_s; s += step_s) {
    const x = 1000 * s * now.fps / Math.max(1, now.frames - 1);
    if (x <= 1000) made.push(svg("path", { class: "st-tick", d: `M${x.toFixed(1)} 0V100` }));
  }
  return made;
}

function line(values) {
  let path = "", isDown = false;
  values.forEach((value, index) => {
    if (value === null) { isDown = false; return; }
    path += `${isDown ? "L" : "M"}${(1000 * index / Math.max(1, values.length - 1)).toFixed(1)} ${(96 - 92 * value).toFixed(2)}`;
    isDown = true;
  });
  return path;
}

function drawStatus(now) {
  const { stage, done, total, message, remarks } = now.finding, status = byId("status");
  const share = total ? `${Math.round(100 * done / total)}%` : "";
  const told = {
    estimating: `Estimating the disparity of the clip: ${share}`,
    following: `Following the subject: ${share}`,
    failed: message,
  }[stage] || "";
  const rough = now.depth_is_rough ? "The disparity is a rough estimate." : "";
  status.textContent = told || rough;
  status.title = remarks.join("\n");
  status.classList.toggle("is-error", stage === "failed");
}

// ---- keyframes ---------------------------------------------------------------------------------------------------
function key(k) {
  const made = el("button", {
    type: "button", className: `st-key${k.locked ? " is-locked" : ""}${k.kind === "blur" ? " is-blur" : ""}`,
    title: `Frame ${k.frame}: ${k.what}${k.locked ? ", locked" : ""}`,
  });
  made.style.left = `${place(k.frame)}%`;
  made.setAttribute("aria-label", `Keyframe at frame ${k.frame}, ${k.what}`);
  makeDraggable(made, k.frame);
  return made;
}

function frameAt(event) {
  const area = timeline.getBoundingClientRect();
  return Math.round(clamp((event.clientX - area.left) / area.width, 0, 1) * (clip().frames - 1));
}

function makeDraggable(made, frame) {
  let to = null;
  made.addEventListener("pointerdown", (event) => {
    made.setPointerCapture(event.pointerId);
    to = frame;
    event.stopPropagation();
  });
  made.addEventListener("pointermove", (event) => {
    if (to === null) return;
    to = frameAt(event);
    made.style.left = `${place(to)}%`;
  });
  made.addEventListener("pointerup", () => {
    if (to === null) return;
    if (to !== frame) command("move", { frame, to });
    go(to);
    to = null;
  });
  made.addEventListener("pointercancel", () => { to = null; made.style.left = `${place(frame)}%`; });
  made.addEventListener("click", (event) => { if (event.detail === 0) go(frame); });  // from the keyboard
}

// ---- hands -------------------------------------------------------------------------------------------------------
let isScrubbing = false;

timeline.addEventListener("pointerdown", (event) => {
  if (event.target.closest(".st-key")) return;
  isScrubbing = true;
  timeline.setPointerCapture(event.pointerId);
  go(frameAt(event));
});
timeline.addEventListener("pointermove", (event) => isScrubbing && go(frameAt(event)));
for (const over of ["pointerup", "pointercancel"]) timeline.addEventListener(over, () => { isScrubbing = false; });
scrub.addEventListener("input", () => go(Number(scrub.value)));
for (const button of document.querySelectorAll("[data-go]")) button.addEventListener("click", () => step(button.dataset.go));

watch(draw);
