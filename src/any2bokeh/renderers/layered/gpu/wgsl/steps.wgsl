// Stage: light fades where lamps leave the frame, and the steps of defocus are found: `border.py`, `layers.find_steps`.
// uses: constants, layer_params, brightness, surroundings

@group(0) @binding(0) var<uniform> params: LayerParams;
@group(0) @binding(1) var<storage, read_write> front: array<vec4f>;
@group(0) @binding(2) var<storage, read> blocks: array<vec2f>;
@group(0) @binding(3) var<storage, read_write> kinds: array<u32>;  // bits of kind; 256 times the ring
@group(0) @binding(4) var<storage, read_write> sources: array<u32>;  // the far-side pixel that a pixel lies nearest to
@group(0) @binding(5) var<storage, read_write> rings_of_blocks: array<atomic<u32>>;  // 1 where a block has such pixels

@compute @workgroup_size(16, 16)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let y = i32(id.y);
    let x = i32(id.x);
    if (y >= params.height || x >= params.width) {
        return;
    }
    let pixel = y * params.width + x;
    let here = front[pixel].w;
    var far = here;
    var near = here;
    for (var j = max(y - 1, 0); j < min(y + 2, params.height); j++) {
        for (var i = max(x - 1, 0); i < min(x + 2, params.width); i++) {
            let other = front[j * params.width + i].w;
            far = min(far, other);
            near = max(near, other);
        }
    }
    var kind = 0u;
    if (near - here > STEP_PX || here - far > STEP_PX) {
        kind = BESIDE_STEP;
        // Between two steps, a pixel belongs to the side of the larger.
        if (near - here > STEP_PX && near - here >= here - far) {
            kind |= 256u;
            atomicStore(&rings_of_blocks[(y / BLOCK) * params.block_columns + x / BLOCK], 1u);
        }
    }
    kinds[pixel] = kind;
    sources[pixel] = u32(pixel);
    let away = f32(min(min(y, params.height - 1 - y), min(x, params.width - 1 - x))) + 0.5;
    let over = min(FADE_OVER_RADIUS * abs(here), FADE_MOST_PX);
    if (away < over) {
        let bound = TIMES_SURROUNDINGS * surroundings_at(y, x);
        let bright = brightness(front[pixel].xyz);
        if (bright > bound) {
            var left = away / over;
            left *= left * (3.0 - 2.0 * left);
            front[pixel] = vec4f(front[pixel].xyz * ((bound + left * (bright - bound)) / bright), here);
        }
    }
}
