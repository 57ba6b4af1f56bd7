// The tables of a lens as the shaders take them; `gpu/shapes.py` is its twin, and explains them.

import { Profile, apertureOf } from "./aperture.js";
import { footprintOf } from "./footprint.js";
import { keptBy } from "./vignetting.js";

// Beyond these radii a page follows no lamps: their shapes would take too long to make.
const MOST_LAMP_PX = { plain: 256, detailed: 64 };

// What a lens makes of points, for every radius that is asked for.
//
// look: its settings; mask: an array with the picture of its aperture, and its shape; null = none.
export class Tables {
  constructor(look, mask, constants) {
    this._look = look;
    this._constants = constants;
    this._aperture = apertureOf(look, mask);
    this._profile = new Profile(look, constants);
    this._isPlain = this._profile.isFlat && !mask;
    this._made = {}; // by what is made: its size, and the tables
    this.cuts = look.cat_eye !== 0 || look.swirl !== 0;
    const { LINEAR_LIMIT_PX, RADIUS_STEPS_PER_PX, LIMITS } = constants;
    const { inverse_area } = this._footprint(LINEAR_LIMIT_PX);
    const area = 1 / (inverse_area[LINEAR_LIMIT_PX * RADIUS_STEPS_PER_PX] * Math.PI * LINEAR_LIMIT_PX ** 2);
    this.limits = LIMITS[this.cuts || !this._isPlain || area < constants.NARROW ? "detailed" : area < constants.ROUND ? "edged" : "round"];
    this.mostLampPx = MOST_LAMP_PX[this._isPlain ? "plain" : "detailed"];
  }

  // The shapes of points for a frame in which no radius is larger than `mostPx`: `records`, `table`, `kept_at`, `radii`.
  shapes(mostPx) {
    const largest = Math.min(this._size(mostPx), this.limits.level_px);
    return this._once("shapes", largest, () => {
      const radii = indexOf(largest, this._constants) + 1;
      const footprint = this._footprint(largest);
      if (!this.cuts) return drawn(footprint, radii, indexOf(this.limits.alone_px, this._constants));
      const columns = radiiUpTo(largest, this._constants).map((radius) => 2 * Math.trunc(radius + 1.5) + 1);
      return steps(footprint, radii, this._kept(), (index) => (2 * footprint.reach[index] + 1) | (columns[index] << 16));
    });
  }

  // The shapes of lamps, which are never drawn at a level.
  lampShapes(mostPx) {
    return this._once("lamps", this._size(mostPx), () => {
      const footprint = this._footprint(this._size(mostPx));
      const kept = this.cuts ? this._kept() : new Float32Array(0);
      return steps(footprint, footprint.reach.length, kept, (index) => footprint.reach[index], 0);
    });
  }

  // A size of the tables is made once, and serves what is smaller.
  _once(name, size, make) {
    const known = this._made[name];
    if (!known || known.size < size) this._made[name] = { size, value: make() };
    return this._made[name].value;
  }

  _size(mostPx) {
    let size = this._constants.LINEAR_LIMIT_PX;
    while (size < mostPx) size *= 2;
    return size;
  }

  _footprint(largestPx) {
    const size = this._size(largestPx);
    const make = () => footprintOf(this._aperture, this._profile, radiiUpTo(size, this._constants), this._constants);
    return this._once(`footprint ${size}`, size, make);
  }

  _kept() {
    return this._once("kept", 0, () => keptBy(this._look, this._aperture, this._profile, this._constants));
  }
}

// The radii for which shapes are kept, one step beyond the largest; see `optics/radii.py`.
function radiiUpTo(largestPx, { LINEAR_LIMIT_PX, RADIUS_STEPS_PER_PX, STEPS_PER_E_FOLD }) {
  const linear = LINEAR_LIMIT_PX * RADIUS_STEPS_PER_PX;
  const count = linear + Math.trunc(Math.log(largestPx / LINEAR_LIMIT_PX) * STEPS_PER_E_FOLD + 0.5) + 2;
  return Array.from({ length: count }, (_, index) =>
    index < linear ? index / RADIUS_STEPS_PER_PX : LINEAR_LIMIT_PX * Math.exp((index - linear) / STEPS_PER_E_FOLD));
}

function indexOf(radiusPx, { LINEAR_LIMIT_PX, RADIUS_STEPS_PER_PX, STEPS_PER_E_FOLD }) {
  if (radiusPx < LINEAR_LIMIT_PX) return Math.trunc(radiusPx * RADIUS_STEPS_PER_PX + 0.5);
  return LINEAR_LIMIT_PX * RADIUS_STEPS_PER_PX + Math.trunc(Math.log(radiusPx / LINEAR_LIMIT_PX) * STEPS_PER_E_FOLD + 0.5);
}

// The steps of their rows, and what vignetting keeps. Those of points begin in `records`, whose size comes before.
function steps({ reach, first, row_first, places, heights, inverse_area }, radii, kept, sizeOf, before = 6 * radii) {
  const records = new Uint32Array(6 * radii + row_first.length);
  const bits = new Float32Array(records.buffer);
  for (let number = 0; number < 2 * radii; number++) {
    const index = number % radii;
    const from = number < radii ? index : reach.length + index;
    records[3 * number] = first[from] + before;
    records[3 * number + 1] = sizeOf(index);
    bits[3 * number + 2] = inverse_area[from];
  }
  records.set(row_first, 6 * radii);
  const table = new Float32Array(2 * places.length + kept.length);
  for (let step = 0; step < places.length; step++) {
    table[2 * step] = places[step];
    table[2 * step + 1] = heights[step];
  }
  table.set(kept, 2 * places.length);
  return { records, table, kept_at: 2 * places.length, radii };
}

// Pictures of what they cover, and the means of four of them, for samples that pixels share. Those after `lastAlone` are
// there as a mean only; radii that share a shape share its picture.
function drawn({ first, reach, row_first, places, heights, inverse_area }, radii, lastAlone) {
  const records = new Uint32Array(12 * radii);
  const bits = new Float32Array(records.buffer);
  const pictures = [];
  const known = new Map(); // by the first row of a shape: `[at, size]` of it, and of the mean
  let at = 0;
  const kept = ({ picture, rows, columns }) => {
    pictures.push(picture);
    at += picture.length;
    return [at - picture.length, rows | (columns << 16)];
  };
  for (let number = 0; number < 2 * radii; number++) {
    const index = number % radii;
    const from = number < radii ? index : reach.length + index;
    if (!known.has(first[from])) {
      const alone = pictureOf(first[from], 2 * reach[index] + 1, row_first, places, heights);
      known.set(first[from], [index > lastAlone ? [0, 0] : kept(alone), kept(meanOfFour(alone))]);
    }
    known.get(first[from]).forEach((placed, kind) => {
      const record = 3 * (2 * radii * kind + number);
      records.set(placed, record);
      bits[record + 2] = inverse_area[from];
    });
  }
  const table = new Float32Array(at);
  at = 0;
  for (const picture of pictures) {
    table.set(picture, at);
    at += picture.length;
  }
  return { records, table, kept_at: 0, radii };
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
