// Where in the clip we are, and how it is shown.
import { stop } from "./player.js";
import { changed, clamp, clip, store } from "./store.js";
import { leaveRender } from "./rendered.js";

const PASSING_MS = 200;  // frames that come faster are passed over: what can be had at once is shown of them
let cameMs = 0, rests = 0;

export function go(frame) {
  if (!clip()) return;
  stop();
  leaveRender();
  store.isPassing = performance.now() - cameMs < PASSING_MS;
  cameMs = performance.now();
  clearTimeout(rests);
  if (store.isPassing) rests = setTimeout(() => { store.isPassing = false; changed(); }, PASSING_MS);
  store.frame = clamp(frame, 0, clip().frames - 1);
  changed();
}

export function step(to) {
  const frames = clip() ? clip().keyframes.map((k) => k.frame) : [];
  if (to === "next") return go(frames.find((f) => f > store.frame) ?? clip().frames - 1);
  if (to === "previous") return go(frames.findLast((f) => f < store.frame) ?? 0);
  return go(store.frame + Number(to));
}

export function show(view) {
  stop();
  leaveRender();
  store.view = view;
  changed();
}
