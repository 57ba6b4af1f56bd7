// A frame whose picture is on the GPU already: that of a video, which nobody reads back.

import { packed } from "./params.js";

const TAKEN = ["width", "height", "picture_width", "picture_height"].map((name) => [name, "i"]);

// Put the stage that makes code values and disparity of it into a list of commands, and give the buffers that hold them.
export function takePicture(device, commands, { arrays: { disparity }, picture }, uploads) {
  const [height, width] = disparity.shape;
  const pixels = device.buffer("pixels", 12 * width * height);
  const taken = device.buffer("disparity", 4 * width * height);
  if (!uploads) return { pixels, disparity: taken };
  const codes = device.upload("disparity codes", inWords(disparity));
  const params = packed(TAKEN, { width, height, picture_width: picture[0], picture_height: picture[1] });
  const groups = [Math.ceil(width / 16), Math.ceil(height / 16)];
  commands.dispatch("take_picture", params, [device.picture, codes, pixels, taken], groups);
  return { pixels, disparity: taken };
}

function inWords(bytes) {
  if (bytes.length % 4 === 0) return bytes;
  const words = new Uint8Array(Math.ceil(bytes.length / 4) * 4);
  words.set(bytes);
  return words;
}
