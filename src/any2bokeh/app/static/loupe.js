// A round glass that enlarges what is under the pointer: first the picture, and where it stands still its final pixels.
import { url } from "./api.js";
import { byId } from "./element.js";
import { changed, clamp, clip, store, watch } from "./store.js";

const stage = byId("stage"), picture = byId("picture"), glass = byId("glass");
const TIMES = 4, SIDE_PX = 220, STILL_MS = 200;
const at = { x: 0.5, y: 0.5, isOver: false };
let timer = 0, sharp = null, isLoading = false, wanted = "";

export function toggleLoupe() { store.isLoupe = !store.isLoupe; changed(); }

/** Hold the glass over a point of the picture, in 0..1. */
export function holdOver(x, y) {
  Object.assign(at, { x, y, isOver: true });
  draw();
}

/** The part of the picture under the glass, in 0..1. */
function under() {
  const wide = SIDE_PX / TIMES / clip().width / 2, high = SIDE_PX / TIMES / clip().height / 2;
  return [at.x - wide, at.y - high, at.x + wide, at.y + high];
}

const canBeFinal = () => ["result", "source"].includes(store.view) && ["ready", "idle"].includes(clip().finding.stage);
const wish = () => `${store.token}/${clip().revision}/${store.frame}/${store.view}/${under().map((end) => end.toFixed(4))}`;

function draw() {
  byId("loupe").setAttribute("aria-pressed", String(store.isLoupe));
  glass.hidden = !(store.isLoupe && at.isOver && clip() && picture.naturalWidth && !store.isPlaying);
  if (glass.hidden) return;
  const area = picture.getBoundingClientRect(), around = stage.getBoundingClientRect(), ratio = devicePixelRatio;
  const x = area.left + at.x * area.width - around.left, y = area.top + at.y * area.height - around.top;
  // Beside a finger the glass would be hidden by it.
  const up = store.isTouch ? SIDE_PX * 0.75 : 0;
  glass.style.left = `${clamp(x, SIDE_PX / 2 - 20, around.width - SIDE_PX / 2 + 20)}px`;
  glass.style.top = `${Math.max(y - up, store.isTouch ? 60 : -1e4)}px`;
  const side = Math.round(SIDE_PX * ratio);
  if (glass.width !== side) glass.width = glass.height = side;
  const context = glass.getContext("2d");
  context.imageSmoothingEnabled = true;
  context.fillStyle = "#000";
  context.fillRect(0, 0, side, side);
  put(context, picture, [0, 0, 1, 1], side);
  const of = wish();
  if (sharp && sharp.frame === frameOf(of)) {
    context.imageSmoothingEnabled = false;
    put(context, sharp.image, sharp.region, side);
  }
  if (of === wanted) return;
  wanted = of;
  clearTimeout(timer);
  if (canBeFinal()) timer = setTimeout(load, STILL_MS);
}

const frameOf = (text) => text.slice(0, text.lastIndexOf("/"));

function put(context, image, [x0, y0, x1, y1], side) {
  const [left, top, right, bottom] = under(), wide = side / (right - left), high = side / (bottom - top);
  context.drawImage(image, (x0 - left) * wide, (y0 - top) * high, (x1 - x0) * wide, (y1 - y0) * high);
}

async function load() {
  if (isLoading || glass.hidden) return;
  isLoading = true;
  const of = wanted, region = under().map((end) => clamp(end, 0, 1).toFixed(5));
  const answer = await fetch(url(`final?frame=${store.frame}&view=${store.view}&region=${region}&first=1`)).catch(() => null);
  if (answer && answer.status === 200) {
    const image = await createImageBitmap(await answer.blob()).catch(() => null);
    if (image) sharp = { image, frame: frameOf(of), region: answer.headers.get("X-Region").split(",").map(Number) };
  }
  isLoading = false;
  if (wanted !== of) { clearTimeout(timer); timer = setTimeout(load, STILL_MS); }
  draw();
}

stage.addEventListener("pointermove", (event) => {
  if (!store.isLoupe || !clip()) return;
  store.isTouch = event.pointerType === "touch";
  const area = picture.getBoundingClientRect();
  const x = (event.clientX - area.left) / area.width, y = (event.clientY - area.top) / area.height;
  at.isOver = x >= 0 && x <= 1 && y >= 0 && y <= 1;
  if (at.isOver) Object.assign(at, { x, y });
  draw();
});
stage.addEventListener("pointerleave", () => { at.isOver = false; draw(); });
byId("loupe").addEventListener("click", () => { toggleLoupe(); at.isOver = false; });
watch(draw);
