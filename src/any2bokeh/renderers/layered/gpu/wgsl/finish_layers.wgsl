// Stage: mixed pixels on near sides are split, lamps are counted, and marks are set: `bands.py`, `lamps.find_lamps`,
// `lit_edges.find_lit`.
// uses: constants, layer_params, codes, samples_types, brightness, surroundings, mixed

@group(0) @binding(0) var<uniform> params: LayerParams;
@group(0) @binding(1) var<storage, read> pixels: array<u32>;
@group(0) @binding(2) var<storage, read> front: array<vec4f>;
@group(0) @binding(3) var<storage, read> blocks: array<vec2f>;
@group(0) @binding(4) var<storage, read> mixed: array<u32>;
@group(0) @binding(5) var<storage, read> kinds: array<u32>;
@group(0) @binding(6) var<storage, read_write> extras: array<Extra>;
@group(0) @binding(7) var<storage, read_write> marks: array<u32>;  // at first the backstop; the last one tells of lamps
@group(0) @binding(8) var<storage, read> ranges: array<vec4f>;

@compute @workgroup_size(16, 16)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let y = i32(id.y);
    let x = i32(id.x);
    if (y >= params.height || x >= params.width) {
        return;
    }
    let pixel = y * params.width + x;
    var kind = kinds[pixel] & (SPLIT | HIDDEN);
    let bound = TIMES_SURROUNDINGS * surroundings_at(y, x);
    let own = front[pixel];
    // Lamps, and edges that one shines into, are more than this stage can follow.
    var is_lamp = is_followed(own.xyz, own.w, bound, y, x);
    if ((kinds[pixel] & BESIDE_STEP) != 0u && (kind & SPLIT) == 0u && brightness(own.xyz) > bound) {
        is_lamp = is_lamp || brightest_behind(y, x, own.w) > brightness(own.xyz);
    }
    if (is_split_by_bands(pixel) && kind == HIDDEN) {
        let share = of_mixed(pixel, 0);
        var behind = max(extras[pixel].behind.xyz, (own.xyz - share) / (1.0 - share));
        behind = min(behind, own.xyz / (1.0 - share));
        extras[pixel].behind = vec4f(behind, extras[pixel].behind.w);
        extras[pixel].patch_light = vec4f(own.xyz - (1.0 - share) * behind, share);
        extras[pixel].patch_defocus = params.px_per_disparity * (of_mixed(pixel, 1) - params.focus_disparity);
        kind |= SPLIT;
    }
    if (kind != 0u) {
        extras[pixel].kind = kind;
        marks[pixel] |= u32(pixel + 1) << 8u;
        if ((kind & HIDDEN) != 0u) {
            is_lamp = is_lamp || is_followed(extras[pixel].behind.xyz, extras[pixel].behind.w, bound, y, x);
        }
    }
    if (is_lamp) {
        marks[params.width * params.height] = 1u;
    }
}

// Whether a sample is a lamp, blurred, and behind something that may cut its disc.
fn is_followed(light: vec3f, defocus: f32, bound: f32, y: i32, x: i32) -> bool {
    if (abs(defocus) <= LAMP_BLURRED_PX || brightness(light) <= bound + LAMP_LEAST_BRIGHTNESS * defocus * defocus) {
        return false;
    }
    let away = i32(params.nearest_px - defocus + 1.0) / BLOCK + 1;
    for (var j = max(y / BLOCK - away, 0); j < min(y / BLOCK + away + 1, params.block_rows); j++) {
        for (var i = max(x / BLOCK - away, 0); i < min(x / BLOCK + away + 1, params.block_columns); i++) {
            let nearer = ranges[j * params.block_columns + i].y - defocus;
            let down = f32(max(max(j * BLOCK - y, y - j * BLOCK - BLOCK + 1), 0));
            let across = f32(max(max(i * BLOCK - x, x - i * BLOCK - BLOCK + 1), 0));
            if (nearer > STEP_PX && down * down + across * across <= (nearer + 1.0) * (nearer + 1.0)) {
                return true;
            }
        }
    }
    return false;
}

// Brightness of the brightest pixel around on the far side of the step.
fn brightest_behind(y: i32, x: i32, here: f32) -> f32 {
    var far = here;
    for (var j = max(y - 1, 0); j < min(y + 2, params.height); j++) {
        for (var i = max(x - 1, 0); i < min(x + 2, params.width); i++) {
            far = min(far, front[j * params.width + i].w);
        }
    }
    var brightest = 0.0;
    for (var j = max(y - 1, 0); j < min(y + 2, params.height); j++) {
        for (var i = max(x - 1, 0); i < min(x + 2, params.width); i++) {
            let seen = front[j * params.width + i];
            brightest = max(brightest, select(0.0, brightness(seen.xyz), seen.w < (here + far) / 2.0));
        }
    }
    return brightest;
}
