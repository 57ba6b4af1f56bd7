// Stage: the sums of a level's bins, brought to the frame's size, are taken front to back.
// uses: constants, params, bins, taking

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> marks: array<u32>;
@group(0) @binding(2) var<storage, read> sums_of_bins: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> state: array<vec4f>;

@compute @workgroup_size(16, 16)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let in_band = vec2i(id.yx);
    if (in_band.x >= params.band_rows || in_band.y >= params.window_width) {
        return;
    }
    let in_frame = in_band + vec2i(params.window_top + params.band_top, params.window_left);
    let pixel = in_band.x * params.window_width + in_band.y;
    begin_taking(pixel, i32(marks[(in_frame.x - params.rows_from) * params.width + in_frame.y] & 0xffu));
    // Between the middles of the four pixels of the level around.
    let across = f32(1 << u32(params.level));
    let at = (vec2f(in_frame) + 0.5) / across - 0.5 - vec2f(vec2i(params.sums_top, params.sums_left));
    let corner = vec2i(floor(at));
    let apart = at - floor(at);
    let upper = corner.x * params.sums_columns + corner.y;
    let plane = params.sums_rows * params.sums_columns;
    for (var bin = params.near_bin; bin >= params.far_bin; bin--) {
        let first = (params.near_bin - bin) * plane + upper;
        let above = mix(sums_of_bins[first], sums_of_bins[first + 1], apart.y);
        let below = mix(
            sums_of_bins[first + params.sums_columns], sums_of_bins[first + params.sums_columns + 1], apart.y);
        take(bin, mix(above, below, apart.x));
    }
    end_taking(pixel);
}
