// The page. Each module draws its part whenever something has changed; this one starts them.
import "./brush.js";
import "./files.js";
import "./keyboard.js";
import "./keyframes.js";
import "./loupe.js";
import "./outlines.js";
import "./picture.js";
import "./projects.js";
import "./renders.js";
import "./stage.js";
import "./tabs.js";
import "./timeline.js";
import "./zoom.js";
import { begin, tables } from "./api.js";
import { makeDepthModels } from "./depth_model.js";
import { makeLens } from "./lens.js";
import { say } from "./message.js";
import { makeRender } from "./render.js";
import { store } from "./store.js";

window.studio = { store };  // for the console, and for tests

try {
  store.controls = await tables();
  makeLens(store.controls);
  makeRender(store.controls);
  makeDepthModels(store.controls);
  await begin();
} catch (error) {
  say(error instanceof TypeError ? "The studio does not respond. Check that it is still running, and load this page again." : error.message);
} finally {
  document.querySelector("main").inert = false;  // until now nobody would have heard a click
}
