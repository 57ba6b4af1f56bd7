// Another look of the lens, without asking the server; `engine_message` of `app/live.py` does the same.

import { shapesOf } from "./shapes.js";

const OF_SHAPE = ["blades", "blade_curvature", "aperture_rotation_deg", "anamorphic_ratio", "cat_eye", "swirl", "spherical", "softness", "onion_rings"];

// An opened message of the engine, with a look whose settings `changed` names; the others stay.
export function withLook(engine, changed) {
  const unknown = Object.keys(changed).filter((name) => !(name in engine.look));
  if (unknown.length) throw new RangeError(`a look has no setting ${unknown.join(", ")}`);
  const look = { ...engine.look, ...changed };
  const lens = {
    ...engine.lens,
    cat_eye: look.cat_eye,
    swirl: look.swirl,
    axial_chromatic: look.axial_chromatic,
    gain: engine.transfer.clips && look.highlights !== "auto" ? look.highlights : 0,
    threshold: look.highlight_threshold,
  };
  const { arrays, constants } = engine;
  if (OF_SHAPE.every((name) => look[name] === engine.look[name])) return { ...engine, look, lens };
  if (lens.is_picture) throw new RangeError("the tables of a picture of an aperture come from the server");
  const { records, table, kept_at, cuts, limits, radii } = shapesOf(look, constants);
  return { ...engine, look, lens: { ...lens, kept_at, cuts, limits, radii }, arrays: { ...arrays, records, table } };
}

// Whether an engine has a look already.
export function hasLook(engine, changed) {
  return Object.entries(changed).every(([name, value]) => engine.look[name] === value);
}
