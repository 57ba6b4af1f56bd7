// The picture of the frame: one request at a time, the newest wish next.
import { url } from "./api.js";
import { byId } from "./element.js";
import { say } from "./message.js";
import { clip, store, watch } from "./store.js";
import { focusInWords } from "./focus_words.js";
import { pictureCame } from "./preview.js";

const stage = byId("stage"), picture = byId("picture"), before = byId("before").firstElementChild;
let isBusy = false, isProvisional = false, shown = "", knew = "", beforeOf = "";

const isQuick = () => store.isPassing && store.view === "result";
const wish = () => (clip() && !store.isPlaying ? `${store.token}/${clip().revision}/${store.frame}/${store.view}${isQuick() ? "/quick" : ""}` : shown);

// A provisional picture is asked for again when more is known than when it was asked for.
const knowledge = () => `${clip().finding.stage}/${clip().depth}/${isKnown(store.frame)}`;
const isStale = () => isProvisional && clip() !== null && !store.isPlaying && !isQuick() && knowledge() !== knew;

function isKnown(frame) {
  const values = clip().focus;
  return values.length > 0 && values[Math.round(frame / Math.max(1, clip().frames - 1) * (values.length - 1))] !== null;
}

async function refresh() {
  while (!isBusy && clip() && (wish() !== shown || isStale())) {
    isBusy = true;
    stage.setAttribute("aria-busy", "true");
    await load();
    isBusy = false;
    stage.removeAttribute("aria-busy");
  }
  if (!isBusy && clip() && store.comparesWith && beforeOf !== beforeWish()) await loadBefore();
}

async function load() {
  const wanted = wish(), { frame } = store, { revision, strengths, playback: { of } } = clip();
  knew = knowledge();
  try {
    const answer = await fetch(url(`picture?frame=${frame}&view=${store.view}${isQuick() ? "&quick=1" : ""}`));
    if (answer.ok) {
      await put(picture, await answer.blob());
      isProvisional = answer.headers.get("X-Provisional") === "1";
      read(answer.headers.get("X-Focus"), answer.headers.get("X-Blur"));
      stage.dataset.shown = wanted;
      stage.dataset.provisional = String(isProvisional);
      const live = answer.headers.get("X-Live");
      store.exact = live ? { of, frame, revision, strengths, live, blur: Number(answer.headers.get("X-Blur")) } : null;
      pictureCame();
    } else {
      say((await answer.json()).error);
    }
  } catch {
    say("The studio does not respond. Check that it is still running.");
  }
  shown = wanted;
}

const beforeWish = () => `${store.token}/${store.comparesWith}/${clip().name}/${store.frame}`
  + (store.comparesWith === "last" ? `/${clip().revision}/${knowledge()}` : "");

async function loadBefore() {
  const wanted = beforeOf = beforeWish();
  const answer = await fetch(url(`picture?frame=${store.frame}&view=${store.comparesWith}`)).catch(() => null);
  if (!answer || !clip() || wanted !== beforeWish()) return;
  if (answer.ok) await put(before, await answer.blob());
  stage.dataset.before = wanted;
}

function put(image, blob) {
  return new Promise((resolve) => {
    const old = image.src;
    image.onload = image.onerror = () => { if (old.startsWith("blob:")) URL.revokeObjectURL(old); resolve(); };
    image.src = URL.createObjectURL(blob);
  });
}

function read(focus, blur) {
  byId("read").textContent = focus ? focusInWords(clip(), Number(focus), Number(blur)) : "";
}

watch(refresh);
