// Projects: those that are kept are offered and discarded; the open one is named, saved, and loaded from a file.
import { command, url } from "./api.js";
import { byId, el } from "./element.js";
import { ask } from "./question.js";
import { changed, clip, store, watch } from "./store.js";

const list = byId("project-list"), offer = byId("offer"), name = byId("project-name");
let kept = [], isDeclined = false, askedFor = "";

/** Whether all that has been decided is kept, so that another clip takes nothing away. */
export const isKept = () => Boolean(store.snapshot && store.snapshot.project.saved && !store.snapshot.project.notice);

async function look() {
  const answer = await fetch(url("projects")).catch(() => null);
  if (answer && answer.ok) kept = (await answer.json()).kept;
  changed();
}

function when(saved) {
  const at = new Date(saved);
  return Number.isNaN(at.getTime()) ? "" : at.toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
}

function inWords(size) {
  return size < 1e6 ? "" : size < 1e9 ? `${Math.round(size / 1e6)} MB` : `${(size / 1e9).toFixed(1)} GB`;
}

async function goOn(each) {
  list.close();
  if (!isKept() && clip() && clip().can_undo
    && !await ask(`Your work on ${clip().name} is not kept when another project is opened. Save project keeps it.`, "Open the project")) return;
  if (await command("open project", { id: each.id }) && !store.snapshot.project.awaits) { isDeclined = true; store.frame = 0; }
  await look();
}

async function discard(each) {
  if (!await ask(`${each.name}, saved ${when(each.saved)}, and the video that is kept with it are removed for good.`, "Discard")) return;
  await command("discard project", { id: each.id });
  await look();
}

// ---- drawing -----------------------------------------------------------------------------------------------------
function draw() {
  if (!store.snapshot) return;
  if (askedFor !== store.token) { askedFor = store.token; isDeclined = false; look(); }
  const { project } = store.snapshot;
  byId("kept").textContent = project.notice || project.remark || (project.saved ? `Kept ${when(project.saved)}` : "");
  byId("kept").classList.toggle("is-error", Boolean(project.notice));
  byId("save-project").href = url("project.json");
  if (document.activeElement !== name) name.value = project.title;
  byId("open-project").hidden = !clip();
  byId("keeps-nothing").hidden = byId("uploads-deleted").hidden = project.keeps;
  byId("uploads-kept").hidden = !project.keeps;
  drawOffer(project);
  drawList();
}

function drawOffer(project) {
  const newest = kept.find((each) => !each.is_open), awaits = project.awaits;
  const mayOffer = newest && !isDeclined && !(clip() && clip().can_undo) && !project.saved;
  offer.hidden = !awaits && !mayOffer;
  if (offer.hidden) { offer.dataset.of = ""; return; }
  const of = awaits ? `clip ${awaits}` : newest.id;
  if (offer.dataset.of === of) return;
  offer.dataset.of = of;
  const button = (text, act, more = "") => {
    const made = el("button", { type: "button", className: `st-button ${more}` }, text);
    made.addEventListener("click", act);
    return made;
  };
  offer.replaceChildren(...(awaits ? [
    el("p", {}, `The project needs its video ${awaits}.`),
    button("Choose it", () => byId("file-video").click(), "st-primary"),
    button("Forget the project", () => command("forget project")),
  ] : [
    el("p", {}, `Go on with ${newest.name}? It was saved ${when(newest.saved)}.`),
    button("Go on", () => goOn(newest), "st-primary"),
    button("Discard", () => discard(newest)),
    button("Not now", () => { isDeclined = true; changed(); }),
  ]));
}

function drawList() {
  const rows = byId("kept-rows"), known = JSON.stringify(kept);
  if (rows.dataset.known === known) return;
  rows.dataset.known = known;
  byId("no-projects").hidden = kept.length > 0;
  rows.replaceChildren(...kept.map((each) => {
    const open = el("button", { type: "button", className: "st-button", disabled: each.is_open }, each.is_open ? "Is open" : "Go on");
    const remove = el("button", { type: "button", className: "st-button", disabled: each.is_open }, "Discard");
    open.setAttribute("aria-label", `Go on with ${each.name}`);
    remove.setAttribute("aria-label", `Discard ${each.name}`);
    open.addEventListener("click", () => goOn(each));
    remove.addEventListener("click", () => discard(each));
    const about = [each.clip === each.name ? "" : each.clip, when(each.saved), inWords(each.size)].filter(Boolean).join(" · ");
    return el("li", {}, el("div", {}, el("b", {}, each.name), el("p", { className: "st-about" }, about)), open, remove);
  }));
}

// ---- hands -------------------------------------------------------------------------------------------------------
byId("projects").addEventListener("click", () => { look(); list.showModal(); });
byId("projects-close").addEventListener("click", () => list.close());
name.addEventListener("change", () => command("name", { name: name.value }));

watch(draw);
