// Draws a band of the picture on the canvas: what the stages made, or the source's own pixel where they left it alone.

struct Shown {
    width: i32, height: i32,  // of the frame with its surround
    window_top: i32, window_left: i32, window_width: i32,  // of what is shown, in the frame
    band_top: i32, band_rows: i32,  // rows of the window that `result` holds; no rows: the source is shown
    is_linear: i32,  // whether values are light, which a screen takes as sRGB
}

@group(0) @binding(0) var<uniform> shown: Shown;
@group(0) @binding(1) var<storage, read> result: array<f32>;  // planes of the band; below 0 = as the source
@group(0) @binding(2) var<storage, read> pixels: array<f32>;  // planes of the frame

@vertex
fn over_all(@builtin(vertex_index) corner: u32) -> @builtin(position) vec4f {
    return vec4f(f32(corner & 1u) * 4.0 - 1.0, f32(corner >> 1u) * 4.0 - 1.0, 0.0, 1.0);
}

@fragment
fn colour(@builtin(position) position: vec4f) -> @location(0) vec4f {
    let at = vec2i(position.yx);
    let in_band = (at.x - shown.band_top) * shown.window_width + at.y;
    let in_frame = (at.x + shown.window_top) * shown.width + at.y + shown.window_left;
    var values = vec3f(0.0);
    for (var c = 0; c < 3; c++) {
        values[c] = pixels[c * shown.width * shown.height + in_frame];
        if (shown.band_rows > 0) {
            let made = result[c * shown.band_rows * shown.window_width + in_band];
            values[c] = select(values[c], made, made >= 0.0);
        }
    }
    values = clamp(values, vec3f(0.0), vec3f(1.0));
    if (shown.is_linear == 1) {
        values = select(1.055 * pow(values, vec3f(1.0 / 2.4)) - 0.055, 12.92 * values, values <= vec3f(0.0031308));
    }
    return vec4f(values, 1.0);
}
