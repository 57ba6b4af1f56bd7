// Files: chosen, dropped, sent; and the buttons at the top.
import { command, sendFile, url } from "./api.js";
import { byId } from "./element.js";
import { openHelp } from "./help.js";
import { isKept } from "./projects.js";
import { ask } from "./question.js";
import { changed, clip, store, watch } from "./store.js";

let isUploading = false;

/** Whether what has been decided about the open clip may go; asked where something has been. */
async function mayReplace() {
  if (!clip() || !clip().can_undo || isKept()) return true;
  return ask(`Your focus, blur and lens for ${clip().name} are not kept when another clip is opened. Save project keeps them.`, "Open the other clip");
}

async function upload(kind, file) {
  if (!store.token || !file || isUploading) return;
  if (kind === "video" && !await mayReplace()) return;
  const box = byId("upload"), [text, bar] = box.children;
  isUploading = true;
  box.hidden = kind === "script" || kind === "project";
  text.textContent = kind === "video" ? `Opening ${file.name}` : `Reading ${file.name}`;
  bar.removeAttribute("value");
  changed();
  const isDone = await sendFile(kind, file, (share) => {
    if (share < 1) bar.value = share; else bar.removeAttribute("value");
  });
  isUploading = false;
  box.hidden = true;
  if (isDone && kind === "video") store.frame = 0;
  changed();
}

function draw() {
  const now = clip();
  document.body.classList.toggle("st-has-clip", Boolean(now));
  document.body.classList.toggle("st-has-script", Boolean(now && (now.keyframes.length || now.is_dense)));
  byId("welcome").hidden = !store.snapshot || Boolean(now) || isUploading;
  byId("columns").hidden = !now && !isUploading;
  byId("clip").textContent = now ? `${now.name} · ${now.width}×${now.height} · ${now.fps} fps · ${(now.frames / now.fps).toFixed(1)} s` : "";
  if (now) byId("save").href = url("focus.json");
  for (const what of ["undo", "redo"]) {
    document.querySelector(`[data-do=${what}]`).disabled = !(now && now[`can_${what}`]);
  }
}

for (const button of document.querySelectorAll("[data-choose]")) {
  button.addEventListener("click", () => byId(`file-${button.dataset.choose}`).click());
}
for (const kind of ["video", "disparity", "script", "project"]) {
  byId(`file-${kind}`).addEventListener("change", ({ target }) => { upload(kind, target.files[0]); target.value = ""; });
}
for (const button of document.querySelectorAll("[data-do]")) {
  const what = button.dataset.do;
  button.addEventListener("click", async () => {
    if (what === "help") { openHelp(); return; }
    if (what === "demo" && !await mayReplace()) return;
    button.classList.add("is-busy");
    if (await command(what) && what === "demo") { store.frame = 0; changed(); }
    button.classList.remove("is-busy");
  });
}

document.addEventListener("dragover", (event) => { event.preventDefault(); document.body.classList.add("st-dropping"); });
document.addEventListener("dragleave", (event) => event.relatedTarget || document.body.classList.remove("st-dropping"));
document.addEventListener("drop", (event) => {
  event.preventDefault();
  document.body.classList.remove("st-dropping");
  const file = event.dataTransfer.files[0];
  if (file) upload(file.name.endsWith(".a2b.json") ? "project" : file.name.endsWith(".json") ? "script" : file.name.endsWith(".npy") ? "disparity" : "video", file);
});

watch(draw);
