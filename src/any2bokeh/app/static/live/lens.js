// The lens of a look, without asking the server.

import { Tables } from "./shapes.js";

const OF_SHAPE = ["blades", "blade_curvature", "aperture_rotation_deg", "anamorphic_ratio", "cat_eye", "swirl", "spherical", "softness", "onion_rings"];

// An opened message of the engine as the renderer takes it: with the lens of its look.
export function withLens(engine) {
  return { ...engine, lens: lensOf(engine, new Tables(engine.look, engine.arrays.mask ?? null, engine.constants)) };
}

// The same with a look whose settings `changed` names; the others stay.
export function withLook(engine, changed) {
  const unknown = Object.keys(changed).filter((name) => !(name in engine.look));
  if (unknown.length) throw new RangeError(`a look has no setting ${unknown.join(", ")}`);
  const given = { ...engine, look: { ...engine.look, ...changed } };
  const isSame = OF_SHAPE.every((name) => given.look[name] === engine.look[name]);
  return isSame ? { ...given, lens: lensOf(given, engine.lens.tables) } : withLens(given);
}

// Whether an engine has a look already.
export function hasLook(engine, changed) {
  return Object.entries(changed).every(([name, value]) => engine.look[name] === value);
}

function lensOf({ look, transfer }, tables) {
  const isAutomatic = look.highlights === "auto";
  return {
    tables,
    cuts: tables.cuts,
    limits: tables.limits,
    cat_eye: look.cat_eye,
    swirl: look.swirl,
    axial_chromatic: look.axial_chromatic,
    gain: transfer.clips && !isAutomatic ? look.highlights : 0,
    threshold: look.highlight_threshold,
    raises_lamps: isAutomatic && transfer.raises_lamps, // those that the picture has clipped
  };
}
