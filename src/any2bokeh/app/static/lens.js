// Blur and lens: sliders and lists, all drawn from the studio's tables.
import { command, isAsking, settle } from "./api.js";
import { ChoiceSlider } from "./choice.js";
import { byId, el } from "./element.js";
import { preview } from "./preview.js";
import { Slider } from "./slider.js";
import { clip, store, strengthAt, watch } from "./store.js";

const looks = new Map(), numbers = new Map();
let strength = null;

/** Make the controls, once their tables are here. */
export function makeLens(tables) {
  strength = new Slider(tables.blur, (value) => {
    const begins = byId("blur-from-here").checked;
    move("blur", { frame: store.frame, strength: value, begins }, "blur", { strength: value, begins });
  });
  byId("strength-slider").append(strength.element);
  for (const row of tables.numbers) {
    const slider = new Slider(row, row.name === "f_number" ? setAperture : (value) => setNumber(row.name, value));
    numbers.set(row.name, slider);
    byId("blur-numbers").append(slider.element);
  }
  for (const group of tables.looks) {
    const fold = el("details", { className: "st-fold", open: group.is_open }, el("summary", {}, group.title));
    for (const row of group.sliders) {
      const moved = (value) => move("look", { name: row.name, value }, row.name, { look: { [row.name]: value } });
      const chosen = (value) => command("look", { name: row.name, value, chosen: true });
      const slider = row.choice ? new ChoiceSlider(row, moved, chosen) : new Slider(row, moved);
      looks.set(row.name, slider);
      fold.append(slider.element);
    }
    byId("looks").append(fold);
  }
  byId("lens").append(...tables.lenses.map((each) => el("option", { value: each.name }, each.label)));
  byId("edges").append(...tables.edges.map((each) => el("option", { value: each.name }, each.label)));
}

/** A slider has moved. Where the page draws that itself, the studio hears of it when the slider rests. */
function move(what, fields, replaces, change) {
  command(what, fields, { replaces, rests: preview(change) });
}

/** Before anything is in focus an f-number is only that of the lens; then it holds from a frame on, as K does. */
function setAperture(value) {
  const product = clip().f_number_times_blur, begins = byId("blur-from-here").checked;
  if (!product) { command("lens number", { name: "f_number", value }, { replaces: "f_number" }); return; }
  move("aperture", { frame: store.frame, f_number: value, begins }, "f_number", { strength: product / value, begins });
}

function setNumber(name, value) {
  const now = clip().lens.numbers, product = clip().f_number_times_blur, [[, first]] = clip().strengths;
  const changed = product && first ? product * power({ ...now, [name]: value }) / power(now) : NaN;
  if (changed > 0) move("lens number", { name, value }, name, { first: changed / now.f_number, product: changed });
  else command("lens number", { name, value }, { replaces: name });
}

/** What K of a lens at one f-number is in proportion to; see `Lens.blur_strength`. */
const power = ({ focal_length_mm: f, focus_distance_m: distance }) => f ** 2 / (1000 * distance - f);

function draw() {
  const now = clip();
  if (!now || !strength || isAsking()) return;
  strength.show(strengthAt(store.frame));
  strength.setDisabled(now.is_dense);
  byId("lens").value = now.lens.name;
  byId("edges").value = now.edges;
  for (const [name, slider] of looks) slider.show(now.lens.look[name]);
  for (const [name, slider] of numbers) slider.show(now.lens.numbers[name]);
  const blur = strengthAt(store.frame);
  if (now.f_number_times_blur && blur > 0) numbers.get("f_number").show(Math.round(100 * now.f_number_times_blur / blur) / 100);
}

byId("blur-by").addEventListener("change", (event) => {
  byId("blur-strength").hidden = event.target.value !== "strength";
  byId("blur-numbers").hidden = event.target.value !== "numbers";
});
for (const panel of ["panel-focus", "panel-lens"]) byId(panel).addEventListener("change", settle);
byId("lens").addEventListener("change", () => command("lens", { name: byId("lens").value }));
byId("edges").addEventListener("change", () => command("edges", { treatment: byId("edges").value }));
watch(draw);
