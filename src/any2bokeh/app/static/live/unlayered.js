// A frame whose layers the GPU makes, and the stages that make them; `gpu/unlayered.py` is its twin.

import { packed } from "./params.js";
import { GpuFault } from "./device.js";
import { PLANES, placeMixed } from "./mixed.js";
import { takePicture } from "./picture.js";

const NOTHING = new Float32Array(4);

export class Unlayered {
  // frame: an opened message of a frame; engine: of the engine; wanted: focusDisparity and blurStrength, which is above 0.
  constructor(frame, engine, { focusDisparity, blurStrength }) {
    const { constants, lens, arrays } = engine;
    const [height, width] = frame.arrays.disparity.shape;
    const [top, bottom, left, right] = frame.window;
    const longest = Math.max(bottom - top, right - left);
    const scale = Math.fround((blurStrength * longest) / constants.REFERENCE_LONG_SIDE_PX);
    const defocus = (disparity) => Math.fround(scale * Math.fround(disparity - focusDisparity));
    const { front, all } = endsOf(frame);
    this.frame = frame;
    this.engine = engine;
    this.nearestPx = defocus(all[1]); // of all samples
    this.farthestPx = defocus(all[0]);
    this.deepestPx = scale * (front[1] - front[0]); // largest step that there may be between two pixels
    this.shiftPx = Math.fround(lens.axial_chromatic * scale);
    const mostPx = Math.max(Math.abs(this.nearestPx), Math.abs(this.farthestPx));
    this.mostPx = mostPx + Math.abs(this.shiftPx); // no radius is larger
    // Anything may lie behind something nearer, and be out of focus.
    const mayHaveLamps = this.nearestPx - this.farthestPx > constants.STEP_PX && mostPx > constants.LAMP_BLURRED_PX;
    this.followsLamps = mayHaveLamps && this.mostPx <= lens.tables.mostLampPx;
    this.raisesLamps = lens.raises_lamps && Boolean(frame.arrays.raised);
    this.values = {
      width,
      height,
      block_rows: Math.ceil(height / constants.BLOCK),
      block_columns: Math.ceil(width / constants.BLOCK),
      focus_disparity: focusDisparity,
      px_per_disparity: scale,
      shift_px: this.shiftPx,
      decode_cells: Math.max(arrays.decode.length - 1, 0),
      gain: lens.gain,
      threshold: lens.threshold,
      raised_from: lens.gain > 0 || lens.raises_lamps ? lens.threshold : 1e30,
      has_seen: frame.arrays.seen ? 1 : 0,
      ring: 0,
      widest_px: Math.max(Math.abs(defocus(front[0])), Math.abs(defocus(front[1]))),
      nearest_px: defocus(front[1]),
      has_mixed: frame.arrays.mixed ? 1 : 0,
      most_looks: constants.MOST_LOOKS,
      of_hidden: 0,
    };
    if (this.values.widest_px > longest) {
      throw new RangeError(`blur strength ${blurStrength} makes a circle of confusion of ${Math.round(this.values.widest_px)} px in a frame of ${right - left}x${bottom - top}; lower it, at most the longer side fits`);
    }
  }

  // Refuse a frame for which a device has no room in one piece.
  requireFits(device) {
    const { width, height } = this.values;
    const most = Math.floor(device.mostBytes / (4 * this.engine.constants.EXTRA_WORDS));
    if (width * height > most) throw new GpuFault(`a frame of ${width}x${height} is larger than this browser's GPU takes, ${(most / 1e6).toFixed(1)} megapixels`);
  }

  // Put the stages that make its layers into a list of commands, and give the buffers that will hold them.
  dispatch(device, commands, uploads) {
    const { arrays } = this.frame;
    const { CELL, EXTRA_WORDS, STEP_PX, REACH_MARGIN_PX, LAMP_BYTES, PIXELS_OF_A_LAMP } = this.engine.constants;
    const given = (name, values) => (uploads ? device.upload(name, values) : device.buffer(name, 0));
    const { width, height, block_rows, block_columns } = this.values;
    const count = width * height;
    const blockCount = block_rows * block_columns;
    const { pixels, disparity } = this.frame.picture
      ? takePicture(device, commands, this.frame, uploads)
      : { pixels: given("pixels", arrays.pixels), disparity: given("disparity", arrays.disparity) };
    const mixed = arrays.mixed ? placeMixed(device, commands, arrays, uploads) : given("mixed", NOTHING);
    const seen = given("seen", arrays.seen || NOTHING);
    const raised = given("raised", arrays.raised || NOTHING);
    const decode = device.buffer("decode", 0);
    const front = device.buffer("front", 16 * count);
    const ranges = device.buffer("ranges", 16 * blockCount);
    const bounded = device.buffer("bounded", 4 * blockCount);
    const blocks = device.buffer("blocks", 8 * blockCount);
    const cells = device.buffer("cell_low", 4 * Math.ceil(width / CELL) * Math.ceil(height / CELL));
    const kinds = device.buffer("kinds", 4 * count);
    const sources = device.buffer("sources", 4 * count);
    const extras = device.buffer("extras", 4 * EXTRA_WORDS * count);
    const marks = device.buffer("marks", 4 * count);
    const highs = device.buffer("highs", 4 * blockCount);
    const data = this.packed();
    const tiles = [block_columns, block_rows];
    const rings = device.buffer("rings", 4 * blockCount);
    commands.clear(rings);
    commands.dispatch("prepare", data, [pixels, disparity, decode, front, ranges, cells], tiles);
    if (this.raisesLamps) {
      const groups = [Math.ceil(arrays.raised[0] / 64), 1];
      commands.dispatch("raise_lamps", data, [raised, front, ranges], groups);
    }
    commands.dispatch("bounded_means", data, [front, ranges, bounded], tiles);
    const across = [Math.ceil(block_columns / 8), Math.ceil(block_rows / 8)];
    commands.dispatch("around_blocks", data, [ranges, bounded, blocks], across);
    commands.dispatch("steps", data, [front, blocks, kinds, sources, rings], tiles);
    commands.dispatch("split", data, [pixels, decode, front, blocks, mixed, seen, kinds, extras], tiles);
    let lamps = null;
    let ofLamps = [];
    if (this.followsLamps) {
      lamps = device.buffer("lamps", 16 + LAMP_BYTES * Math.ceil(count / PIXELS_OF_A_LAMP));
      const counts = device.buffer("lamp_counts", 4 * (2 + 2 * blockCount));
      commands.clear(counts);
      ofLamps = [front, blocks, ranges, kinds, extras, counts, lamps];
      // Lamps leave before hidden background is continued, which would smear them.
      this._takeLamps(commands, ofLamps, 0);
    }
    if (this.deepestPx > STEP_PX) {
      // A ring lies about its number of pixels away from the step.
      const last = Math.ceil(this.deepestPx + REACH_MARGIN_PX) + 2;
      for (let ring = 2; ring <= last; ring++) {
        commands.dispatch("fill_ring", this.packed({ ring }), [front, seen, decode, kinds, sources, extras, rings], tiles);
      }
    }
    commands.dispatch("backstops", data, [front, ranges, cells, marks], tiles);
    const buffers = [pixels, front, mixed, kinds, extras, marks, ranges, highs];
    commands.dispatch("finish_layers", data, buffers, tiles);
    if (this.followsLamps) {
      this._takeLamps(commands, ofLamps, 1);
      commands.dispatch("afford_lamps", data, [front, extras, lamps], [1, 1]);
    }
    return { front, marks, extras, blocks, highs, lamps };
  }

  // Put the stages that take lamps out of what is seen, or of hidden background, into a list of commands.
  _takeLamps(commands, buffers, of_hidden) {
    const [front, blocks, ranges, kinds, extras, counts, lamps] = buffers;
    const data = this.packed({ of_hidden });
    const tiles = [this.values.block_columns, this.values.block_rows];
    commands.dispatch("find_lamps", data, [front, blocks, ranges, kinds, extras, counts], tiles);
    commands.dispatch("order_lamps", data, [counts, lamps], [1, 1]);
    commands.dispatch("take_lamps", data, buffers, tiles);
  }

  packed(changed = {}) {
    return packed(this.engine.params.LayerParams, { ...this.values, ...changed });
  }
}

// Least and largest disparity of what is seen, and of all samples; found once a frame.
function endsOf(frame) {
  if (frame.ends) return frame.ends;
  const { disparity, mixed, seen } = frame.arrays;
  const count = disparity.length;
  const whole = disparity instanceof Uint8Array ? 255 : 1; // that of a picture that the GPU has
  const front = endsAmong(disparity, () => true).map((end) => Math.fround(end / whole));
  const all = [...front];
  if (mixed) widen(all, endsAmong(mixed, (i) => i % PLANES === 1 || i % PLANES === 2));
  if (seen) widen(all, endsAmong(seen.subarray(3 * count, 4 * count), (i) => seen[4 * count + i] > 0));
  frame.ends = { front, all };
  return frame.ends;
}

function endsAmong(values, counts) {
  const ends = [Infinity, -Infinity];
  for (let i = 0; i < values.length; i++) {
    if (!counts(i)) continue;
    if (values[i] < ends[0]) ends[0] = values[i];
    if (values[i] > ends[1]) ends[1] = values[i];
  }
  return ends;
}

function widen(ends, others) {
  ends[0] = Math.min(ends[0], others[0]);
  ends[1] = Math.max(ends[1], others[1]);
}
