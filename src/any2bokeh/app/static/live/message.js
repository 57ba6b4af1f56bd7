// A message of `app/live.py`: JSON, and arrays.

const TYPES = { uint8: Uint8Array, uint16: Uint16Array, uint32: Uint32Array, float32: Float32Array };

// What the JSON says, and under `arrays` each array as the samples that it stands for: Float32Array, or Uint32Array.
//
// samplesOf: makes something else of the values of an array and the unit that they are multiplied by.
export function opened(buffer, samplesOf = samples) {
  const size = new DataView(buffer).getUint32(0, true);
  const said = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, size)));
  const arrays = {};
  for (const [name, { type, shape, at, unit }] of Object.entries(said.arrays)) {
    const count = shape.reduce((product, side) => product * side, 1);
    arrays[name] = samplesOf(new TYPES[type](buffer, 4 + size + at, count), unit);
    arrays[name].shape = shape;
  }
  return { ...said, arrays };
}

function samples(values, unit) {
  if (values instanceof Float32Array || values instanceof Uint32Array) return values;
  const found = new Float32Array(values.length);
  for (let i = 0; i < values.length; i++) found[i] = values[i] * unit;
  return found;
}
