// The list of renders: what waits, runs and is done, by name.
import { command, url } from "./api.js";
import { byId, el } from "./element.js";
import { store, watch } from "./store.js";

const list = byId("renders");

function draw() {
  if (!store.snapshot) return;
  const { renders } = store.snapshot;
  byId("renders-title").hidden = list.hidden = renders.length < 2;
  const known = `${store.token}/${JSON.stringify(renders)}`;
  if (list.dataset.known === known) return;
  list.dataset.known = known;
  const rows = new Map([...list.children].map((row) => [row.dataset.number, row]));
  list.replaceChildren(...renders.map((each) => filled(rows.get(String(each.number)) ?? made(each), each)));
}

/** A row keeps its elements while its render goes on, so that a press on a button finds it where it was. */
function made(each) {
  const get = el("a", { className: "st-button st-mini", download: each.name }, "Download");
  get.href = url(`result?render=${each.number}&download=1`);
  const end = el("button", { type: "button", className: "st-button st-mini" });
  end.addEventListener("click", () => command("end render", { number: each.number }));
  const row = el("li", {}, el("div", {}, el("b", {}, each.name), el("p", { className: "st-about" })), get, end);
  row.dataset.number = each.number;
  return row;
}

function filled(row, each) {
  const [text, get, end] = row.children, isLive = ["waiting", "running", "cancelling"].includes(each.state);
  text.lastElementChild.textContent = {
    waiting: `Waiting; ${each.ahead} ahead of it`,
    running: each.total ? `${Math.round(100 * each.done / each.total)}%` : "Finding the focus",
    cancelling: "Stops at the next frame", cancelled: "Cancelled", failed: each.message,
    done: each.is_current ? "Done" : "Done, before your last changes",
  }[each.state];
  get.hidden = each.state !== "done";
  end.textContent = isLive ? "Cancel" : "Remove";
  end.disabled = each.state === "cancelling";
  end.setAttribute("aria-label", `${end.textContent} ${each.name}`);
  return row;
}

watch(draw);
