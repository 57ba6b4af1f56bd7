// The list of keyframes.
import { command } from "./api.js";
import { byId, el } from "./element.js";
import { say } from "./message.js";
import { go } from "./place.js";
import { clip, store, watch } from "./store.js";

const list = byId("rows");
let shownAt = -1;

function draw() {
  const now = clip();
  if (!now) return;
  drawAuto(now.proposal);
  byId("no-rows").hidden = now.keyframes.length > 0;
  byId("no-rows").textContent = now.is_dense
    ? "The script has a value for every frame. Clear it to set keyframes here."
    : "There are no keyframes yet. Click the subject that should be sharp.";
  byId("clear").hidden = !(now.keyframes.length || now.is_dense);
  const known = JSON.stringify([store.token, now.keyframes, now.frames, store.refusals, now.f_number_times_blur?.toPrecision(6)]);
  const isNew = list.dataset.known !== known;
  if (isNew) drawRows(now, known);
  for (const item of list.children) {
    const isHere = Number(item.dataset.frame) === store.frame;
    item.classList.toggle("is-here", isHere);
    if (isHere && (isNew || shownAt !== store.frame)) showRow(item);
  }
  shownAt = store.frame;
}

/** Draw all rows anew; the keyboard stays where it was. */
function drawRows(now, known) {
  const active = list.contains(document.activeElement) ? document.activeElement : null;
  const at = active && [active.closest("li").dataset.frame, active.getAttribute("aria-label")];
  list.dataset.known = known;
  list.replaceChildren(...now.keyframes.map((k) => row(k, now)));
  if (!at) return;
  const item = [...list.children].find((each) => each.dataset.frame === at[0]);
  const same = item && [...item.querySelectorAll("[aria-label]")].find((each) => each.getAttribute("aria-label") === at[1]);
  if (same) same.focus();
}

function showRow(item) {
  const top = item.offsetTop - list.offsetTop, bottom = top + item.offsetHeight;
  if (top < list.scrollTop) list.scrollTop = top;
  else if (bottom > list.scrollTop + list.clientHeight) list.scrollTop = bottom - list.clientHeight;
}

function row(k, now) {
  const change = (changes) => command("change", { frame: k.frame, changes });
  const frame = box("Frame of the keyframe", k.frame, { min: 0, max: now.frames - 1, step: 1, className: "st-frame" }, async (to) => {
    if (to === null) { frame.value = k.frame; return; }
    if (to === k.frame) return;
    if (await command("move", { frame: k.frame, to: Math.round(to) })) go(Math.round(to));
  });
  const what = el("button", { type: "button", className: "st-what", textContent: k.what, title: "Go to this keyframe" });
  what.setAttribute("aria-label", `Go to frame ${k.frame}: ${k.what}`);
  what.addEventListener("click", () => go(k.frame));
  const follow = toggle("Follow", k.track, "Follow the subject; otherwise its disparity is held", () => change({ track: !k.track }));
  follow.hidden = k.track === null;
  const lock = toggle("Lock", k.locked, "A locked keyframe has priority over others near it", () => change({ locked: !k.locked }));
  const gone = el("button", { type: "button", className: "st-link st-gone", title: "Delete this keyframe (Del)" }, "×");
  gone.setAttribute("aria-label", `Delete the keyframe at frame ${k.frame}`);
  gone.addEventListener("click", () => command("delete", { frame: k.frame }));

  const blur = box("Blur strength K, pixels", k.blur_strength, { min: 0, step: "any", placeholder: "same" }, (value) => change({ blur_strength: value }));
  const product = now.f_number_times_blur;
  const stop = box("f-number", product && k.blur_strength ? product / k.blur_strength : null, { min: 0.3, step: "any", placeholder: "same" }, (value) => change({ f_number: value }));
  stop.disabled = !product;
  const easing = el("select", {}, ...["smooth", "linear", "hold"].map((name) => el("option", { value: name, selected: name === k.easing }, name)));
  easing.setAttribute("aria-label", "Easing");
  easing.addEventListener("change", () => change({ easing: easing.value }));
  const seconds = box("Transition, seconds", k.transition_s, { min: 0, step: "any", placeholder: "whole" }, (value) => change({ transition_s: value }));

  const item = el("li", {},
    el("div", { className: "st-row-top" }, frame, what, follow, lock, gone),
    el("div", { className: "st-row-more" }, el("label", {}, "K ", blur), el("label", {}, "f/ ", stop)),
    el("div", { className: "st-row-more" }, el("label", {}, "Move ", easing), el("label", {}, "in ", seconds, " s")));
  item.dataset.frame = k.frame;
  if (k.gives_way) { item.classList.add("gives-way"); item.title = "Ignored because a locked keyframe is near it"; }
  return item;
}

function box(name, value, properties, changed) {
  const shown = value === null ? "" : String(Math.round(value * 100) / 100);
  const made = el("input", { type: "number", value: shown, ...properties });
  made.setAttribute("aria-label", name);
  made.addEventListener("change", () => changed(made.value === "" ? null : Number(made.value)));
  return made;
}

function toggle(text, isOn, title, pressed) {
  const made = el("button", { type: "button", className: "st-toggle st-mini", title }, text);
  made.setAttribute("aria-pressed", String(isOn === true));
  made.setAttribute("aria-label", text);
  made.addEventListener("click", pressed);
  return made;
}

function drawAuto({ state, done, total, message }) {
  const button = byId("auto");
  button.textContent = state === "running" ? `Looking, ${Math.round(100 * done / Math.max(1, total))}%` : "Auto";
  button.setAttribute("aria-disabled", String(state === "running"));
  if (state === "failed" && button.dataset.failed !== message) say(message);
  button.dataset.failed = state === "failed" ? message : "";
}

byId("auto").addEventListener("click", () => clip().proposal.state === "running" || command("propose"));
byId("clear").addEventListener("click", () => command("clear"));
watch(draw);
