// What the page knows: the newest snapshot of the session, and where its user is in the clip.

export const store = {
  token: "", snapshot: null, controls: null,
  frame: 0, view: "result", isLocked: false, comparesWith: "", split: 50,
  isLoupe: false, isTouch: false, showsSubjects: false, curve: "blur",
  exact: null,  // of the picture that is shown, if no better one will come: {of, frame, revision, strengths, live, blur}
  isPlaying: false, isPassing: false, played: 0, drawn: 0, rounds: 0, refusals: 0,
};

const watchers = [];

export const clip = () => (store.snapshot ? store.snapshot.clip : null);
export const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

/** Call a function whenever something has changed. */
export const watch = (draw) => watchers.push(draw);

export function changed() { for (const draw of watchers) draw(); }

/** Take a snapshot, unless a newer one is here already. */
export function take(snapshot) {
  if (store.snapshot && snapshot.number < store.snapshot.number) return;
  const before = clip();
  store.snapshot = snapshot;
  if (clip() && before && clip().name !== before.name) store.frame = 0;
  if (clip()) store.frame = clamp(store.frame, 0, clip().frames - 1);
  changed();
}

/** The blur strength K that is meant at a frame. */
export function strengthAt(frame, starts = clip().strengths) {
  return (starts.findLast(([start]) => start <= frame) ?? starts[0])[1];
}
