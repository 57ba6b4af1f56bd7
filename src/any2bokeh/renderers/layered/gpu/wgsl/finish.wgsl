// Stage: what was taken becomes the picture: coverage brought to the whole, lamps added, code values.
// uses: constants, params, lamp_list

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> front: array<vec4f>;
@group(0) @binding(2) var<storage, read> state: array<vec4f>;
@group(0) @binding(3) var<storage, read> glow: array<f32>;  // (parts, rows, columns, 3) of the band, where there are lamps
@group(0) @binding(4) var<storage, read> list: LampList;
@group(0) @binding(5) var<storage, read> encode_table: array<f32>;  // code values at even square roots of light
@group(0) @binding(6) var<storage, read_write> result: array<u32>;  // planes of the band; or two words a pixel, see `keep`

@compute @workgroup_size(16, 16)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let in_band = vec2i(id.yx);
    if (in_band.x >= params.band_rows || in_band.y >= params.window_width) {
        return;
    }
    let pixel = in_band.x * params.window_width + in_band.y;
    let plane = params.band_rows * params.window_width;
    let taken = state[pixel];
    let in_frame = in_band + vec2i(params.window_top + params.band_top, params.window_left);
    let seen = front[in_frame.x * params.width + in_frame.y];
    var light = taken.xyz / max(taken.w, LEAST_COVERAGE);
    var is_untouched = taken.w == UNTOUCHED;
    if (params.has_glow == 1 && list.total > 0u) {
        let shining = vec3f(glow[3 * pixel], glow[3 * pixel + 1], glow[3 * pixel + 2]);
        if (params.channel >= 0) {
            light.x += shining[params.channel];
        } else if (max(max(shining.x, shining.y), shining.z) > 0.0) {
            light = select(light, seen.xyz, is_untouched) + shining;
            is_untouched = false;
        }
    }
    if (params.channel >= 0) {
        keep(params.channel, pixel, plane, encoded(light.x));
        return;
    }
    for (var c = 0; c < 3; c++) {
        // What is in focus and not covered stays as it is: below 0 says so.
        keep(c, pixel, plane, select(encoded(light[c]), -1.0, is_untouched));
    }
}

// Channels come in order. Of two words a pixel, the upper half of the second is not 0 where the pixel stays as it is.
fn keep(channel: i32, pixel: i32, plane: i32, value: f32) {
    if (CODES_16 == 0u) {
        result[channel * plane + pixel] = bitcast<u32>(value);
    } else if (channel == 0) {
        result[2 * pixel] = pack2x16unorm(vec2f(value, 0.0));
    } else if (channel == 1) {
        result[2 * pixel] |= pack2x16unorm(vec2f(0.0, value));
    } else {
        result[2 * pixel + 1] = pack2x16unorm(vec2f(value, select(0.0, 1.0, value < 0.0)));
    }
}

fn encoded(light: f32) -> f32 {
    let value = max(light, 0.0);
    if (params.encode_cells == 0) {
        return value;
    }
    let place = sqrt(min(value / params.peak, 1.0)) * f32(params.encode_cells);
    let cell = min(i32(place), params.encode_cells - 1);
    return mix(encode_table[cell], encode_table[cell + 1], place - f32(cell));
}
