// A close look: the picture at 100, 200 or 400 %, moved about, and where it stands still in final quality.
import { url } from "./api.js";
import { byId } from "./element.js";
import { changed, clamp, clip, store, watch } from "./store.js";

const stage = byId("stage"), view = byId("view"), sharp = byId("sharp");
const STEPS = [0, 1, 2, 4];  // 0: as large as the stage
const STILL_MS = 250;
const look = { zoom: 0, x: 0.5, y: 0.5 };
let timer = 0, wanted = "", isLoading = false, isFinishing = false;

/** The next step of zoom, around the middle of what is in view or a point of the picture. */
export function zoomTo(zoom, x = look.x, y = look.y) {
  Object.assign(look, { zoom, x, y });
  changed();
}

export const nextZoom = () => zoomTo(STEPS[(STEPS.indexOf(look.zoom) + 1) % STEPS.length]);
export const zoomBy = (steps) => zoomTo(STEPS[clamp(STEPS.indexOf(look.zoom) + steps, 0, STEPS.length - 1)]);

// ---- where the picture lies ----------------------------------------------------------------------------------------
/** How much larger than the stage the picture is. */
const scale = () => (look.zoom && stage.clientWidth ? Math.max(1, look.zoom * clip().width / stage.clientWidth) : 1);

function place() {
  if (!clip()) return;
  const s = scale(), half = 0.5 / s;
  look.x = clamp(look.x, half, 1 - half);
  look.y = clamp(look.y, half, 1 - half);
  const left = 0.5 - look.x * s, top = 0.5 - look.y * s;  // in 0..1 of the stage
  view.style.transform = s === 1 ? "" : `translate(${left * 100}%, ${top * 100}%) scale(${s})`;
  view.style.setProperty("--scale", s);
  view.style.setProperty("--split", `${clamp(100 * (store.split / 100 - left) / s, 0, 100)}%`);
  stage.classList.toggle("is-zoomed", s > 1);
  for (const button of document.querySelectorAll("[data-zoom]")) {
    button.setAttribute("aria-checked", String(Number(button.dataset.zoom) === look.zoom));
    button.tabIndex = Number(button.dataset.zoom) === look.zoom ? 0 : -1;
  }
}

// ---- the part in view, in final quality ------------------------------------------------------------------------------
function region() {
  const half = 0.5 / scale();
  return [look.x - half, look.y - half, look.x + half, look.y + half].map((end) => clamp(end, 0, 1).toFixed(4));
}

function wish() {
  const now = clip();
  if (!now || !look.zoom || store.isPlaying || !["result", "source"].includes(store.view)) return "";
  const isKnown = now.finding.stage === "ready" || now.finding.stage === "idle";
  if (store.view === "result" && !isKnown) return "";
  const revision = store.view === "source" ? now.name : now.revision;
  return `${store.token}/${revision}/${store.frame}/${store.view}/${region()}`;
}

function sharpen() {
  const wishes = wish();
  if (wishes === wanted) return;
  wanted = wishes;
  // What is shown stays while it is of the same frame: only its place has changed.
  if (!wishes || !sharp.dataset.of || frameOf(wishes) !== frameOf(sharp.dataset.of)) hide();
  clearTimeout(timer);
  if (wishes) timer = setTimeout(load, STILL_MS);
}

const frameOf = (text) => text.slice(0, text.lastIndexOf("/"));

function hide() {
  sharp.hidden = true;
  sharp.dataset.of = "";
}

/** First the frame by itself, which is there soon; then with what the frames around it saw. */
async function load() {
  if (isLoading) return;
  isLoading = true;
  const of = wanted;
  stage.dataset.sharpening = "true";
  const isProvisional = await fetched(of, 1);
  isLoading = false;
  if (wanted && wanted !== of) { load(); return; }
  if (isProvisional && wanted === of) await finish();
  if (!isLoading && !isFinishing) delete stage.dataset.sharpening;
}

async function finish() {
  if (isFinishing) return;  // it looks again when it is done
  isFinishing = true;
  const of = wanted;
  await fetched(of, 0);
  isFinishing = false;
  if (wanted && wanted !== of && sharp.dataset.of === wanted && sharp.dataset.provisional === "true") await finish();
}

/** Show a region; whether better pixels will come. */
async function fetched(of, isFirst) {
  const answer = await fetch(url(`final?frame=${store.frame}&view=${store.view}&region=${region()}&first=${isFirst}`)).catch(() => null);
  if (!answer || answer.status !== 200) return false;
  const isProvisional = answer.headers.get("X-Provisional") === "1";
  await put(await answer.blob(), answer.headers.get("X-Region").split(",").map(Number), of, isProvisional);
  return isProvisional;
}

async function put(blob, [x0, y0, x1, y1], of, isProvisional) {
  const next = new Image();
  next.src = URL.createObjectURL(blob);
  await next.decode().catch(() => {});
  // Final pixels of a part that is no longer in view do not replace what is.
  if (frameOf(of) !== frameOf(wanted) || !isProvisional && of !== wanted && sharp.dataset.of === wanted) { URL.revokeObjectURL(next.src); return; }
  if (sharp.src.startsWith("blob:")) URL.revokeObjectURL(sharp.src);
  sharp.src = next.src;
  Object.assign(sharp.style, {
    left: `${100 * x0}%`, top: `${100 * y0}%`, width: `${100 * (x1 - x0)}%`, height: `${100 * (y1 - y0)}%`,
  });
  sharp.hidden = false;
  sharp.dataset.of = of;
  sharp.dataset.provisional = String(isProvisional);
}

// ---- hands -----------------------------------------------------------------------------------------------------------
let from = null;

stage.addEventListener("pointerdown", (event) => {
  if (look.zoom && scale() > 1) from = { x: event.clientX, y: event.clientY, at: { ...look } };
});
stage.addEventListener("pointermove", (event) => {
  if (!from || !event.buttons || Math.hypot(event.clientX - from.x, event.clientY - from.y) <= 8) return;
  const s = scale();
  look.x = from.at.x - (event.clientX - from.x) / (stage.clientWidth * s);
  look.y = from.at.y - (event.clientY - from.y) / (stage.clientHeight * s);
  changed();
});
for (const over of ["pointerup", "pointercancel"]) stage.addEventListener(over, () => { from = null; });
stage.addEventListener("wheel", (event) => {
  if (!event.ctrlKey || !clip()) return;
  event.preventDefault();
  const area = byId("picture").getBoundingClientRect();
  const at = [(event.clientX - area.left) / area.width, (event.clientY - area.top) / area.height];
  const next = STEPS[clamp(STEPS.indexOf(look.zoom) - Math.sign(event.deltaY), 0, STEPS.length - 1)];
  if (next !== look.zoom) zoomTo(next, ...at);
}, { passive: false });

const buttons = [...document.querySelectorAll("[data-zoom]")];
for (const button of buttons) {
  button.addEventListener("click", () => zoomTo(Number(button.dataset.zoom)));
  button.addEventListener("keydown", (event) => {
    const way = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!way) return;
    event.preventDefault();
    event.stopPropagation();
    const next = buttons[(buttons.indexOf(button) + way + buttons.length) % buttons.length];
    zoomTo(Number(next.dataset.zoom));
    next.focus();
  });
}
new ResizeObserver(() => place()).observe(stage);

watch(() => { place(); sharpen(); });
