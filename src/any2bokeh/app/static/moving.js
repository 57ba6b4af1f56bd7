// While the clip plays, the GPU refocuses the frames of its small copy, where the browser has one. The studio tells how
// far away things are in the frames ahead, and which focus and blur they have.
import { ClipRenderer, fetched, mayDraw } from "./clip_renderer.js";
import { byId } from "./element.js";
import { clamp, clip, store } from "./store.js";

const video = byId("proxy"), canvas = byId("moving"), stage = byId("stage");
const AHEAD = 72, BEHIND = 24, AT_ONCE = 8;  // frames; at 640x360, those that are kept take 22 MB, or up to twice that
const MOST_ASKED = 2, MOST_APART = 8;  // answers that are waited for; frames of an answer
const AGAIN_MS = 500;   // what the studio did not know is asked for again
const STALE_MS = 1000;  // after a decision, frames are drawn so long as they were decided before
const HOLD_MS = 1500;   // a picture stays so long where those after it are missing

let canDraw = mayDraw() && "requestVideoFrameCallback" in video;
let renderer = null, mounted = "", look = {};
let isRunning = false, isOpening = false, isDrawing = false;
let drawnMs = -Infinity;
const frames = new Map();  // around the playhead, by number: a PlayedFrame, and `of` which decisions
let framesOf = "", changedMs = -Infinity;
const asked = new Set();   // what the studio has been asked for: frames {from, to}, and `of` which decisions
let askAgainMs = 0, tookMs = 0;

const wish = () => `${store.token}/${clip().playback.of}/${clip().revision}`;

// ---- from and to -----------------------------------------------------------------------------------------------------
/** The clip plays. */
export async function begin() {
  if (!canDraw || store.view === "source") return;
  isRunning = true;
  await open();
  if (renderer && isRunning) follow();
}

export function end() {
  isRunning = false;
  canvas.hidden = true;
  drawnMs = -Infinity;
}

/** Whether refocused frames are drawn here, and nobody else has to bring them. */
export const isMoving = () => isRunning && performance.now() - drawnMs < HOLD_MS;

/** Show what has been drawn, or nothing; whether there is something. */
export function showMoving() {
  canvas.hidden = !isMoving() || store.view === "source";
  return !canvas.hidden;
}

/** The first picture is one that the studio has, too, which shows whether this GPU can be trusted. */
async function open() {
  const { exact } = store;
  if (renderer || isOpening || !exact || exact.revision !== clip().revision) return;
  isOpening = true;
  try {
    const made = await ClipRenderer.open(canvas, giveUp), held = made && await made.hold(exact.frame);
    const isSame = held && held.live === exact.live && exact.revision === clip()?.revision;
    const changes = isSame ? await made.mount() : null;
    if (changes && await made.show({ focusDisparity: held.focus_disparity, blurStrength: held.blur_strength, look: changes })) {
      made.requireSame();
      if (canDraw) renderer = made;
    } else made?.close();
  } catch (error) {
    giveUp(error);
  }
  isOpening = false;
}

/** From now on the studio's frames alone are shown. */
function giveUp(fault) {
  canDraw = false;
  stage.dataset.moving = fault.message;
  renderer?.close();
  renderer = null;
  frames.clear();
  end();
}

// ---- every frame that the video shows --------------------------------------------------------------------------------
let callback = 0;

function follow() {
  video.cancelVideoFrameCallback(callback);
  callback = video.requestVideoFrameCallback(onFrame);
}

function onFrame(_, { mediaTime }) {
  if (!isRunning || !renderer || !clip()) return;
  follow();
  const frame = Math.round(mediaTime * clip().fps);
  if (store.view !== "result") return;
  fetchAhead(frame);
  if (!isDrawing) draw(frame);  // else the GPU is behind, and this frame is left out
}

async function draw(frame) {
  const given = frames.get(frame);
  if (!given || given.of !== wish() && performance.now() - changedMs > STALE_MS) return;
  isDrawing = true;
  try {
    give(given);  // now: the video goes on
    if (mounted !== wish()) await mount();
    const isDrawn = renderer && await renderer.show({ focusDisparity: given.focus, blurStrength: given.blur, look });
    if (isDrawn && isRunning) {
      drawnMs = performance.now();
      store.drawn += 1;
      stage.dataset.moving = String(frame);
    }
  } catch (error) {
    if (error.name === "PictureFault") canCopy = false;
    // A blur that is wider than the picture is the studio's to refuse or to draw.
    else if (canDraw && !(error instanceof RangeError)) giveUp(error);
  }
  isDrawing = false;
}

async function mount() {
  const wanted = wish(), changes = await renderer.mount();
  if (changes) [mounted, look] = [wanted, changes];
}

let canCopy = true;  // the picture that the video shows, from one place of the GPU to another
let reader = null;

/** Give the renderer a frame, of the picture that the video shows. */
function give(frame) {
  if (canCopy) canCopy = renderer.giveShown(video, [video.videoWidth, video.videoHeight], frame.given());
  if (!canCopy) renderer.give(frame.givenWith(pixelsAt(frame.disparity.shape)));
}

/** What the video shows as numbers: where the browser does not copy it. */
function pixelsAt([height, width]) {
  const count = width * height;
  if (!reader || reader.canvas.width !== width || reader.canvas.height !== height) {
    reader = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true, alpha: false });
    reader.imageSmoothingQuality = "medium";
  }
  reader.drawImage(video, 0, 0, width, height);
  const { data } = reader.getImageData(0, 0, width, height), pixels = new Float32Array(3 * count);
  for (let i = 0; i < count; i++) {
    for (let colour = 0; colour < 3; colour++) pixels[colour * count + i] = data[4 * i + colour] / 255;
  }
  return pixels;
}

// ---- what is known of the frames ahead -------------------------------------------------------------------------------
function fetchAhead(frame) {
  const { first, last } = clip().playback, length = last - first + 1, now = performance.now();
  if (framesOf !== wish()) [framesOf, changedMs, askAgainMs] = [wish(), now, 0];
  const away = (each) => ((each - frame) % length + length) % length;
  for (const each of frames.keys()) {
    if (each < first || each > last || away(each) > AHEAD && away(each) < length - BEHIND) frames.delete(each);
  }
  if (asked.size >= MOST_ASKED || now < askAgainMs) return;
  const soonest = Math.ceil(tookMs / 1000 * clip().fps);  // what comes before is over when it is there
  // Where edges take the studio longer than the clip takes to play, frames are left out evenly.
  const every = clamp(Math.ceil(soonest / (MOST_ASKED * AT_ONCE)), 1, MOST_APART);
  const isComing = (each) => [...asked].some(({ of, from, to }) => of === framesOf && from <= each && each < to);
  for (let ahead = 0; ahead < Math.min(AHEAD, length); ahead++) {
    const wanted = first + (frame - first + soonest + ahead) % length;
    if (wanted < first || frames.get(wanted)?.of === framesOf || isComing(wanted)) continue;
    load(wanted, Math.min(AT_ONCE, Math.ceil((last + 1 - wanted) / every)), every);
    return;
  }
}

async function load(frame, count, every) {
  const of = framesOf, since = performance.now(), span = { of, from: frame, to: frame + count * every };
  asked.add(span);
  try {
    const answer = await fetched(`live-disparity?frame=${frame}&count=${count}&every=${every}`);
    const { playedFrames } = await import("./live/played.js");
    const told = answer ? playedFrames(await answer.arrayBuffer()) : [];
    if (of === framesOf) for (const each of told) frames.set(each.frame, Object.assign(each, { of }));
    if (told.length < count) askAgainMs = performance.now() + AGAIN_MS;
  } catch { /* it is asked for again */ }
  tookMs = performance.now() - since;
  asked.delete(span);
}
