// A frame through the stages: which are dispatched, over which rows, with which buffers. `gpu/frame_passes.py` is its twin.

import { runsOf } from "./levels.js";
import { packed } from "./params.js";

// Put the stages that render some rows of a frame into a list of commands, and give the buffer of their code values.
//
// given: an Unlayered; layers: its buffers; band: `{top, bottom}`, rows of the window.
export function dispatchBand(device, commands, given, layers, band) {
  const { constants, lens } = given.engine;
  const [, , left, right] = given.frame.window;
  const [width, rows] = [right - left, band.bottom - band.top];
  const [shapes, table, encode] = ["shapes", "table", "encode"].map((name) => device.buffer(name, 0));
  const state = device.buffer("state", 16 * rows * width);
  const result = device.buffer("result", 12 * rows * width);
  const glow = device.buffer("glow", layers.lamps ? 12 * rows * width : 0);
  const lamps = layers.lamps || device.buffer("no lamps", 64);
  const groups = [Math.ceil(width / constants.TILE), Math.ceil(rows / constants.TILE)];
  const plan = passesOf(given.shiftPx).map((pass) => ({ ...pass, runs: placedRuns(given, band, pass.shift_px) }));
  const allRuns = plan.flatMap(({ runs }) => runs);
  const cells = device.buffer("cells", Math.max(...allRuns.map((placed) => placed.cellsBytes)));
  const sums = device.buffer("sums", Math.max(...allRuns.map((placed) => placed.sumsBytes)));
  const cut = lens.cuts ? "/cut" : "";
  for (const { channel, shift_px, runs } of plan) {
    const params = { ...paramsOf(given, band), channel, shift_px };
    const packedWith = (more) => packed(given.engine.params.Params, { ...params, ...more });
    commands.clear(state);
    for (const placed of runs) {
      const data = packedWith(placed.params());
      const { front, marks, extras, blocks } = layers;
      if (placed.run.cell_level === 0) {
        commands.dispatch(`gather${cut}`, data, [front, marks, extras, blocks, shapes, table, state], groups);
        continue;
      }
      const ofCells = packedWith({ ...placed.params(), level: placed.run.cell_level });
      commands.dispatch("reduce", ofCells, [front, marks, extras, blocks, cells], placed.groupsOfGrid);
      if (placed.run.level === 0) {
        commands.dispatch(`gather_cells${cut}`, data, [marks, cells, shapes, table, state], groups);
        continue;
      }
      const stage = placed.run.cell_level > placed.run.level ? "gather_level_cells" : "gather_level";
      commands.dispatch(`${stage}${cut}`, data, [cells, shapes, table, sums], placed.groupsOfSums);
      commands.dispatch("take_level", data, [marks, sums, state], groups);
    }
    if (layers.lamps) {
      const { front, marks, extras, highs } = layers;
      const { kept_at } = lens.tables.lampShapes(given.mostPx);
      const [ofLamps, ofTheirTable] = ["lamp shapes", "lamp table"].map((name) => device.buffer(name, 0));
      commands.dispatch(`shine${cut}`, packedWith({ kept_at }), [front, marks, extras, highs, ofLamps, ofTheirTable, lamps, glow], groups);
    }
    commands.dispatch("finish", packedWith({}), [layers.front, state, glow, lamps, encode, result], groups);
  }
  return result;
}

// The bands of a frame, `{top, bottom}` in rows of its window: as few as buffers allow.
export function bandsOf(given, mostBytes) {
  const [top, bottom] = given.frame.window;
  for (let count = 1; count < bottom - top; count++) {
    const bands = cutInto(given, count);
    if (Math.max(...bands.map((band) => largestBuffer(given, band))) <= mostBytes) return bands;
  }
  return cutInto(given, bottom - top);
}

// A run for a window of the frame: which pixels of its level are gathered, and which cells of samples reach these.
class PlacedRun {
  constructor(run, [top, bottom, left, right], constants) {
    const across = 2 ** run.level;
    this.run = run;
    this.constants = constants;
    // Two more to each side, between whose middles the outermost pixels lie.
    this.sums = { top: Math.floor(top / across) - 2, left: Math.floor(left / across) - 2 };
    this.sums.rows = Math.floor((bottom - 1) / across) + 3 - this.sums.top;
    this.sums.columns = Math.floor((right - 1) / across) + 3 - this.sums.left;
    const { reach } = run;
    const cellOf = (pixel) => Math.floor(pixel / 2 ** (run.cell_level - run.level));
    this.grid = { top: cellOf(this.sums.top - reach), left: cellOf(this.sums.left - reach) };
    this.grid.rows = cellOf(this.sums.top + this.sums.rows - 1 + reach) + 1 - this.grid.top;
    this.grid.columns = cellOf(this.sums.left + this.sums.columns - 1 + reach) + 1 - this.grid.left;
  }

  get cellsBytes() {
    if (!this.run.cell_level) return 0;
    return 32 * this.constants.CELL_SAMPLES * this.grid.rows * this.grid.columns;
  }

  get sumsBytes() {
    if (!this.run.level) return 0;
    return 16 * (this.run.near_bin - this.run.far_bin + 1) * this.sums.rows * this.sums.columns;
  }

  get groupsOfGrid() {
    return [Math.ceil(this.grid.columns / 8), Math.ceil(this.grid.rows / 8)];
  }

  get groupsOfSums() {
    const { TILE } = this.constants;
    return [Math.ceil(this.sums.columns / TILE), Math.ceil(this.sums.rows / TILE)];
  }

  params() {
    const { cell_level, ...values } = this.run;
    for (const of of ["sums", "grid"]) for (const [side, value] of Object.entries(this[of])) values[`${of}_${side}`] = value;
    return values;
  }
}

// Channel and shift of each rendering: red, green and blue have focal planes of their own, or share one.
function passesOf(shiftPx) {
  if (shiftPx === 0) return [{ channel: -1, shift_px: 0 }];
  return [shiftPx, 0, -shiftPx].map((shift_px, channel) => ({ channel, shift_px }));
}

function placedRuns(given, band, shiftPx) {
  const { constants, lens } = given.engine;
  const [top, , left, right] = given.frame.window;
  const window = [top + band.top, top + band.bottom, left, right];
  const runs = runsOf(given.nearestPx, given.farthestPx, shiftPx, lens.limits, constants);
  return runs.map((run) => new PlacedRun(run, window, constants));
}

function cutInto(given, count) {
  const { BLOCK } = given.engine.constants;
  const [top, bottom] = given.frame.window;
  const rows = Math.ceil(Math.ceil((bottom - top) / count) / BLOCK) * BLOCK;
  const bands = [];
  for (let first = 0; first < bottom - top; first += rows) bands.push({ top: first, bottom: Math.min(first + rows, bottom - top) });
  return bands;
}

// In bytes, of those that a band needs beside the layers, which are of the whole frame.
function largestBuffer(given, band) {
  const [, , left, right] = given.frame.window;
  const sizes = [16 * (band.bottom - band.top) * (right - left)];
  for (const { shift_px } of passesOf(given.shiftPx)) {
    for (const placed of placedRuns(given, band, shift_px)) sizes.push(placed.cellsBytes, placed.sumsBytes);
  }
  return Math.max(...sizes);
}

// What every stage of a band is about.
function paramsOf(given, band) {
  const { constants, lens, transfer, arrays } = given.engine;
  const [top, bottom, left, right] = given.frame.window;
  const { width, height, block_rows, block_columns } = given.values;
  const shapes = lens.tables.shapes(given.mostPx);
  return {
    width,
    height,
    window_top: top,
    window_left: left,
    window_width: right - left,
    band_top: band.top,
    band_rows: band.bottom - band.top,
    level: 0,
    near_bin: 0,
    far_bin: 0,
    reach: 0,
    grid_top: 0,
    grid_left: 0,
    grid_rows: 0,
    grid_columns: 0,
    sums_top: 0,
    sums_left: 0,
    sums_rows: 0,
    sums_columns: 0,
    block_rows,
    block_columns,
    radii: shapes.radii,
    kept_at: shapes.kept_at,
    cat_eye: lens.cat_eye,
    swirl: lens.swirl,
    // The centre of the lens is that of the frame without its surround.
    centre_row: (bottom - top - 1) / 2 + top,
    centre_column: (right - left - 1) / 2 + left,
    per_px: 2 / Math.hypot(bottom - top, right - left),
    encode_cells: Math.max(arrays.encode.length - 1, 0),
    peak: transfer.peak,
    has_glow: Number(given.followsLamps),
    focus_px: 0,
    nearest_px: given.nearestPx,
    lamp_radii: given.followsLamps ? lens.tables.lampShapes(given.mostPx).radii : 0,
  };
}
