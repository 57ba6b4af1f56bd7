// A slider with a box for its number, drawn from a row of the studio's tables.
import { el } from "./element.js";

export class Slider {
  /** @param row {name, label, help, low, high, step, default}; @param moved is called with each new value. */
  constructor(row, moved) {
    const id = `set-${row.name.replaceAll("_", "-")}`;
    const about = el("p", { className: "st-about", id: `${id}-about` }, row.help);
    const limits = { min: row.low, max: row.high, step: row.step, value: row.default };
    this.range = el("input", { type: "range", id, ...limits });
    this.box = el("input", { type: "number", id: `${id}-box`, ...limits });
    this.box.setAttribute("aria-label", row.label);
    for (const each of [this.range, this.box]) each.setAttribute("aria-describedby", about.id);
    this.element = el("div", { className: "st-slider" }, el("label", { htmlFor: id }, row.label), about, this.box, this.range);
    this.range.addEventListener("pointerdown", () => { this.isHeld = true; });
    for (const over of ["pointerup", "pointercancel", "change"]) this.range.addEventListener(over, () => { this.isHeld = false; });
    this.range.addEventListener("input", () => { this.draw(Number(this.range.value)); moved(Number(this.range.value)); });
    this.box.addEventListener("change", () => {
      if (this.box.value !== "") { moved(Number(this.box.value)); return; }
      // What was emptied shows again what holds.
      if (this.word) this.show(this.word); else this.box.value = Math.round(Number(this.range.value) * 1000) / 1000;
    });
    // A number that was typed is done with: keys are the page's again, and Tab goes on from here.
    this.box.addEventListener("keydown", (event) => event.key === "Enter" && this.box.blur());
    this.draw(row.default);
  }

  /** Show a number, or a word in place of it, unless the slider is being moved. */
  show(value) {
    if (this.isHeld) return;
    const isWord = typeof value === "string";
    this.word = isWord ? value : "";
    this.draw(isWord ? Number(this.range.min) : value);
    this.box.placeholder = isWord ? value : "";
    if (isWord) { this.box.value = ""; this.range.setAttribute("aria-valuetext", value); }
  }

  setDisabled(isOff) { this.range.disabled = this.box.disabled = isOff; }

  draw(value) {
    const low = Number(this.range.min);
    if (value > Number(this.range.max)) this.range.max = this.box.max = value;
    this.range.value = value;
    this.range.removeAttribute("aria-valuetext");
    if (document.activeElement !== this.box || Number(this.box.value) !== value) this.box.value = Math.round(value * 1000) / 1000;
    this.range.style.setProperty("--share", `${100 * (value - low) / (Number(this.range.max) - low)}%`);
  }
}
