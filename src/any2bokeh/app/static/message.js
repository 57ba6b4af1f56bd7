// The one line that tells what went wrong. It lies over the page, and goes when something succeeds.
import { byId } from "./element.js";

export function say(text) {
  const box = byId("message");
  box.firstElementChild.textContent = text;
  box.hidden = !text;
}

byId("message").lastElementChild.addEventListener("click", () => say(""));
