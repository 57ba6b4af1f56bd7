// Stage: the sums of a level's bins, brought to the frame's size, are taken front to back.
// uses: constants, params, bins, taking

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> marks: array<u32>;
@group(0) @binding(2) var<storage, read> sums_of_bins: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> state: array<vec4f>;

const PIXELS = 1;

@compute @workgroup_size(16, 16)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let in_band = vec2i(id.yx);
    if (in_band.x >= params.band_rows || in_band.y >= params.window_width) {
        return;
    }
    let in_frame = in_band + vec2i(params.window_top + params.band_top, params.window_left);
    let pixel = in_band.x * params.window_width + in_band.y;
    begin_taking(0, pixel, i32(marks[in_frame.x * params.width + in_frame.y] & 0xffu));
    // Between the middles of the pixels of the level around: by the cubic of Catmull and Rom, which keeps edges steep.
    let across = f32(1 << u32(params.level));
    let at = (vec2f(in_frame) + 0.5) / across - 0.5 - vec2f(vec2i(params.sums_top, params.sums_left));
    let corner = vec2i(floor(at)) - 1;
    let down = cubic(at.x - floor(at.x));
    let right = cubic(at.y - floor(at.y));
    let upper = corner.x * params.sums_columns + corner.y;
    let plane = params.sums_rows * params.sums_columns;
    for (var bin = params.near_bin; bin >= params.far_bin; bin--) {
        let first = (params.near_bin - bin) * plane + upper;
        var sums = vec4f(0.0);
        for (var j = 0; j < 4; j++) {
            let line = first + j * params.sums_columns;
            sums += down[j] * (right.x * sums_of_bins[line] + right.y * sums_of_bins[line + 1]
                + right.z * sums_of_bins[line + 2] + right.w * sums_of_bins[line + 3]);
        }
        take(0, bin, max(sums, vec4f(0.0)));
    }
    end_taking(0, pixel);
}

// Weights of the pixels at -1, 0, 1 and 2.
fn cubic(t: f32) -> vec4f {
    let t2 = t * t;
    let t3 = t2 * t;
    return 0.5 * vec4f(-t3 + 2.0 * t2 - t, 3.0 * t3 - 5.0 * t2 + 2.0, -3.0 * t3 + 4.0 * t2 + t, t3 - t2);
}
