// The keyboard, for everything that a pointer can do on the picture and in time.
import { command } from "./api.js";
import { dab, isBrushing, resize, toggleBrush } from "./brush.js";
import { byId } from "./element.js";
import { openHelp } from "./help.js";
import { go, show, step } from "./place.js";
import { holdOver, toggleLoupe } from "./loupe.js";
import { toggleSubjects } from "./outlines.js";
import { playOrStop } from "./player.js";
import { isWatching, leaveRender } from "./rendered.js";
import { focusAt, toggleCompare, toggleLock } from "./stage.js";
import { clamp, clip, store } from "./store.js";
import { toggleEnd } from "./timeline.js";
import { nextZoom, zoomBy } from "./zoom.js";

// ---- a point chosen with the arrow keys ----------------------------------------------------------------------------
const aim = { isOn: false, x: 0.5, y: 0.5 };

function drawAim() {
  const mark = byId("aim");
  mark.hidden = !aim.isOn;
  mark.style.left = `${aim.x * 100}%`;
  mark.style.top = `${aim.y * 100}%`;
  if (aim.isOn) holdOver(aim.x, aim.y);
}

function aimed(event) {
  const far = event.shiftKey ? 0.1 : 0.02;
  const way = { ArrowLeft: [-far, 0], ArrowRight: [far, 0], ArrowUp: [0, -far], ArrowDown: [0, far] }[event.key];
  if (way) { aim.x = clamp(aim.x + way[0], 0, 1); aim.y = clamp(aim.y + way[1], 0, 1); }
  else if (event.key === "Enter") { aim.isOn = isBrushing(); if (aim.isOn) dab(aim.x, aim.y); else focusAt(aim.x, aim.y, event.shiftKey); }
  else if (event.key === "Escape") aim.isOn = false;
  else return false;
  drawAim();
  return true;
}

function takeAim() {
  aim.isOn = true;
  drawAim();
  byId("stage").focus();
}

// ---- keys ----------------------------------------------------------------------------------------------------------
const KEYS = {
  ArrowLeft: (event) => step(event.shiftKey ? -10 : -1), ArrowRight: (event) => step(event.shiftKey ? 10 : 1),
  Home: () => go(0), End: () => go(clip().frames - 1), b: toggleBrush,
  "[": () => (isBrushing() ? resize(-1) : step("previous")), "]": () => (isBrushing() ? resize(1) : step("next")),
  " ": playOrStop, 1: () => show("result"), 2: () => show("source"), 3: () => show("plane"), 4: () => show("depth"),
  5: () => show("matte"), 6: () => show("edges"), i: () => toggleEnd("in_frame"), o: () => toggleEnd("out_frame"),
  m: toggleLoupe, s: toggleSubjects,
  z: nextZoom, "+": () => zoomBy(1), "=": () => zoomBy(1), "-": () => zoomBy(-1), c: (event) => toggleCompare(event.shiftKey ? "last" : "source"), l: toggleLock, f: takeAim,
  Delete: () => clip().keyframes.some((k) => k.frame === store.frame) && command("delete", { frame: store.frame }),
};
const OF_SLIDERS = ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End", "PageUp", "PageDown"];

function pressed(event) {
  if (isWriting(event.target)) return;
  if (event.key === "?") { if (!document.querySelector("dialog[open]")) openHelp(); return; }
  if (!clip() || document.querySelector("dialog[open]")) return;
  if (event.ctrlKey || event.metaKey || event.altKey) { reversed(event); return; }
  if (event.key === "Escape" && isWatching()) { event.preventDefault(); leaveRender(); return; }
  if (aim.isOn && aimed(event)) { event.preventDefault(); return; }
  if (isItsOwn(event)) return;
  const act = KEYS[event.key] || KEYS[event.key.toLowerCase()];
  if (act) { event.preventDefault(); act(event); }
}

function reversed(event) {
  const key = event.key.toLowerCase();
  if (event.altKey || !["z", "y"].includes(key)) return;
  event.preventDefault();
  command(key === "y" || event.shiftKey ? "redo" : "undo");
}

/** Whether keys are text there. */
function isWriting(target) {
  const ofText = ["number", "text", "search"];
  return target.isContentEditable || target.tagName === "TEXTAREA" || target.tagName === "INPUT" && ofText.includes(target.type);
}

/** Whether a key does something to what it was pressed on. */
function isItsOwn({ target, key }) {
  if (target.tagName === "SELECT") return true;
  if (target.type === "range") return OF_SLIDERS.includes(key);
  if (target.type === "radio") return key === " " || OF_SLIDERS.includes(key);
  const isPressed = target.closest && target.closest("button, a, summary, video, input");
  return Boolean(isPressed) && (key === " " || key === "Enter");
}

document.addEventListener("keydown", pressed);
