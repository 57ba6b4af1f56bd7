// What a dispatch is about, packed as `wgsl/params.wgsl` and `wgsl/layer_params.wgsl` read it.

// kinds: pairs of a name and `i` or `f`, in the order of the shader; values: by name.
export function packed(kinds, values) {
  const view = new DataView(new ArrayBuffer(4 * kinds.length));
  kinds.forEach(([name, kind], i) => {
    if (!(name in values)) throw new Error(`the shaders want ${name}, which this page does not know`);
    if (kind === "f") view.setFloat32(4 * i, values[name], true);
    else view.setInt32(4 * i, values[name], true);
  });
  return new Uint8Array(view.buffer);
}
