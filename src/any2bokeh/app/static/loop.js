// Two seconds that are rendered and played in a loop.
import { command, url } from "./api.js";
import { byId } from "./element.js";
import { say } from "./message.js";
import { changed, clip, store, watch } from "./store.js";

const LIVE = ["waiting", "running", "cancelling"];

export async function playOrStop() {
  if (!clip()) return;
  if (store.isPlaying) { stop(); changed(); return; }
  if (store.wantsLoop) { store.wantsLoop = false; command("cancel"); return; }
  store.wantsLoop = true;
  if (!await command("loop", { frame: store.frame })) store.wantsLoop = false;
}

export function stop() {
  if (!store.isPlaying) return;
  const video = byId("loop");
  store.isPlaying = false;
  video.pause();
  video.hidden = true;
  video.removeAttribute("src");
  video.load();
}

function play(file) {
  const video = byId("loop");
  video.src = url(`loop?of=${encodeURIComponent(file)}`);
  video.hidden = false;
  store.isPlaying = true;
  video.play().catch(() => {});
}

function draw() {
  const { job, results } = store.snapshot ?? { results: {} };
  const isMaking = job && job.kind === "loop" && LIVE.includes(job.state);
  if (store.wantsLoop && job && job.kind === "loop" && !isMaking) {
    store.wantsLoop = false;
    if (job.state === "done") play(results.loop.file);
    else if (job.state === "failed") say(job.message);
  }
  const share = job && job.total ? `${Math.round(100 * job.done / job.total)}%` : "0%";
  byId("play").lastElementChild.textContent = store.isPlaying ? "Stop" : isMaking ? share : "Play 2 s";
  byId("play").classList.toggle("is-busy", Boolean(isMaking));
}

byId("play").addEventListener("click", playOrStop);
watch(draw);
