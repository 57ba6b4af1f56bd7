// Bins and levels; `bins.py` and `gpu/levels.py` explain them.

// Bin of a signed defocus in pixels.
export function depthBin(defocus, constants) {
  const { FOCUS_BIN, LINEAR_BINS, BINS_PER_E_FOLD } = constants;
  const radius = Math.abs(defocus);
  if (radius < 0.5) return FOCUS_BIN;
  let away;
  if (radius < LINEAR_BINS + 0.5) {
    away = 1 + Math.floor(radius - 0.5);
  } else {
    away = LINEAR_BINS + 1 + Math.floor(Math.log(radius / (LINEAR_BINS + 0.5)) * BINS_PER_E_FOLD);
    away = Math.min(away, FOCUS_BIN);
  }
  return defocus > 0 ? FOCUS_BIN + away : FOCUS_BIN - away;
}

// The runs of a frame, `{level, cell_level, near_bin, far_bin, reach}`, front to back: bins that are treated alike and follow
// one another. limits: `Limits` of `gpu/levels.py`.
export function runsOf(nearestPx, farthestPx, shiftPx, { level_px, shared_px, alone_px, levels_share }, constants) {
  // The GPU rounds otherwise: a sample at an end must not fall into a bin beyond it, which nobody gathers.
  [nearestPx, farthestPx] = [nearestPx + marginPx(nearestPx), farthestPx - marginPx(farthestPx)];
  const runs = [];
  for (let bin = depthBin(nearestPx, constants); bin >= depthBin(farthestPx, constants); bin--) {
    let [low, high] = defocusOf(bin, constants);
    [low, high] = [Math.max(low, farthestPx), Math.min(high, nearestPx)];
    const widest = Math.max(Math.abs(low + shiftPx), Math.abs(high + shiftPx));
    let level = Math.max(Math.ceil(Math.log2(Math.max(widest, 1e-3) / level_px)), 0);
    const ends = [low + shiftPx, high + shiftPx];
    const least = ends[0] * ends[1] > 0 ? Math.min(...ends.map(Math.abs)) : 0;
    const shares = widest > shared_px && least > constants.SHARED_LEAST_PX;
    if (!level && !shares && widest > alone_px) level = 1; // a bin that a channel's own focal plane runs through
    const cell_level = level ? level + Number(levels_share) : Number(shares);
    const reach = Math.ceil(Math.min(widest / 2 ** level, level_px)) + 1;
    const last = runs[runs.length - 1];
    if (last && last.level === level && last.cell_level === cell_level) {
      last.far_bin = bin;
      last.reach = Math.max(last.reach, reach);
    } else {
      runs.push({ level, cell_level, near_bin: bin, far_bin: bin, reach });
    }
  }
  return runs;
}

function marginPx(defocusPx) {
  return 1e-3 + 1e-4 * Math.abs(defocusPx);
}

// Least and largest signed defocus in a bin.
function defocusOf(bin, constants) {
  const { BIN_COUNT, FOCUS_BIN } = constants;
  const away = Math.abs(bin - FOCUS_BIN);
  const inner = radiusPx(away, constants);
  const outer = away < Math.floor(BIN_COUNT / 2) ? radiusPx(away + 1, constants) : Infinity;
  if (away === 0) return [-outer, outer];
  return bin > FOCUS_BIN ? [inner, outer] : [-outer, -inner];
}

// Radius at which the bin `away` from the one in focus begins.
function radiusPx(away, { LINEAR_BINS, BINS_PER_E_FOLD }) {
  if (away <= LINEAR_BINS + 1) return Math.max(away - 0.5, 0);
  return (LINEAR_BINS + 0.5) * Math.exp((away - LINEAR_BINS - 1) / BINS_PER_E_FOLD);
}
