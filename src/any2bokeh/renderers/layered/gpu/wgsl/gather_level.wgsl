// Stage: bins whose shapes are gathered at the size of a level, into a picture of sums for each bin.
// uses: constants, params, bins, cells, vignetting, tile

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> cells: array<vec4f>;
@group(0) @binding(2) var<storage, read> shapes: array<u32>;
@group(0) @binding(3) var<storage, read> table: array<f32>;
@group(0) @binding(4) var<storage, read_write> sums_of_bins: array<vec4f>;  // front to back

const NUMBERS = CELL_SAMPLES;

var<private> pixel: i32;  // of the level; -1 outside

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) tile: vec3u, @builtin(local_invocation_index) thread: u32) {
    let own = vec2i(i32(thread) / TILE, i32(thread) % TILE);
    let at = vec2i(tile.yx) * TILE + own;
    pixel = -1;
    if (at.x < params.sums_rows && at.y < params.sums_columns) {
        pixel = at.x * params.sums_columns + at.y;
        for (var bin = params.far_bin; bin <= params.near_bin; bin++) {
            take(bin, vec4f(0.0));
        }
    }
    gather_tile(vec2i(params.sums_top, params.sums_left) + vec2i(tile.yx) * TILE, params.reach, thread, own);
}

fn take(bin: i32, sums: vec4f) {
    if (pixel >= 0) {
        sums_of_bins[(params.near_bin - bin) * params.sums_rows * params.sums_columns + pixel] = sums;
    }
}

// The middle of a cell.
fn place_in_frame(place: vec2i) -> vec2f {
    let across = f32(1 << u32(params.level));
    return (vec2f(place) + 0.5) * across - 0.5;
}
