// The render of the whole clip: its choices, how far it is, and the result.
import { command, url } from "./api.js";
import { byId, el } from "./element.js";
import { watchRender } from "./rendered.js";
import { clip, store, watch } from "./store.js";

const LIVE = ["waiting", "running", "cancelling"];
const box = byId("job"), [line, bar] = [box.querySelector("p"), box.querySelector("progress")];

/** Make the lists, once their tables are here. */
export function makeRender(tables) {
  byId("format").append(...tables.formats.map((each) => el("option", { value: each.name }, each.label)));
  byId("engine").append(...tables.engines.map((each, number) =>
    el("label", {}, el("input", { type: "radio", name: "engine", value: each.name, checked: number === 0 }), each.label)));
  byId("engine-about").hidden = tables.engines.length > 1;
}

function draw() {
  if (!store.snapshot) return;
  const { job, results } = store.snapshot;
  const isLive = Boolean(job) && LIVE.includes(job.state);
  box.hidden = !job;
  box.dataset.state = job ? `${job.kind} ${job.state}` : "";
  byId("render").textContent = partOf(clip());
  if (job) {
    const text = lineOf(job);
    if (line.textContent !== text) line.textContent = text;
    line.classList.toggle("is-error", job.state === "failed");
    bar.hidden = byId("cancel").hidden = !isLive;
    if (job.total) bar.value = job.done / job.total; else bar.removeAttribute("value");
    byId("cancel").disabled = job.state === "cancelling";
  }
  drawResult(results.render);
  byId("command").hidden = !(clip() && clip().keyframes.length);
  byId("command").querySelector("code").textContent = store.snapshot.command;
  byId("demo-files").hidden = !(clip() && clip().is_demo);
}

function drawResult(result) {
  const shown = byId("result");
  shown.hidden = !result;
  if (!result) { shown.dataset.of = ""; return; }
  byId("stale").hidden = result.is_current;
  byId("watch").textContent = result.is_current ? "Watch the result" : "Watch the older render";
  byId("download").textContent = `Download ${result.is_current ? "" : "the older "}${result.file.split(".").pop().toUpperCase()}`;
  byId("download").classList.toggle("st-primary", result.is_current);
  const of = `${store.token}/${result.file}`;
  if (shown.dataset.of === of) return;
  shown.dataset.of = of;
  byId("download").href = url("result?download=1");
  byId("download").download = result.name;
}

/** What the button renders. */
function partOf(now) {
  if (!now || now.in_frame === null && now.out_frame === null) return "Render the clip";
  return `Render frames ${now.in_frame ?? 0} to ${now.out_frame ?? now.frames - 1}`;
}

function lineOf(job) {
  if (job.state === "waiting") return `The render is waiting; ${job.ahead} ahead of it.`;
  if (job.state === "cancelling") return "The render stops at the next frame.";
  if (job.state === "cancelled") return "The render was cancelled.";
  if (job.state === "failed") return job.message;
  if (job.state === "done") return `Rendered ${job.total} ${job.total === 1 ? "frame" : "frames"} in ${inWords(job.elapsed_s)}.`;
  if (!job.total) return "Determining the focus of every frame.";
  const left = job.seconds_left === null ? "" : `, about ${inWords(job.seconds_left)} left`;
  return `${job.done} of ${job.total} frames${left}.`;
}

function inWords(seconds) {
  const whole = Math.max(1, Math.round(seconds));
  return whole < 90 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

byId("render").addEventListener("click", () => {
  const engine = document.querySelector("[name=engine]:checked").value;
  command("render", { engine, format: byId("format").value });
});
byId("watch").addEventListener("click", () => watchRender(store.snapshot.results.render));
byId("cancel").addEventListener("click", () => command("cancel"));
watch(draw);
