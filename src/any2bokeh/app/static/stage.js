// The stage: what lies over the picture, and clicks on it.
import { command } from "./api.js";
import { byId, el } from "./element.js";
import { say } from "./message.js";
import { show } from "./place.js";
import { stop } from "./player.js";
import { changed, clamp, clip, store, watch } from "./store.js";

const WORDS = { result: "refocused", source: "original", plane: "focal plane", depth: "disparity", matte: "matte", edges: "edge band" };
const stage = byId("stage"), views = [...document.querySelectorAll("[data-view]")];

export function focusAt(x, y, isLocked) {
  if (clip().is_dense) {
    say("The script has a value for every frame. Press Clear all to set keyframes here.");
    return;
  }
  stop();
  if (store.view !== "plane" && store.view !== "depth") store.view = "result";
  command("focus", { frame: store.frame, x, y, locked: isLocked || store.isLocked });
}

export function toggleLock() { store.isLocked = !store.isLocked; changed(); }

/** Compare with the original (`source`) or the setting before (`last`), or, where that is done already, no more. */
export function toggleCompare(view = "source") {
  store.comparesWith = store.comparesWith === view ? "" : view;
  changed();
}

// ---- drawing -----------------------------------------------------------------------------------------------------
function draw() {
  const now = clip();
  if (!now) return;
  stage.style.setProperty("--ratio", `${now.width} / ${now.height}`);
  stage.style.setProperty("--aspect", now.width / now.height);
  stage.style.setProperty("--split", `${store.split}%`);
  for (const button of views) {
    button.setAttribute("aria-checked", String(button.dataset.view === store.view));
    button.tabIndex = button.dataset.view === store.view ? 0 : -1;
  }
  byId("lock").setAttribute("aria-pressed", String(store.isLocked));
  if (store.comparesWith === "last" && !now.can_undo) store.comparesWith = "";
  byId("compare").setAttribute("aria-pressed", String(store.comparesWith === "source"));
  byId("compare-last").setAttribute("aria-pressed", String(store.comparesWith === "last"));
  byId("compare-last").disabled = !now.can_undo;
  byId("split-name").textContent = store.comparesWith === "last" ? "Last setting" : "Original";
  for (const part of ["before", "edge", "splitbox"]) byId(part).hidden = !store.comparesWith;
  byId("picture").alt = `Frame ${store.frame}, ${WORDS[store.view]}`;
  drawHint(now);
  drawMarks(now);
}

function drawHint(now) {
  const here = now.keyframes.find((k) => k.frame === store.frame), hint = byId("hint");
  const isOfFollowed = store.view === "matte" && !now.keyframes.some((k) => k.track && k.frame <= store.frame);
  hint.textContent = isOfFollowed ? "No subject is followed here. Click one to see its matte."
    : here && here.gives_way ? "This keyframe is ignored because a locked keyframe is near it. Lock it to use it."
    : now.keyframes.length || now.is_dense ? "" : "Click the subject that should be in focus";
  hint.hidden = !hint.textContent;
}

function drawMarks(now) {
  const here = now.keyframes.filter((k) => k.frame === store.frame && k.point);
  const known = JSON.stringify(here.map((k) => [k.point, k.locked]));
  if (byId("marks").dataset.known === known) return;
  byId("marks").dataset.known = known;
  byId("marks").replaceChildren(...here.map((k) => {
    const mark = el("i", { className: k.locked ? "is-locked" : "" });
    mark.style.left = `${k.point[0] * 100}%`;
    mark.style.top = `${k.point[1] * 100}%`;
    return mark;
  }));
}

// ---- pointer -----------------------------------------------------------------------------------------------------
let down = null;

stage.addEventListener("pointerdown", (event) => { down = [event.clientX, event.clientY]; });
stage.addEventListener("click", (event) => {
  if (!clip() || down && Math.hypot(event.clientX - down[0], event.clientY - down[1]) > 8) return;
  const area = byId("picture").getBoundingClientRect();
  const x = (event.clientX - area.left) / area.width, y = (event.clientY - area.top) / area.height;
  if (x >= 0 && x <= 1 && y >= 0 && y <= 1) focusAt(x, y, event.shiftKey);
});

for (const button of views) {
  button.addEventListener("click", () => show(button.dataset.view));
  button.addEventListener("keydown", (event) => {
    const way = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!way) return;
    event.preventDefault();
    event.stopPropagation();
    const next = views[(views.indexOf(button) + way + views.length) % views.length];
    show(next.dataset.view);
    next.focus();
  });
}
byId("lock").addEventListener("click", toggleLock);
byId("compare").addEventListener("click", () => toggleCompare());
byId("compare-last").addEventListener("click", () => toggleCompare("last"));

// ---- the line between the original and the result ------------------------------------------------------------------
const edge = byId("edge"), split = byId("split");
let isSliding = false;

function setSplit(share) {
  store.split = share;
  split.value = share;
  changed();
}

edge.addEventListener("pointerdown", (event) => {
  event.stopPropagation();
  event.preventDefault();
  edge.setPointerCapture(event.pointerId);
  isSliding = true;
});
edge.addEventListener("pointermove", (event) => {
  if (!isSliding) return;
  const area = stage.getBoundingClientRect();
  setSplit(clamp(100 * (event.clientX - area.left) / area.width, 0, 100));
});
for (const over of ["pointerup", "pointercancel"]) edge.addEventListener(over, () => { isSliding = false; });
edge.addEventListener("click", (event) => event.stopPropagation());
split.addEventListener("input", () => setSplit(Number(split.value)));

watch(draw);
