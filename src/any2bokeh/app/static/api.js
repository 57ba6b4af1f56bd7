// The session on the server: commands go there, snapshots come back, and come by themselves when something changes.
import { say } from "./message.js";
import { changed, store, take } from "./store.js";

const OWN = { "X-Any2bokeh": "1" };
const KEPT = "any2bokeh-session", BROWSER = "any2bokeh-browser";
const RETRY_MS = 2000;

export const url = (path) => `api/${store.token}/${path}`;

/** What sliders and lists are drawn from. */
export const tables = async () => answered(await fetch("api/controls"));

/** Begin: the session that this tab had before it was loaded again, or a new one. */
export async function begin() {
  store.token = kept();
  const answer = store.token ? await fetch(url("snapshot")).catch(() => null) : null;
  if (answer && answer.ok) take(await answer.json());
  else await arrive();
  listen();
}

// A browser may refuse to keep anything for a page that is shown in a frame: then it begins anew each time.
function kept() { try { return sessionStorage.getItem(KEPT) ?? ""; } catch { return ""; } }
// What this browser finds its projects by, on other days too.
function browser() { try { return localStorage.getItem(BROWSER) ?? ""; } catch { return ""; } }
function keepBrowser(secret) { try { localStorage.setItem(BROWSER, secret); } catch { /* see above */ } }
function keep(token) { try { sessionStorage.setItem(KEPT, token); } catch { /* see above */ } }

async function arrive() {
  const headers = { ...OWN, "X-Any2bokeh-Browser": browser() };
  const { token, snapshot, browser: secret } = await answered(await fetch("api/sessions", { method: "POST", headers }));
  keepBrowser(secret);
  store.token = token;
  store.snapshot = null;
  keep(token);
  take(snapshot);
}

// ---- events ------------------------------------------------------------------------------------------------------
let events = null;

function listen() {
  if (events) events.close();
  const mine = events = new EventSource(url("events"));
  let isLost = false;
  mine.onmessage = (event) => take(JSON.parse(event.data));
  mine.onopen = () => { if (isLost) say(""); isLost = false; };
  mine.onerror = () => {
    isLost = true;
    say("The connection to the studio is lost; this page tries to connect again. Check that the studio is still running.");
    if (mine.readyState === EventSource.CLOSED) setTimeout(rejoin, RETRY_MS);
  };
}

async function rejoin() {
  try {
    const answer = await fetch(url("snapshot"));
    if (answer.status === 404) {
      await arrive();
      say("The studio was started anew, or had closed this page. Go on with your project, or open your clip again.");
    }
    listen();
  } catch {
    setTimeout(rejoin, RETRY_MS);
  }
}

// ---- commands: one after another; of the positions of a slider only the newest waits -------------------------------
const waiting = [];
const REST_MS = 250;
let isSending = false, resting = null;

/**
 * Ask for something by name. True when it was done; what went wrong has been told otherwise.
 *
 * @param replaces the name of a slider; @param rests whether to ask only once it rests, as the page draws it meanwhile.
 */
export function command(what, fields = {}, { replaces = "", rests = false } = {}) {
  if (resting && resting.replaces !== replaces) settle();
  clearTimeout(resting?.timer);
  if (rests) {
    resting = { what, fields, replaces, timer: setTimeout(settle, REST_MS) };
    return Promise.resolve(true);
  }
  resting = null;
  const last = waiting.at(-1);
  if (replaces && last && last.replaces === replaces) {
    last.body = { do: what, ...fields };
    return last.promise;
  }
  const entry = { body: { do: what, ...fields }, replaces };
  entry.promise = new Promise((resolve) => { entry.resolve = resolve; });
  waiting.push(entry);
  send();
  return entry.promise;
}

/** Ask for what a slider that rests stands for. */
export function settle() {
  if (!resting) return;
  const { what, fields, replaces, timer } = resting;
  clearTimeout(timer);
  resting = null;
  command(what, fields, { replaces });
}
addEventListener("pagehide", settle);

async function send() {
  if (isSending) return;
  isSending = true;
  while (waiting.length) {
    const entry = waiting.shift();
    entry.resolve(await done(() => fetch(url("command"), { method: "POST", headers: OWN, body: JSON.stringify(entry.body) })));
  }
  isSending = false;
  changed();
}

/** Whether something has been asked for that has not been answered: what snapshots say of it is older. */
export const isAsking = () => isSending || resting !== null;

async function done(ask) {
  try {
    const snapshot = await answered(await ask());
    say("");
    take(snapshot);
    return true;
  } catch (error) {
    refuse(error);
    return false;
  }
}

async function answered(answer) {
  if (answer.ok) return answer.json();
  const told = await answer.json().catch(() => ({}));
  throw new Error(told.error || `The studio refused this (status ${answer.status}). Load the page again.`);
}

function refuse(error) {
  say(error instanceof TypeError ? "The studio does not respond. Check that it is still running." : error.message);
  store.refusals += 1;  // values that were refused give way to those that hold
  changed();
}

// ---- files ---------------------------------------------------------------------------------------------------------
/** Send a file; `told` hears the share that has been sent. */
export function sendFile(kind, file, told) {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    request.open("POST", url(`${kind}?name=${encodeURIComponent(file.name)}`));
    for (const [name, value] of Object.entries(OWN)) request.setRequestHeader(name, value);
    request.upload.onprogress = (event) => event.lengthComputable && told(event.loaded / event.total);
    request.onload = () => resolve(done(async () => new Response(request.responseText, { status: request.status })));
    request.onerror = () => {
      refuse(new Error("The upload failed. The file may be too large, or the studio is no longer running."));
      resolve(false);
    };
    request.send(file);
  });
}
