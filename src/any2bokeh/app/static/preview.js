// While blur and lens move, the picture is drawn here, by the GPU, where the browser has one; the studio's own follows.
import { isAsking, settle } from "./api.js";
import { ClipRenderer, mayDraw } from "./clip_renderer.js";
import { byId } from "./element.js";
import { focusInWords } from "./focus_words.js";
import { clamp, clip, store, strengthAt, watch } from "./store.js";

const stage = byId("stage"), canvas = byId("live"), controls = document.querySelector(".st-right");
const STILL_MS = 300;

let live = null;         // the renderer
let canDraw = mayDraw();
let isPreparing = false, isNear = false, timer = 0;
let changes = {};        // settings of the look that have moved since the renderer took its lens
let held = null;         // the frame that the renderer has: {frame, live, focus}
let blur = 0, ofLens = null;  // K that is drawn, and what an f-number and its K make together
let isAhead = false;     // what is drawn, or about to be, is newer than the studio's picture

// ---- drawing ---------------------------------------------------------------------------------------------------------
/**
 * Show the picture with other settings; whether that can be done here, and the studio may hear of it later.
 *
 * @param change {strength, begins} a blur strength K, as a slider sets it; or the one that holds from the frame `from` on;
 *   {first, product} the K that the clip begins with, with which all change, and what it makes with its f-number; {look}
 *   settings of the look.
 */
export function preview({ strength, begins = false, from, first, product, look }) {
  if (!canDraw || !clip()) return false;
  if (from !== undefined && from !== startOf(store.frame)) return false;
  if (!isAllowed() || !isHeld()) { prepare(); return false; }
  if (!isAhead) [blur, ofLens] = [store.exact.blur, clip().f_number_times_blur];
  ofLens = product ?? ofLens;
  if (strength !== undefined) blur = begins ? strength : blurWith(strength);
  if (first !== undefined) blur = store.exact.blur * first / store.exact.strengths[0][1];
  for (const [name, value] of Object.entries(look ?? {})) changes[name] = name === "blades" ? bladesOf(value) : value;
  isAhead = true;
  draw();
  return true;
}

/** The frame from which on the strength is meant that holds at a frame. */
const startOf = (frame) => (clip().strengths.findLast(([start]) => start <= frame) ?? clip().strengths[0])[0];

// An iris has no fewer than three blades.
const bladesOf = (value) => ({ 1: 0, 2: 3 }[value] ?? Math.trunc(value));

/** K of the frame once the strength that holds there is another. It may be on the way to that of the next keyframe. */
function blurWith(strength) {
  const { strengths, blur: known } = store.exact, here = strengthAt(store.frame, strengths);
  const next = strengths.find(([start]) => start > store.frame);
  if (!next || next[1] === here) return strength;
  return strength + clamp((known - here) / (next[1] - here), 0, 1) * (next[1] - strength);
}

async function draw() {
  byId("read").textContent = focusInWords({ ...clip(), f_number_times_blur: ofLens }, held.focus, blur);
  const of = held;
  try {
    const isDrawn = await live.show({ focusDisparity: held.focus, blurStrength: blur, look: changes });
    if (!isDrawn || !isAhead || held !== of) return;
    canvas.hidden = false;
    stage.dataset.previews = Number(stage.dataset.previews ?? 0) + 1;
  } catch (error) {
    // A blur that is wider than the picture is the studio's to refuse or to draw.
    if (!(error instanceof RangeError)) giveUp(error);
    settle();
    end();
  }
}

/** The studio's picture is shown again. */
function end() {
  isAhead = false;
  canvas.hidden = true;
}

/** The studio's picture has come. */
export function pictureCame() {
  endWhenThere();
  clearTimeout(timer);
  timer = setTimeout(() => isNear && prepare(), STILL_MS);  // not for frames that somebody steps through
}

// Views and tools of which the studio alone has the picture hide what is drawn here.
const isAllowed = () => store.view === "result" && !store.isPlaying && !store.comparesWith && !store.isLoupe;
const isHeld = () => live !== null && held !== null && isOf(held, store.exact) && isShown(store.exact);
const isShown = (exact) => exact.frame === store.frame && exact.of === clip().playback.of;
const isOf = (one, other) => other !== null && one.frame === other.frame && one.live === other.live;

function endWhenThere() {
  if (!isAhead) return;
  const isThere = store.exact && store.exact.revision === clip()?.revision && !isAsking();
  if (!clip() || isThere || !isAllowed() || held.frame !== store.frame) end();
}

// ---- getting ready, once somebody comes near the sliders --------------------------------------------------------------
async function prepare() {
  if (!canDraw || isPreparing || isAhead || !store.exact || !isAllowed()) return;
  isPreparing = true;
  try {
    if (!live) live = await ClipRenderer.open(canvas, giveUp);
    if (live) await mount();
    if (live) await hold();
  } catch (error) {
    giveUp(error);
  } finally {
    isPreparing = false;
  }
}

/** The look that holds. */
async function mount() {
  const now = await live.mount();
  if (now) changes = now;
}

async function hold() {
  const { exact } = store;
  if (!exact || held && isOf(held, exact)) return;
  const said = await live.hold(exact.frame);
  if (!said) return;
  held = null;
  const given = { frame: exact.frame, live: said.live, focus: said.focus_disparity };
  // The first picture takes longest, and shows whether this GPU can be trusted.
  const isDrawn = await live.show({ focusDisparity: given.focus, blurStrength: said.blur_strength, look: changes });
  if (isDrawn && stage.dataset.preview !== "ready" && isOf(given, store.exact)) live.requireSame();
  held = given;
  stage.dataset.preview = "ready";
  stage.dataset.holds = `${given.frame}/${given.live}`;
}

/** From now on the studio's pictures alone are shown. */
function giveUp(fault) {
  canDraw = false;
  stage.dataset.preview = "none";
  stage.dataset.fault = fault.message;
  if (live) live.close();
  live = held = null;
  settle();
  end();
}

for (const kind of ["pointerover", "focusin"]) controls.addEventListener(kind, () => { isNear = true; prepare(); });
byId("keys").addEventListener("pointerover", prepare);
controls.addEventListener("pointerleave", () => { isNear = controls.contains(document.activeElement); });

watch(endWhenThere);
