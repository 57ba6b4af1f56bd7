// Where in the clip we are, and how it is shown.
import { changed, clamp, clip, store } from "./store.js";
import { stop } from "./loop.js";
import { leaveRender } from "./rendered.js";

export function go(frame) {
  if (!clip()) return;
  stop();
  leaveRender();
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
