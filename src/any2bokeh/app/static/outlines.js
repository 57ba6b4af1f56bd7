// Outlines over the picture: of the subject that is followed, of what a click would take, of what the frame offers.
import { url } from "./api.js";
import { byId, el, svg } from "./element.js";
import { focusAt } from "./stage.js";
import { changed, clip, store, watch } from "./store.js";

const stage = byId("stage"), picture = byId("picture"), layer = byId("outlines"), offered = byId("offered");
const REST_MS = 90;
const found = { followed: [], under: [], offered: [] };
const known = { followed: "", offered: "" };
let isAsking = false, pointer = null, timer = 0, underOf = "";

export function toggleSubjects() { store.showsSubjects = !store.showsSubjects; changed(); }

async function ask(which, more = "") {
  const answer = await fetch(url(`subjects?frame=${store.frame}&which=${which}${more}`)).catch(() => null);
  return answer && answer.ok ? (await answer.json()).subjects : null;
}

// ---- what is followed, and what is offered ---------------------------------------------------------------------------
const frameKey = () => `${store.token}/${clip().revision}/${store.frame}`;
const progressKey = () => `${frameKey()}/${clip().finding.stage}/${clip().finding.done}/${clip().depth}`;

async function look() {
  const now = clip();
  byId("subjects").setAttribute("aria-pressed", String(store.showsSubjects));
  if (!now || isAsking) return;
  const wants = { followed: store.isPlaying ? "" : progressKey(), offered: store.showsSubjects && !store.isPlaying ? `${store.token}/${store.frame}/${now.depth}` : "" };
  for (const which of ["followed", "offered"]) {
    if (wants[which] === known[which]) continue;
    if (which === "followed" && frameOf(known.followed) !== frameKey()) clear("followed");
    if (which === "offered") clear("offered");
    known[which] = wants[which];
    if (!wants[which]) continue;
    isAsking = true;
    const subjects = await ask(which);
    isAsking = false;
    if (subjects && wants[which] === known[which]) { found[which] = subjects; draw(); }
    look();
    return;
  }
}

const frameOf = (text) => text.split("/").slice(0, 3).join("/");

function clear(which) {
  if (found[which].length) { found[which] = []; draw(); }
}

// ---- what a click would take -----------------------------------------------------------------------------------------
function hover(event) {
  if (event.pointerType !== "mouse" || !clip() || event.buttons || store.isPlaying || event.target.closest("video, button")) { leave(); return; }
  const area = picture.getBoundingClientRect();
  pointer = [(event.clientX - area.left) / area.width, (event.clientY - area.top) / area.height];
  if (pointer.some((share) => share < 0 || share > 1)) { leave(); return; }
  if (underOf === `${store.token}/${store.frame}` && found.under.some((each) => isIn(each, pointer))) return;
  clearTimeout(timer);
  timer = setTimeout(lookUnder, REST_MS);
}

async function lookUnder() {
  if (!pointer || !clip()) return;
  if (isAsking) { timer = setTimeout(lookUnder, REST_MS); return; }
  const [x, y] = pointer, of = `${store.token}/${store.frame}`;
  isAsking = true;
  const subjects = await ask("under", `&x=${x.toFixed(4)}&y=${y.toFixed(4)}`);
  isAsking = false;
  if (pointer && subjects) { found.under = subjects; underOf = of; draw(); }
  look();
}

function leave() {
  pointer = null;
  clearTimeout(timer);
  clear("under");
}

/** Whether a point lies in an outline: a ray from it crosses the outline an odd number of times. */
function isIn({ parts }, [x, y]) {
  let isInside = false;
  for (const part of parts) {
    part.forEach(([x1, y1], index) => {
      const [x0, y0] = part[(index + part.length - 1) % part.length];
      if ((y0 > y) !== (y1 > y) && x < x0 + (x1 - x0) * (y - y0) / (y1 - y0)) isInside = !isInside;
    });
  }
  return isInside;
}

// ---- drawing ---------------------------------------------------------------------------------------------------------
const path = ({ parts }) => parts.map((part) => `M${part.map((point) => point.join(" ")).join("L")}Z`).join("");

/** The corners of a box, so that it hides little. */
function corners([x0, y0, x1, y1]) {
  const wide = 0.16 * (x1 - x0), high = 0.16 * (y1 - y0);
  const made = [];
  for (const [x, y, across, down] of [[x0, y0, wide, high], [x1, y0, -wide, high], [x0, y1, wide, -high], [x1, y1, -wide, -high]]) {
    made.push(`M${x + across} ${y}H${x}V${y + down}`);
  }
  return made.join("");
}

function draw() {
  const made = [];
  layer.classList.toggle("shows-all", store.showsSubjects);
  for (const each of found.offered) made.push(svg("path", { class: "is-offered", d: path(each) }));
  for (const each of found.followed) {
    made.push(svg("path", { class: "is-followed", d: path(each) }));
    made.push(svg("path", { class: "is-followed-box", d: corners(each.box) }));
  }
  for (const each of found.under) made.push(svg("path", { class: each.is_followed ? "is-under" : "is-under is-scenery", d: path(each) }));
  layer.replaceChildren(...made);
  const tags = found.offered.map((each, number) => tag(each, number));
  if (offered.dataset.known === JSON.stringify(found.offered)) return;
  offered.dataset.known = JSON.stringify(found.offered);
  offered.replaceChildren(...tags);
}

/** A button on a subject, for fingers and keys. */
function tag({ inside: [x, y], kind }, number) {
  const what = kind || "subject";
  const made = el("button", { type: "button", className: "st-tag", title: `Focus on this ${what}` }, String(number + 1));
  made.setAttribute("aria-label", `Focus on ${what} ${number + 1}`);
  made.style.left = `${100 * x}%`;
  made.style.top = `${100 * y}%`;
  made.addEventListener("click", (event) => { event.stopPropagation(); focusAt(x, y, event.shiftKey); });
  return made;
}

stage.addEventListener("pointermove", hover);
stage.addEventListener("pointerleave", leave);
stage.addEventListener("pointerdown", leave);
byId("subjects").addEventListener("click", toggleSubjects);
watch(() => {
  if (underOf && clip() && underOf !== `${store.token}/${store.frame}`) { underOf = ""; clear("under"); }
  look();
});
