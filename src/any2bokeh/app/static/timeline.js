// The timeline: thumbnails, the focus before the ribbon of what is there, the blur, keyframes, in and out, the playhead.
import { command, url } from "./api.js";
import { byId, el, svg } from "./element.js";
import { go, step } from "./place.js";
import { preview } from "./preview.js";
import { changed, clamp, clip, store, watch } from "./store.js";
import { makeDraggable } from "./timeline_drag.js";

const timeline = byId("timeline"), scrub = byId("scrub"), strip = byId("strip");
const STEPS_S = [0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600];
/** Rows of the timeline, from and to, in pixels. */
export const LANES = { strip: [0, 44], focus: [48, 108], blur: [116, 148] };
const STOPS = 1;  // of the f-number, beyond what the clip has

export const place = (frame) => (clip().frames > 1 ? 100 * frame / (clip().frames - 1) : 0);
const within = ([top, bottom], share) => bottom - (bottom - top) * clamp(share, 0, 1);

function draw() {
  const now = clip();
  if (!now) return;
  byId("head").style.left = `${place(store.frame)}%`;
  const seconds = (store.frame / now.fps).toFixed(2);
  scrub.max = now.frames - 1;
  scrub.value = store.frame;
  scrub.style.setProperty("--share", `${place(store.frame)}%`);
  scrub.setAttribute("aria-valuetext", `frame ${store.frame} of ${now.frames - 1}, ${seconds} seconds`);
  byId("clock").textContent = `${seconds} s · frame ${store.frame} of ${now.frames - 1}`;
  drawStatus(now);
  drawStrip(now);
  const known = JSON.stringify([store.token, now.revision, now.finding, now.frames, store.refusals, store.curve, now.overview.ribbon,
    now.f_number_times_blur, now.in_frame, now.out_frame]);
  if (timeline.dataset.known === known || timeline.classList.contains("is-dragged")) return;
  timeline.dataset.known = known;
  drawGraph(now);
  drawPart(now);
  drawKeys(now);
}

// ---- thumbnails ----------------------------------------------------------------------------------------------------
const sprite = new Image();
let spriteOf = "", isLoading = false, drawn = "";

async function drawStrip(now) {
  const [there, all] = now.overview.thumbnails;
  const of = `${store.token}/${now.name}/${now.frames}/${there}`;
  if (there && of !== spriteOf && !isLoading) {
    isLoading = true;
    const answer = await fetch(url("strip")).catch(() => null);
    if (answer && answer.status === 200) {
      if (sprite.src.startsWith("blob:")) URL.revokeObjectURL(sprite.src);
      sprite.src = URL.createObjectURL(await answer.blob());
      await sprite.decode().catch(() => {});
      spriteOf = of;
      sprite.count = there;
    }
    isLoading = false;
    if (clip() && spriteOf === of) drawStrip(clip());
    return;
  }
  const ratio = devicePixelRatio, width = Math.round(timeline.clientWidth * ratio), height = Math.round(LANES.strip[1] * ratio);
  const known = `${spriteOf}/${width}/${there}`;
  if (drawn === known || !sprite.naturalWidth || spriteOf !== of || !width) return;
  drawn = known;
  Object.assign(strip, { width, height });
  const context = strip.getContext("2d"), one = sprite.naturalWidth / sprite.count;
  const wide = height * one / sprite.naturalHeight, slots = Math.ceil(width / wide);
  for (let slot = 0; slot < slots; slot++) {
    const at = Math.min(Math.floor((slot + 0.5) / (width / wide) * all), all - 1);
    if (at < there) context.drawImage(sprite, at * one, 0, one, sprite.naturalHeight, slot * wide, 0, wide, height);
  }
}

new ResizeObserver(() => clip() && drawStrip(clip())).observe(timeline);

// ---- curves --------------------------------------------------------------------------------------------------------
function drawGraph(now) {
  const { ribbon } = now.overview, bottom = LANES.blur[1] + 4;
  const made = ticks(now, bottom);
  made.push(svg("path", { class: "st-rule", d: `M0 ${LANES.focus[1] + 4}H1000` }));
  const far = ribbon.map((ends) => ends && ends[0]), near = ribbon.map((ends) => ends && ends[1]);
  made.push(svg("path", { class: "st-ribbon", d: area(far, near) }));
  made.push(svg("path", { class: "st-track", d: line(now.focus, (value) => within(LANES.focus, value)) }));
  made.push(svg("path", { class: "st-track is-blur", d: line(now.blur, heightOfBlur(now)) }));
  byId("graph").replaceChildren(...made);
  for (const button of curves) {
    button.setAttribute("aria-checked", String(button.dataset.curve === store.curve));
    button.tabIndex = button.dataset.curve === store.curve ? 0 : -1;
    button.disabled = button.dataset.curve === "aperture" && !now.f_number_times_blur;
  }
}

function ticks(now, bottom) {
  const length_s = now.frames / now.fps, step_s = STEPS_S.find((s) => length_s / s <= 12) || 1200;
  const made = [];
  for (let s = 0; s <= length_s; s += step_s) {
    const x = 1000 * s * now.fps / Math.max(1, now.frames - 1);
    if (x <= 1000) made.push(svg("path", { class: "st-tick", d: `M${x.toFixed(1)} ${LANES.strip[1]}V${bottom}` }));
  }
  return made;
}

/** How high a blur strength K is drawn: by itself, or by the f-number that it stands for. */
export function heightOfBlur(now) {
  if (store.curve !== "aperture" || !now.f_number_times_blur) {
    const most = Math.max(10, 1.15 * Math.max(0, ...now.blur.map((k) => k ?? 0), ...now.strengths.map(([, k]) => k)));
    return (k) => within(LANES.blur, k / most);
  }
  // A smaller f-number gives more blur and is drawn higher; a stop is the same everywhere.
  const stops = [...now.blur.filter((k) => k), ...now.strengths.map(([, k]) => k).filter((k) => k)].map((k) => Math.log2(k));
  const low = Math.min(...stops) - STOPS, high = Math.max(...stops) + STOPS;
  return (k) => within(LANES.blur, k > 0 ? (Math.log2(k) - low) / (high - low) : 0);
}

const across = (index, values) => (1000 * index / Math.max(1, values.length - 1)).toFixed(1);

function line(values, height) {
  let path = "", isDown = false;
  values.forEach((value, index) => {
    if (value === null) { isDown = false; return; }
    path += `${isDown ? "L" : "M"}${across(index, values)} ${height(value).toFixed(2)}`;
    isDown = true;
  });
  return path;
}

/** What lies between two lines, where both are known. */
function area(low, high) {
  let path = "", from = 0;
  while (from < low.length) {
    if (low[from] === null) { from += 1; continue; }
    let to = from;
    while (to + 1 < low.length && low[to + 1] !== null) to += 1;
    const there = [], back = [];
    for (let index = from; index <= to; index++) {
      there.push(`${across(index, low)} ${within(LANES.focus, high[index]).toFixed(2)}`);
      back.unshift(`${across(index, low)} ${within(LANES.focus, low[index]).toFixed(2)}`);
    }
    path += `M${[...there, ...back].join("L")}Z`;
    from = to + 1;
  }
  return path;
}

function drawStatus(now) {
  const { stage, done, total, message, remarks } = now.finding, status = byId("status");
  const share = total ? `${Math.round(100 * done / total)}%` : "";
  const told = {
    estimating: `Estimating the disparity of the clip: ${share}`,
    following: `Following the subject: ${share}`,
    failed: message,
  }[stage] || "";
  const rough = now.depth_is_rough ? "The disparity is a rough estimate." : "";
  status.textContent = told || rough;
  status.title = remarks.join("\n");
  status.classList.toggle("is-error", stage === "failed");
}

const curves = [...document.querySelectorAll("[data-curve]")];
for (const button of curves) {
  button.addEventListener("click", () => { store.curve = button.dataset.curve; changed(); });
  button.addEventListener("keydown", (event) => {
    if (!event.key.startsWith("Arrow")) return;
    event.preventDefault();
    event.stopPropagation();
    const other = curves.find((each) => each !== button && !each.disabled);
    if (other) { other.click(); other.focus(); }
  });
}

// ---- keyframes ---------------------------------------------------------------------------------------------------
function drawKeys(now) {
  const active = byId("keys").contains(document.activeElement) ? document.activeElement.dataset.of : null;
  byId("keys").replaceChildren(...now.keyframes.filter((k) => k.kind !== "blur").map(key), ...now.strengths.map((at) => blurKey(at, now)));
  if (active) byId("keys").querySelector(`[data-of="${active}"]`)?.focus();
}

function key(k) {
  const made = el("button", {
    type: "button", className: `st-key${k.locked ? " is-locked" : ""}${k.gives_way ? " gives-way" : ""}`,
    title: `Frame ${k.frame}: ${k.what}${k.locked ? ", locked" : ""}`,
  });
  made.dataset.of = `focus-${k.frame}`;
  made.style.left = `${place(k.frame)}%`;
  const { focus } = clip(), there = focus[Math.round(k.frame / Math.max(1, clip().frames - 1) * (focus.length - 1))];
  made.style.top = `${within(LANES.focus, there ?? 0.5)}px`;
  made.setAttribute("aria-label", `Keyframe at frame ${k.frame}, ${k.what}`);
  let to = k.frame;
  makeDraggable(made, {
    begun: () => { to = k.frame; },
    moved: (frame) => { to = frame; made.style.left = `${place(to)}%`; },
    ended: () => { if (to !== k.frame) command("move", { frame: k.frame, to }); go(to); },
    left: () => { made.style.left = `${place(k.frame)}%`; },
  });
  made.addEventListener("click", (event) => { if (event.detail === 0) go(k.frame); });  // from the keyboard
  return made;
}

/** What the blur is there, in words. */
const wordsOf = (k, now) => (store.curve === "aperture" && now.f_number_times_blur && k > 0
  ? `f/${(now.f_number_times_blur / k).toPrecision(2)}` : `K ${Math.round(100 * k) / 100} px`);

/** A keyframe of the blur, which is dragged up and down. */
function blurKey([frame, k], now) {
  const made = el("button", { type: "button", className: "st-key is-blur", title: `Frame ${frame}: ${wordsOf(k, now)}; drag up for more blur` });
  const height = heightOfBlur(now), isKeyframe = now.keyframes.some((each) => each.frame === frame);
  made.dataset.of = `blur-${frame}`;
  made.style.left = `${place(frame)}%`;
  made.style.top = `${height(k)}px`;
  made.setAttribute("aria-label", `Blur at frame ${frame}, ${wordsOf(k, now)}`);
  const set = (value) => (isKeyframe
    ? command("change", { frame, changes: { blur_strength: value } }, { replaces: `blur-${frame}` })
    : command("blur", { frame, strength: value }, { replaces: "blur" }));
  let to = k;
  makeDraggable(made, {
    begun: () => { to = k; },
    moved: (_, y) => {
      to = nearest(height, y, now);
      made.style.top = `${height(to)}px`;
      made.title = wordsOf(to, now);
      preview({ strength: to, from: frame });
    },
    ended: () => { if (to !== k) set(to); else go(frame); },
    left: () => { made.style.top = `${height(k)}px`; changed(); },
  });
  made.addEventListener("click", (event) => { if (event.detail === 0) go(frame); });
  made.addEventListener("keydown", (event) => {
    const way = { ArrowUp: 1, ArrowDown: -1 }[event.key];
    if (!way) return;
    event.preventDefault();
    event.stopPropagation();
    set(Math.max(0, k + way * (event.shiftKey ? 5 : 0.5)));
  });
  return made;
}

/** The blur strength that is drawn at a height. */
function nearest(height, y, now) {
  const most = 2 * Math.max(10, ...now.strengths.map(([, k]) => k));
  let low = 0, high = most;
  for (let round = 0; round < 24; round++) {
    const middle = (low + high) / 2;
    if (height(middle) > y) low = middle; else high = middle;
  }
  return Math.round(2 * high) / 2;
}

// ---- in and out ----------------------------------------------------------------------------------------------------
const ends = { in_frame: byId("in-point"), out_frame: byId("out-point") };

/** Where what is played and rendered begins and ends; null is that end of the clip. */
export const setEnd = (name, frame) => command("part", { in_frame: clip().in_frame, out_frame: clip().out_frame, [name]: frame }, { replaces: "part" });

/** Let it begin or end here, and on the same frame again at the end of the clip. An end that is passed moves there, too. */
export function toggleEnd(name) {
  const now = clip(), other = name === "in_frame" ? "out_frame" : "in_frame";
  if (now[name] === store.frame) { setEnd(name, null); return; }
  const isPassed = now[other] !== null && (name === "in_frame" ? now[other] < store.frame : now[other] > store.frame);
  command("part", { [name]: store.frame, [other]: isPassed ? null : now[other] });
}

function drawPart(now) {
  const from = now.in_frame ?? 0, to = now.out_frame ?? now.frames - 1;
  byId("before-in").style.width = `${place(from)}%`;
  byId("after-out").style.left = `${place(to)}%`;
  byId("whole").hidden = now.in_frame === null && now.out_frame === null;
  for (const [name, frame, words] of [["in_frame", from, "In point"], ["out_frame", to, "Out point"]]) {
    ends[name].style.left = `${place(frame)}%`;
    ends[name].classList.toggle("is-set", now[name] !== null);
    ends[name].setAttribute("aria-label", `${words}: frame ${frame}`);
    ends[name].title = `${words}: frame ${frame}. Drag it, or press ${words[0]} at a frame.`;
  }
}

for (const [name, button] of Object.entries(ends)) {
  const isIn = name === "in_frame";
  let to = 0;
  const at = () => clip()[name] ?? (isIn ? 0 : clip().frames - 1);
  const limited = (frame) => (isIn ? clamp(frame, 0, clip().out_frame ?? clip().frames - 1) : clamp(frame, clip().in_frame ?? 0, clip().frames - 1));
  makeDraggable(button, {
    begun: () => { to = at(); },
    moved: (frame) => { to = limited(frame); button.style.left = `${place(to)}%`; go(to); },
    ended: () => { if (to !== at()) setEnd(name, to); },
    left: () => { button.style.left = `${place(at())}%`; },
  });
  button.addEventListener("keydown", (event) => {
    const way = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!way && event.key !== "Delete") return;
    event.preventDefault();
    event.stopPropagation();
    setEnd(name, way ? limited(at() + way * (event.shiftKey ? 10 : 1)) : null);
  });
}
byId("whole").addEventListener("click", () => command("part", { in_frame: null, out_frame: null }));

// ---- hands -------------------------------------------------------------------------------------------------------
let isScrubbing = false;

function frameAt(event) {
  const area = timeline.getBoundingClientRect();
  return Math.round(clamp((event.clientX - area.left) / area.width, 0, 1) * (clip().frames - 1));
}

timeline.addEventListener("pointerdown", (event) => {
  if (event.target.closest("button")) return;
  isScrubbing = true;
  timeline.setPointerCapture(event.pointerId);
  go(frameAt(event));
});
timeline.addEventListener("pointermove", (event) => isScrubbing && go(frameAt(event)));
for (const over of ["pointerup", "pointercancel"]) timeline.addEventListener(over, () => { isScrubbing = false; });
scrub.addEventListener("input", () => go(Number(scrub.value)));
for (const button of document.querySelectorAll("[data-go]")) button.addEventListener("click", () => step(button.dataset.go));

watch(draw);
