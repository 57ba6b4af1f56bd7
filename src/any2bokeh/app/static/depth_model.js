// Real depth models in place of the rough estimate: offered by name, size and licence, fetched on a click.
import { command } from "./api.js";
import { byId, el } from "./element.js";
import { clip, store, watch } from "./store.js";

const box = byId("depth-models"), more = byId("better-depth"), told = byId("depth-told"), bar = byId("depth-bar");

/** Make the list, once its table is here. */
export function makeDepthModels({ depth_models: models, depth_is_usable: isUsable }) {
  byId("depth-needs").hidden = isUsable;
  byId("depth-rows").replaceChildren(...models.map((each) => {
    const get = el("button", { type: "button", className: "st-button", disabled: !isUsable }, each.is_here ? "Use it" : "Download");
    get.setAttribute("aria-label", `${each.is_here ? "Use" : "Download"} ${each.name}, ${each.size}`);
    get.addEventListener("click", () => command("depth model", { name: each.name }));
    const about = `${each.hub_id} · ${each.size} · licence ${each.licence} · ${each.output}`;
    return el("li", {}, el("div", {}, el("b", {}, each.name), el("p", { className: "st-about" }, about)), get);
  }));
}

function draw() {
  if (!store.snapshot) return;
  const { download } = store.snapshot;
  more.hidden = !(clip() && clip().depth_is_rough);
  const isRunning = Boolean(download) && download.state === "running";
  for (const button of byId("depth-rows").querySelectorAll("button")) button.disabled = isRunning || !store.controls.depth_is_usable;
  bar.hidden = !isRunning;
  if (isRunning) bar.value = download.share;
  told.textContent = !download ? "" : isRunning ? `Downloading ${download.name}: ${Math.round(100 * download.share)}%`
    : download.state === "failed" ? download.message : `${download.name} is on this machine and is used now.`;
  told.classList.toggle("is-error", Boolean(download) && download.state === "failed");
}

more.addEventListener("click", () => box.showModal());
byId("depth-close").addEventListener("click", () => box.close());
watch(draw);
