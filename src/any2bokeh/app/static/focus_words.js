// The focus of a frame in words: distances where they are known, else disparity.

// Sharp is what a circle of confusion of 1/1500 of the longer side does not tell from a point; K is for 1024 px.
const SHARP_PX = 1024 / 1500 / 2;

/** @param now the clip; @param focus its d_f, @param blur its K in the frame. */
export function focusInWords(now, focus, blur) {
  const metres = now.overview.inverse_metres_per_unit, product = now.f_number_times_blur;
  const words = [];
  if (metres) words.push(`focus ${inMetres(focus, metres)}`, `sharp ${depthOfField(focus, blur, metres)}`);
  else words.push(`focus ${focus.toFixed(3)}`);
  if (product && blur > 0) words.push(`f/${(product / blur).toPrecision(2)}`);
  words.push(`K ${blur.toPrecision(3)} px`);
  return words.join(" · ");
}

/** From where to where the picture is sharp. */
export function depthOfField(focus, blur, metres) {
  const reach = blur > 0 ? SHARP_PX / blur : Infinity;
  return `${inMetres(focus + reach, metres, "0 m")} to ${focus - reach > 0 ? inMetres(focus - reach, metres) : "infinity"}`;
}

function inMetres(disparity, metres, otherwise = "infinity") {
  if (!(disparity > 0)) return "infinity";
  const distance = 1 / (disparity * metres);
  if (!(distance > 0)) return otherwise;
  return `${distance < 10 ? distance.toFixed(2) : distance.toPrecision(3)} m`;
}
