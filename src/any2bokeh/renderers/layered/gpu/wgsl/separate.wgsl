// Stage: what was taken becomes three pictures of light multiplied by coverage, and coverage: `separation.py`.
// uses: constants, params, lamp_list

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> state: array<vec4f>;
@group(0) @binding(2) var<storage, read> glow: array<f32>;
@group(0) @binding(3) var<storage, read> list: LampList;
@group(0) @binding(4) var<storage, read_write> result: array<f32>;  // (3, 4) planes of the band

@compute @workgroup_size(16, 16)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let in_band = vec2i(id.yx);
    if (in_band.x >= params.band_rows || in_band.y >= params.window_width) {
        return;
    }
    let pixel = in_band.x * params.window_width + in_band.y;
    let plane = params.band_rows * params.window_width;
    let full = state[3 * pixel].w + state[3 * pixel + 1].w + state[3 * pixel + 2].w;
    for (var part = 0; part < 3; part++) {
        var share = max(state[3 * pixel + part] / max(full, LEAST_COVERAGE), vec4f(0.0));
        let first = 4 * part * plane + pixel;
        var shining = vec3f(0.0);
        if (params.has_glow == 1 && list.total > 0u) {
            let at = 3 * (part * plane + pixel);
            shining = vec3f(glow[at], glow[at + 1], glow[at + 2]);
        }
        if (params.channel >= 0) {
            result[first + params.channel * plane] = share.x + shining[params.channel];
        } else {
            for (var c = 0; c < 3; c++) {
                result[first + c * plane] = share[c] + shining[c];
            }
        }
        if (params.channel < 0 || params.channel == 1) {
            result[first + 3 * plane] = share.w;
        }
    }
}
