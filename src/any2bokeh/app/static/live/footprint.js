// What a point out of focus covers, row by row, for every radius; `optics/footprint.py` is its twin.
//
// A footprint has the fields of `Footprint`: `first` (of all radii behind the focal plane, then in front of it), `reach`,
// `row_first`, `places`, `heights` and `inverse_area`.

const VERTICES = 1440;

// radii: in pixels, ascending; the first stands for all below half a pixel.
export function footprintOf(aperture, profile, radii, constants) {
  if (aperture.picture) return ofPicture(aperture, profile, radii, constants);
  const outline = aperture.outline(VERTICES);
  const height = Math.max(...outline.map(([, y]) => Math.abs(y)));
  const shape = { chords: chordsOf(outline, constants.CHORDS), height, constants };
  return profile.isFlat ? ofPlain(shape, radii) : ofPile(shape, profile, radii);
}

// 1. A plain convex shape: two steps a row, in and out.

function ofPlain(shape, radii) {
  const behind = rowsOf(shape, radii);
  const sides = [behind, mirrored(behind)];
  const rows = behind.spans.length / 3;
  const found = empty(radii.length, behind.reach, 2 * rows, 4 * rows);
  sides.forEach((side, number) => {
    for (let i = 0; i < radii.length; i++) found.first[number * radii.length + i] = number * rows + behind.first[i];
    for (let row = 0; row < rows; row++) {
      const [left, right, filled] = side.spans.subarray(3 * row, 3 * row + 3);
      const at = 2 * (number * rows + row);
      found.places.set([left + 0.5, right + 0.5], at);
      found.heights.set([filled, -filled], at);
      found.row_first[number * rows + row + 1] = at + 2;
    }
  });
  for (let i = 0; i < radii.length; i++) {
    let area = 0;
    for (let row = behind.first[i]; row < behind.first[i + 1]; row++) {
      const [left, right, filled] = [0, 1, 2].map((n) => behind.spans[3 * row + n]);
      area += (right - left) * filled;
    }
    found.inverse_area[i] = found.inverse_area[radii.length + i] = 1 / area;
  }
  return found;
}

// 2. A pile of scaled shapes: a profile. A disc of the pile for every pixel or so of radius.

function ofPile(shape, profile, radii) {
  const { MOST_DISCS, IDENTITY_RADIUS_PX } = shape.constants;
  const counts = Array.from(radii, (radius) => Math.trunc(Math.min(Math.max(1 + 0.75 * radius, 1), MOST_DISCS)));
  const reach = Int32Array.from(radii, (radius) => Math.floor(radius * shape.height + 0.5));
  const scales = (count) => Array.from({ length: count }, (_, disc) => Math.sqrt((disc + 1) / count));
  const behind = Array.from(radii, (radius, i) =>
    rowsOf(shape, scales(counts[i]).map((scale) => Math.max(radius * scale, IDENTITY_RADIUS_PX))));
  const [places, heights, rowFirst, first, areas] = [[], [], [0], [], []];
  for (const inFront of [false, true]) {
    const piles = new Map([...new Set(counts)].map((count) => [count, profile.steps(count, inFront)]));
    radii.forEach((_, i) => {
      const pile = piles.get(counts[i]);
      const discs = inFront ? mirrored(behind[i]) : behind[i];
      first.push(rowFirst.length - 1);
      let area = 0;
      for (let row = -reach[i]; row <= reach[i]; row++) {
        for (let disc = 0; disc < pile.length; disc++) {
          if (Math.abs(row) > discs.reach[disc]) continue;
          const at = 3 * (discs.first[disc] + discs.reach[disc] + row);
          const left = discs.spans[at];
          const right = discs.spans[at + 1];
          const height = discs.spans[at + 2] * pile[disc];
          places.push(left + 0.5, right + 0.5);
          heights.push(height, -height);
          area += (right - left) * height;
        }
        rowFirst.push(places.length);
      }
      areas.push(1 / area);
    });
  }
  return {
    first: Int32Array.from(first),
    reach,
    row_first: Int32Array.from(rowFirst),
    places: Float32Array.from(places),
    heights: Float32Array.from(heights),
    inverse_area: Float32Array.from(areas),
  };
}

// 3. A picture of an aperture: it steps wherever it changes. Neighbouring radii share one.

function ofPicture(aperture, profile, radii, { RADII_PER_PICTURE, LEAST_STEP }) {
  const count = radii.length;
  const keptOf = (index) => (index ? Math.min(Math.floor(index / RADII_PER_PICTURE) * RADII_PER_PICTURE + 2, count - 1) : 0);
  const [first, reach, inverseArea] = [new Int32Array(2 * count), new Int32Array(count), new Float32Array(2 * count)];
  const [places, heights, rowFirst] = [[], [], [0]];
  for (const inFront of [false, true]) {
    const made = new Map();
    for (let index = 0; index < count; index++) {
      const kept = keptOf(index);
      if (!made.has(kept)) {
        const { bright, side } = kept ? aperture.picture(radii[kept], profile, inFront) : { bright: [1], side: 1 };
        const begin = rowFirst.length - 1;
        let area = 0;
        for (let row = 0; row < side; row++) {
          let level = 0;
          for (let column = 0; column <= side; column++) {
            const value = column < side ? bright[row * side + column] : 0;
            // Smaller changes wait until they have added up to a step; a row ends at 0.
            if (!(Math.abs(value - level) > LEAST_STEP || (column === side && value !== level))) continue;
            places.push(column - (side - 1) / 2);
            heights.push(value - level);
            area -= column * (value - level);
            level = value;
          }
          rowFirst.push(places.length);
        }
        made.set(kept, { begin, area, reach: (side - 1) / 2 });
      }
      const found = made.get(kept);
      first[Number(inFront) * count + index] = found.begin;
      inverseArea[Number(inFront) * count + index] = 1 / found.area;
      reach[index] = found.reach;
    }
  }
  return { first, reach, row_first: Int32Array.from(rowFirst), places: Float32Array.from(places), heights: Float32Array.from(heights), inverse_area: inverseArea };
}

function empty(radii, reach, rows, steps) {
  return {
    first: new Int32Array(2 * radii),
    reach,
    row_first: new Int32Array(rows + 1),
    places: new Float32Array(steps),
    heights: new Float32Array(steps),
    inverse_area: new Float32Array(2 * radii),
  };
}

// Of each radius its reach and its first row, and of each row left, right and height, behind the focal plane.
function rowsOf(shape, radii) {
  const reach = Int32Array.from(radii, (radius) => Math.floor(radius * shape.height + 0.5));
  const first = new Int32Array(radii.length + 1);
  for (let i = 0; i < radii.length; i++) first[i + 1] = first[i] + 2 * reach[i] + 1;
  const spans = new Float32Array(3 * first[radii.length]);
  for (let i = 0; i < radii.length; i++) fillSpans(shape, radii[i], first[i], reach[i], spans);
  return { reach, first, spans };
}

// Each radius' shape upside down and mirrored.
function mirrored({ reach, first, spans }) {
  const turned = new Float32Array(spans.length);
  for (let i = 0; i < reach.length; i++) {
    for (let row = 0; row <= 2 * reach[i]; row++) {
      const from = 3 * (first[i] + 2 * reach[i] - row);
      const to = 3 * (first[i] + row);
      turned[to] = -spans[from + 1];
      turned[to + 1] = -spans[from];
      turned[to + 2] = spans[from + 2];
    }
  }
  return { reach, first, spans: turned };
}

// Left and right end of the unit shape at fine steps of y in [-1, 1].
function chordsOf(outline, count) {
  const left = new Float64Array(count).fill(Infinity);
  const right = new Float64Array(count).fill(-Infinity);
  const place = (chord) => -1 + ((chord + 0.5) * 2) / count;
  outline.forEach(([x0, y0], i) => {
    const [x1, y1] = outline[(i + 1) % outline.length];
    const [low, high] = [Math.min(y0, y1), Math.max(y0, y1)];
    const begin = Math.max(Math.floor(((low + 1) * count) / 2 - 0.5), 0);
    const end = Math.min(Math.ceil(((high + 1) * count) / 2 - 0.5), count - 1);
    for (let chord = begin; chord <= end; chord++) {
      const y = place(chord);
      if (y0 <= y === y1 <= y) continue;
      const x = x0 + ((x1 - x0) * (y - y0)) / (y1 - y0);
      left[chord] = Math.min(left[chord], x);
      right[chord] = Math.max(right[chord], x);
    }
  });
  return { left, right, count };
}

function fillSpans({ chords, constants }, radius, first, reach, spans) {
  const { left, right, count: chordCount } = chords;
  const subrows = constants.SUBROWS;
  if (radius < constants.IDENTITY_RADIUS_PX) {
    spans.set([-0.5, 0.5, 1], 3 * first); // its own pixel
    return;
  }
  for (let row = -reach; row <= reach; row++) {
    let count = 0;
    let leftSum = 0;
    let rightSum = 0;
    for (let sub = 0; sub < subrows; sub++) {
      const y = (row - 0.5 + (sub + 0.5) / subrows) / radius;
      const chord = Math.trunc((y + 1) * 0.5 * chordCount);
      if (y <= -1 || chord >= chordCount || left[chord] > right[chord]) continue;
      count++;
      leftSum += left[chord];
      rightSum += right[chord];
    }
    if (count > 0) spans.set([(radius * leftSum) / count, (radius * rightSum) / count, count / subrows], 3 * (first + row + reach));
  }
}
