// A slider with a choice above it: a number, a word in place of it, or what the slider says.
import { el } from "./element.js";
import { Slider } from "./slider.js";

export class ChoiceSlider {
  /**
   * @param row of a slider, with choice {label, options: [{value, label}]}; the last option is every other number.
   * @param moved is called with each new number of the slider; @param chosen with the value of an option.
   */
  constructor(row, moved, chosen) {
    const { label, options } = row.choice;
    this.slider = new Slider(row, moved);
    this.values = options.map((each) => each.value);
    this.inputs = options.map((each, number) => {
      const input = el("input", { type: "radio", name: `${this.slider.range.id}-choice`, value: String(each.value) });
      input.addEventListener("change", () => chosen(this.values[number]));
      return input;
    });
    const labels = options.map((each, number) => el("label", {}, this.inputs[number], each.label));
    this.element = el("div", {}, el("fieldset", { className: "st-choice" }, el("legend", {}, label), ...labels), this.slider.element);
    this.show(row.default);
  }

  /** Show a number or a word. */
  show(value) {
    const last = this.values.length - 1, at = this.values.indexOf(value);
    this.inputs[at < 0 ? last : at].checked = true;
    if (at < 0) this.values[last] = value;  // to choose it again brings back the number that was there
    this.slider.show(value);
  }
}
