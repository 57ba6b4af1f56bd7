// Stage: what is told of mixed pixels, from a list into the planes of `mixed.wgsl`, which are 0 elsewhere.

struct Listed {
    count: i32,
    pixels: i32,  // of the frame
}

@group(0) @binding(0) var<uniform> listed: Listed;
@group(0) @binding(1) var<storage, read> places: array<u32>;  // which pixels
@group(0) @binding(2) var<storage, read> values: array<f32>;  // of each, one of every plane
@group(0) @binding(3) var<storage, read_write> mixed: array<f32>;

const PLANES = 6;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let number = i32(id.x);
    if (number >= listed.count) {
        return;
    }
    for (var plane = 0; plane < PLANES; plane++) {
        mixed[plane * listed.pixels + i32(places[number])] = values[PLANES * number + plane];
    }
}
