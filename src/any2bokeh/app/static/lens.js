// Blur and lens: sliders and lists, all drawn from the studio's tables.
import { command, isAsking } from "./api.js";
import { ChoiceSlider } from "./choice.js";
import { byId, el } from "./element.js";
import { Slider } from "./slider.js";
import { clip, store, strengthAt, watch } from "./store.js";

const looks = new Map(), numbers = new Map();
let strength = null;

/** Make the controls, once their tables are here. */
export function makeLens(tables) {
  strength = new Slider(tables.blur, (value) => {
    command("blur", { frame: store.frame, strength: value, begins: byId("blur-from-here").checked }, { replaces: "blur" });
  });
  byId("strength-slider").append(strength.element);
  for (const row of tables.numbers) {
    const slider = new Slider(row, row.name === "f_number" ? setAperture
      : (value) => command("lens number", { name: row.name, value }, { replaces: row.name }));
    numbers.set(row.name, slider);
    byId("blur-numbers").append(slider.element);
  }
  for (const group of tables.looks) {
    const fold = el("details", { className: "st-fold", open: group.is_open }, el("summary", {}, group.title));
    for (const row of group.sliders) {
      const moved = (value) => command("look", { name: row.name, value }, { replaces: row.name });
      const chosen = (value) => command("look", { name: row.name, value, chosen: true });
      const slider = row.choice ? new ChoiceSlider(row, moved, chosen) : new Slider(row, moved);
      looks.set(row.name, slider);
      fold.append(slider.element);
    }
    byId("looks").append(fold);
  }
  byId("lens").append(...tables.lenses.map((each) => el("option", { value: each.name }, each.label)));
}

/** Before anything is in focus an f-number is only that of the lens; then it holds from a frame on, as K does. */
function setAperture(value) {
  if (!clip().f_number_times_blur) { command("lens number", { name: "f_number", value }, { replaces: "f_number" }); return; }
  command("aperture", { frame: store.frame, f_number: value, begins: byId("blur-from-here").checked }, { replaces: "f_number" });
}

function draw() {
  const now = clip();
  if (!now || !strength || isAsking()) return;
  strength.show(strengthAt(store.frame));
  strength.setDisabled(now.is_dense);
  byId("lens").value = now.lens.name;
  for (const [name, slider] of looks) slider.show(now.lens.look[name]);
  for (const [name, slider] of numbers) slider.show(now.lens.numbers[name]);
  const blur = strengthAt(store.frame);
  if (now.f_number_times_blur && blur > 0) numbers.get("f_number").show(Math.round(100 * now.f_number_times_blur / blur) / 100);
}

byId("blur-by").addEventListener("change", (event) => {
  byId("blur-strength").hidden = event.target.value !== "strength";
  byId("blur-numbers").hidden = event.target.value !== "numbers";
});
byId("lens").addEventListener("change", () => command("lens", { name: byId("lens").value }));
watch(draw);
