// The result of a render, watched on the stage.
import { url } from "./api.js";
import { byId } from "./element.js";
import { store } from "./store.js";

const box = byId("rendered"), video = box.querySelector("video");
let of = "";

export const isWatching = () => !box.hidden;

/** Play a render in the place of the picture. */
export function watchRender(result) {
  const file = `${store.token}/${result.file}`;
  if (of !== file) {
    of = file;
    video.src = url(`result?of=${encodeURIComponent(result.file)}`);
  }
  box.hidden = false;
  video.focus();
}

/** Back to the picture. */
export function leaveRender() {
  if (box.hidden) return;
  video.pause();
  box.hidden = true;
  byId("stage").focus();
}

byId("rendered-close").addEventListener("click", leaveRender);
for (const kind of ["click", "pointerdown"]) box.addEventListener(kind, (event) => event.stopPropagation());
