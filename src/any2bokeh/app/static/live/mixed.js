// The mixed pixels of a frame, which come as a list.

import { packed } from "./params.js";

export const PLANES = 6; // see `mixed.wgsl`

const LISTED = ["count", "pixels"].map((name) => [name, "i"]);

// Put the stage that makes planes of the list into a list of commands, and give the buffer that holds them.
export function placeMixed(device, commands, { mixed, mixed_at, disparity }, uploads) {
  const pixels = disparity.length;
  const planes = device.buffer("mixed", 4 * PLANES * pixels);
  if (!uploads) return planes;
  const places = device.upload("mixed places", mixed_at);
  const values = device.upload("mixed values", mixed);
  commands.clear(planes);
  const params = packed(LISTED, { count: mixed_at.length, pixels });
  commands.dispatch("place_mixed", params, [places, values, planes], [Math.ceil(mixed_at.length / 64), 1]);
  return planes;
}
