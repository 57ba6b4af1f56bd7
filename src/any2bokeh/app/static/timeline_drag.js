// What lies on the timeline and is dragged.
import { byId } from "./element.js";
import { clamp, clip } from "./store.js";

/**
 * @param made a button on the timeline.
 * @param hands what to do when it is taken (`begun`), with a frame and a height in pixels while it moves (`moved`), when
 *   it is let go (`ended`), and when the browser takes it away (`left`).
 */
export function makeDraggable(made, { begun, moved, ended, left }) {
  let isHeld = false, across = 0, down = 0;
  made.addEventListener("pointerdown", (event) => {
    made.setPointerCapture(event.pointerId);
    isHeld = true;
    byId("timeline").classList.add("is-dragged");
    // Where it was taken, from where it stands: it does not jump to the pointer.
    const area = byId("timeline").getBoundingClientRect();
    across = event.clientX - area.left - parseFloat(made.style.left) / 100 * area.width;
    down = event.clientY - area.top - (parseFloat(made.style.top) || 0);
    begun();
    event.stopPropagation();
  });
  made.addEventListener("pointermove", (event) => {
    if (!isHeld) return;
    const area = byId("timeline").getBoundingClientRect();
    const share = clamp((event.clientX - area.left - across) / area.width, 0, 1);
    moved(Math.round(share * (clip().frames - 1)), event.clientY - area.top - down);
  });
  const released = (then) => () => {
    if (!isHeld) return;
    isHeld = false;
    byId("timeline").classList.remove("is-dragged");
    then();
  };
  made.addEventListener("pointerup", released(ended));
  made.addEventListener("pointercancel", released(left));
}
