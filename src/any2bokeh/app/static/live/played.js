// Frames that a page plays, whose pictures it has: what `disparity_message` of `app/live.py` tells of them.

import { opened } from "./message.js";
import { PLANES } from "./mixed.js";

const NONE = new Uint8Array(0);

// Those of a message, an ArrayBuffer, in its order.
export function playedFrames(message) {
  const { frames, arrays: { disparity, mixed = NONE, mixed_at = NONE } } = opened(message, (values) => values);
  const [, ...shape] = disparity.shape, size = shape[0] * shape[1];
  let from = 0;
  return frames.map((told, at) => {
    const own = Object.assign(disparity.subarray(at * size, (at + 1) * size), { shape });
    const to = from + told.mixed, places = mixed_at.subarray(from, to);
    const played = new PlayedFrame(told, own, mixed.subarray(PLANES * from, PLANES * to), places);
    from = to;
    return played;
  });
}

class PlayedFrame {
  // Samples are codes of 8 bits: so they take a quarter of the memory.
  constructor({ frame, focus_disparity: focus, blur_strength: blur }, disparity, mixed, mixed_at) {
    Object.assign(this, { frame, focus, blur, disparity, mixed, mixed_at });
  }

  // What a renderer takes beside its picture; see `giveShown`.
  given() {
    const { disparity, mixed, mixed_at } = this, [height, width] = disparity.shape;
    const arrays = mixed_at.length ? { disparity, mixed: samples(mixed), mixed_at } : { disparity };
    return { window: [0, height, 0, width], arrays };
  }

  // What it takes with the picture as code values, (3, H, W).
  givenWith(pixels) {
    const { window, arrays } = this.given(), disparity = samples(this.disparity);
    disparity.shape = this.disparity.shape;
    return { window, arrays: { ...arrays, pixels, disparity } };
  }
}

function samples(codes) {
  const found = new Float32Array(codes.length);
  for (let i = 0; i < codes.length; i++) found[i] = codes[i] / 255;
  return found;
}
