// The tables of a lens as the shaders take them; `gpu/shapes.py` is its twin, and explains them.

import { Profile, apertureOf } from "./aperture.js";
import { footprintOf } from "./footprint.js";
import { keptBy } from "./vignetting.js";

// Of a look, by the names of its settings: `records`, `table`, `kept_at`, `cuts`, `limits` and `radii`.
export function shapesOf(look, constants) {
  const { RADII, LINEAR_LIMIT_PX, STEPS_PER_E_FOLD, SHARED_LEAST_PX, RADIUS_STEPS_PER_PX } = constants;
  const radii = Array.from({ length: RADII }, (_, index) => (index * LINEAR_LIMIT_PX) / (RADII - 1));
  radii.push(LINEAR_LIMIT_PX * Math.exp(1 / STEPS_PER_E_FOLD)); // a footprint reaches one step beyond its limit
  const aperture = apertureOf(look);
  const profile = new Profile(look, constants);
  const footprint = footprintOf(aperture, profile, radii, constants);
  const limits = { level_px: LINEAR_LIMIT_PX };
  if (look.cat_eye !== 0 || look.swirl !== 0) return { ...steps(footprint, radii, RADII, keptBy(look, aperture, profile, constants)), limits, radii: RADII };
  const tables = drawn(footprint, RADII, profile.isFlat, SHARED_LEAST_PX * RADIUS_STEPS_PER_PX);
  if (profile.isFlat) limits.shared_px = constants.SHARED_FROM_PX;
  return { ...tables, limits, radii: RADII };
}

// Where vignetting cuts shapes: the steps of their rows, and what vignetting keeps.
function steps(footprint, radiiPx, radii, kept) {
  const { first, reach, row_first, places, heights, inverse_area } = footprint;
  const size = 6 * radii;
  const records = new Uint32Array(size + row_first.length);
  const bits = new Float32Array(records.buffer);
  for (let number = 0; number < 2 * radii; number++) {
    const index = number % radii;
    const from = number < radii ? index : radiiPx.length + index;
    const columns = 2 * Math.trunc(radiiPx[index] + 1.5) + 1;
    records[3 * number] = first[from] + size;
    records[3 * number + 1] = (2 * reach[index] + 1) | (columns << 16);
    bits[3 * number + 2] = inverse_area[from];
  }
  records.set(row_first, size);
  const table = new Float32Array(2 * places.length + kept.length);
  for (let step = 0; step < places.length; step++) {
    table[2 * step] = places[step];
    table[2 * step + 1] = heights[step];
  }
  table.set(kept, 2 * places.length);
  return { records, table, kept_at: 2 * places.length, cuts: true };
}

// Elsewhere: pictures of what they cover; where pixels share samples, also the means of four of them.
function drawn({ first, reach, row_first, places, heights, inverse_area }, radii, shares, sharedFrom) {
  const records = new Uint32Array(6 * radii * (shares ? 2 : 1));
  const bits = new Float32Array(records.buffer);
  const pictures = [];
  let at = 0;
  const keep = (number, { picture, rows, columns }, inverseArea) => {
    records[3 * number] = at;
    records[3 * number + 1] = rows | (columns << 16);
    bits[3 * number + 2] = inverseArea;
    pictures.push(picture);
    at += picture.length;
  };
  for (let number = 0; number < 2 * radii; number++) {
    const from = number < radii ? number : reach.length + number - radii;
    const alone = pictureOf(first[from], 2 * reach[number % radii] + 1, row_first, places, heights);
    keep(number, alone, inverse_area[from]);
    if (!shares) continue;
    bits[3 * (2 * radii + number) + 2] = inverse_area[from];
    if (number % radii >= sharedFrom) keep(2 * radii + number, meanOfFour(alone), inverse_area[from]);
  }
  const table = new Float32Array(at);
  at = 0;
  for (const picture of pictures) {
    table.set(picture, at);
    at += picture.length;
  }
  return { records, table, kept_at: 0, cuts: false };
}

// The mean of a picture and itself one pixel farther right, down, and both.
function meanOfFour({ picture, rows, columns }) {
  const mean = new Float32Array((rows + 1) * (columns + 1));
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const share = picture[row * columns + column] / 4;
      const at = row * (columns + 1) + column;
      for (const to of [at, at + 1, at + columns + 1, at + columns + 2]) mean[to] += share;
    }
  }
  return { picture: mean, rows: rows + 1, columns: columns + 1 };
}

// What one shape covers of each pixel; columns are odd, its own in the middle.
function pictureOf(first, rows, rowFirst, places, heights) {
  const [begin, end] = [rowFirst[first], rowFirst[first + rows]];
  let across = 0;
  for (let step = begin; step < end; step++) across = Math.max(across, Math.abs(Math.floor(places[step])));
  const columns = 2 * across + 1;
  const picture = new Float32Array(rows * columns);
  const line = new Float64Array(columns + 1);
  for (let row = 0; row < rows; row++) {
    line.fill(0);
    for (let step = rowFirst[first + row]; step < rowFirst[first + row + 1]; step++) {
      const cell = Math.floor(places[step]);
      const second = (places[step] - cell) * heights[step];
      line[cell + across] += heights[step] - second;
      line[cell + across + 1] += second;
    }
    let covered = 0;
    for (let column = 0; column < columns; column++) {
      covered += line[column];
      picture[row * columns + column] = covered;
    }
  }
  return { picture, rows, columns };
}
