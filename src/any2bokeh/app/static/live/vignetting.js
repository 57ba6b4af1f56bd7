// What the lens barrel keeps of the light, by place in the frame; `optics/vignetting.py` explains it.

// The share that passes at distances from 0 to 1 and directions from 0 to 4, row by row.
export function keptBy({ cat_eye, swirl }, aperture, profile, constants) {
  const { KEPT_ROWS, KEPT_COLUMNS, KEPT_GRID } = constants;
  const { x, y, bright, total } = brightPlaces(aperture, profile, KEPT_GRID);
  const kept = new Float32Array(KEPT_ROWS * KEPT_COLUMNS);
  for (let i = 0; i < KEPT_ROWS; i++) {
    const within = i / (KEPT_ROWS - 1);
    const [shift, narrowed] = [-cat_eye * within, 1 - swirl * within * within];
    for (let j = 0; j < KEPT_COLUMNS; j++) {
      const [radialX, radialY] = within > 0 ? towards((4 * j) / (KEPT_COLUMNS - 1)) : [1, 0];
      let open = 0;
      for (let k = 0; k < bright.length; k++) {
        const radial = (x[k] * radialX + y[k] * radialY - shift) / narrowed;
        const tangential = y[k] * radialX - x[k] * radialY;
        if (radial * radial + tangential * tangential <= 1) open += bright[k];
      }
      kept[i * KEPT_COLUMNS + j] = Math.max(open / total, 1e-3);
    }
  }
  return kept;
}

// A place on the diamond around the centre, as a direction of length 1.
function towards(direction) {
  const across = direction <= 2 ? 1 - direction : direction - 3;
  const down = (1 - Math.abs(across)) * (direction <= 2 ? 1 : -1);
  const length = Math.hypot(across, down);
  return [across / length, down / length];
}

// Places of a grid over the unit disc that let light through, and how much.
function brightPlaces(aperture, profile, side) {
  const [x, y, bright] = [[], [], []];
  let total = 0;
  for (let row = 0; row < side; row++) {
    for (let column = 0; column < side; column++) {
      const place = [((column + 0.5) * 2) / side - 1, ((row + 0.5) * 2) / side - 1];
      const gauge = aperture.gauge(...place);
      const open = aperture.transmission ? aperture.transmission(...place) : Number(gauge <= 1);
      const value = open && open * profile.brightness(Math.min(gauge, 1), false);
      if (value === 0) continue;
      x.push(place[0]);
      y.push(place[1]);
      bright.push(value);
      total += value;
    }
  }
  return { x: Float64Array.from(x), y: Float64Array.from(y), bright: Float64Array.from(bright), total };
}
