// A question before something is lost.
import { byId } from "./element.js";

const box = byId("ask"), [no, yes] = box.querySelectorAll("button");

/** Ask; true where the answer is `agree`, which is what that button says. */
export function ask(text, agree) {
  byId("ask-text").textContent = text;
  yes.textContent = agree;
  box.returnValue = "";
  box.showModal();
  return new Promise((resolve) => box.addEventListener("close", () => resolve(box.returnValue === "yes"), { once: true }));
}

for (const button of [no, yes]) button.addEventListener("click", () => box.close(button.value));
