// The clip plays: a small copy with its sound, and over it the frames that have been refocused, by the studio or here.
import { command, url } from "./api.js";
import { byId, svg } from "./element.js";
import { begin, end, isMoving, showMoving } from "./moving.js";
import { changed, clip, store, watch } from "./store.js";

const video = byId("proxy"), canvas = byId("played"), ready = byId("ready");
const AHEAD = 30, BEHIND = 8, AT_ONCE = 4;
const TELL_MS = 100;   // the timeline follows the playhead in such steps
const HOLD_MS = 1500;  // a refocused frame stays so long where those after it are missing, then the original plays

let runsOn = "";            // what the video holds
let hasFailed = false;      // this browser cannot play it
let begun = { frame: 0, ms: 0 };
let drawn = { of: "", frame: -1, ms: 0 };
let toldMs = 0;
let wasMoving = false;      // the studio has not to make frames
const pictures = new Map(); // refocused frames around the playhead, by number
let picturesOf = "";
const coming = new Set();

// ---- from and to -----------------------------------------------------------------------------------------------------
export function playOrStop() {
  if (!clip()) return;
  if (store.isPlaying) stop(); else start();
  changed();
}

export function stop() {
  if (!store.isPlaying) return;
  store.isPlaying = false;
  video.pause();
  end();
  video.hidden = canvas.hidden = true;
  command("stop");
}

function start() {
  const { first, last } = clip().playback;
  const frame = store.frame < first || store.frame >= last ? first : store.frame;
  if (store.view !== "source") store.view = "result";
  store.isPlaying = true;
  drawn = { of: "", frame: -1, ms: 0 };
  wasMoving = false;
  from(frame);
  if (runsOn) begin();
  requestAnimationFrame(tick);
}

function from(frame) {
  store.frame = frame;
  begun = { frame, ms: performance.now() };
  if (!wasMoving) command("play", { frame }, { replaces: "play" });
  hold();
  if (!runsOn) return;
  video.currentTime = (frame + 0.5) / clip().fps;
  video.play().catch(() => {});
}

/** Take the copy, once it is there. */
function hold() {
  const { of, proxy } = clip().playback;
  if (proxy !== "ready") { runsOn = ""; return; }
  const wanted = `${store.token}/${of}`;
  if (video.dataset.of !== wanted) {
    video.dataset.of = wanted;
    hasFailed = false;
    video.src = url(`proxy?of=${encodeURIComponent(of)}`);
  }
  runsOn = hasFailed ? "" : wanted;
}

video.addEventListener("error", () => { if (video.src) { hasFailed = true; runsOn = ""; } });

// ---- while it plays --------------------------------------------------------------------------------------------------
function frameNow() {
  const isRunning = runsOn && !video.paused && !video.seeking && video.readyState >= 2;
  if (runsOn && (isRunning || video.ended)) return Math.floor(video.currentTime * clip().fps + 0.01);
  if (runsOn && (video.seeking || video.readyState < 2)) { begun = { frame: store.frame, ms: performance.now() }; return store.frame; }
  return begun.frame + Math.floor((performance.now() - begun.ms) / 1000 * clip().fps);
}

function tick() {
  if (!store.isPlaying) return;
  if (!clip()) { stop(); return; }
  const { first, last } = clip().playback, frame = frameNow();
  if (frame > last || frame < first || video.ended && runsOn) { store.rounds += 1; from(first); } else store.frame = frame;
  divide();
  show(store.frame);
  if (!wasMoving) fetchAhead(store.frame);
  if (performance.now() - toldMs > TELL_MS) { toldMs = performance.now(); changed(); }
  requestAnimationFrame(tick);
}

/** Either the page refocuses frames, or the studio makes them. */
function divide() {
  if (isMoving() === wasMoving) return;
  wasMoving = !wasMoving;
  if (wasMoving) command("stop", {}, { replaces: "play" });
  else command("play", { frame: store.frame }, { replaces: "play" });
}

function show(frame) {
  video.hidden = !runsOn || video.readyState < 2;
  if (showMoving()) { canvas.hidden = true; return; }
  if (store.view === "source") { canvas.hidden = true; return; }
  const picture = pictures.get(frame), of = wish();
  if (picture && (drawn.frame !== frame || drawn.of !== of)) {
    if (canvas.width !== picture.width) canvas.width = picture.width;
    if (canvas.height !== picture.height) canvas.height = picture.height;
    canvas.getContext("2d").drawImage(picture, 0, 0);
    drawn = { of, frame, ms: performance.now() };
    store.played += 1;
  } else if (picture) drawn.ms = performance.now();
  canvas.hidden = !drawn.of || performance.now() - drawn.ms > HOLD_MS;
}

// ---- refocused frames, fetched ahead of the playhead ------------------------------------------------------------------
const wish = () => `${store.token}/${clip().playback.of}/${clip().revision}`;
const isReady = (frame) => clip().playback.ready.some(([from, to]) => from <= frame && frame < to);

function fetchAhead(frame) {
  const { first, last } = clip().playback, length = last - first + 1;
  if (picturesOf !== wish()) { forget(() => true); picturesOf = wish(); }
  const away = (each) => ((each - frame) % length + length) % length;
  forget((each) => away(each) > AHEAD && away(each) < length - BEHIND);
  for (let ahead = 0; ahead < Math.min(AHEAD, length) && coming.size < AT_ONCE; ahead++) {
    const wanted = first + (frame - first + ahead) % length;
    if (!pictures.has(wanted) && !coming.has(wanted) && isReady(wanted)) load(wanted);
  }
}

async function load(frame) {
  const of = picturesOf;
  coming.add(frame);
  try {
    const answer = await fetch(url(`draft?frame=${frame}`));
    if (answer.status === 200) {
      const picture = await createImageBitmap(await answer.blob());
      if (of === picturesOf) pictures.set(frame, picture); else picture.close();
    }
  } catch { /* it is asked for again */ } finally {
    coming.delete(frame);
  }
}

function forget(which) {
  for (const [frame, picture] of pictures) {
    if (which(frame)) { picture.close(); pictures.delete(frame); }
  }
}

// ---- drawing -----------------------------------------------------------------------------------------------------------
function draw() {
  const button = byId("play").lastElementChild, text = store.isPlaying ? "Stop" : "Play";
  if (button.textContent !== text) button.textContent = text;
  if (!clip()) { if (store.isPlaying) stop(); return; }
  hold();
  const { frames, playback } = clip(), known = JSON.stringify([frames, playback.ready]);
  if (ready.dataset.known === known) return;
  ready.dataset.known = known;
  ready.replaceChildren(...playback.ready.map(([from, to]) =>
    svg("rect", { x: 1000 * from / frames, y: 0, width: 1000 * (to - from) / frames, height: 1 })));
}

byId("play").addEventListener("click", playOrStop);
watch(draw);
