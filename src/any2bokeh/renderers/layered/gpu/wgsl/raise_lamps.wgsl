// Stage: lamps that the picture has clipped get the light that they had: `clipped_lamps.py` found them.
// uses: constants, layer_params, brightness

@group(0) @binding(0) var<uniform> params: LayerParams;
@group(0) @binding(1) var<storage, read> raised: array<vec4u>;  // see `unlayered.raised_by_block`
@group(0) @binding(2) var<storage, read_write> front: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> ranges: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    if (id.x >= raised[0].x) {
        return;
    }
    let of_block = raised[id.x + 1u];
    let number = of_block.x * u32(params.block_columns) + of_block.y;
    for (var entry = of_block.z; entry < of_block.w; entry++) {
        var light = bitcast<vec3f>(raised[entry].yzw);
        let pixel = raised[entry].x;
        if (raised[0].y == 1u) { // that of lamps wholly out of focus: `highlights.spread`
            let spread = clamp((abs(front[pixel].w) - SHARP_PX) / (SPREAD_PX - SHARP_PX), 0.0, 1.0);
            light = mix(front[pixel].xyz, light, spread * spread * (3.0 - 2.0 * spread));
        }
        front[pixel] = vec4f(light, front[pixel].w);
        ranges[number].w = max(ranges[number].w, brightness(light));
    }
}
