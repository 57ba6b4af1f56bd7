// Code values to light: `layers.py` and `optics/highlights.py`.

fn decoded(code: f32) -> f32 {
    if (params.decode_cells == 0) {
        return code;
    }
    let at = clamp(code, 0.0, 1.0) * f32(params.decode_cells);
    let cell = min(i32(at), params.decode_cells - 1);
    return mix(decode_table[cell], decode_table[cell + 1], at - f32(cell));
}

// Light of three code values, raised where it is clipped and out of focus.
fn light_of(code: vec3f, defocus: f32) -> vec3f {
    let light = vec3f(decoded(code.x), decoded(code.y), decoded(code.z));
    let largest = max(max(code.x, code.y), code.z);
    if (params.gain <= 0.0 || largest <= params.threshold) {
        return light;
    }
    let spread = clamp((abs(defocus) - SHARP_PX) / (SPREAD_PX - SHARP_PX), 0.0, 1.0);
    let gain = params.gain * spread * spread * (3.0 - 2.0 * spread);
    let above = clamp((largest - params.threshold) / (1.0 - params.threshold), 0.0, 1.0);
    return light * (1.0 + gain * above * above);
}

fn defocus_of(disparity: f32) -> f32 {
    return params.px_per_disparity * (disparity - params.focus_disparity);
}
