// Bins whose shapes are gathered at the size of a level, into a picture of sums for each bin: the stages that gather every
// sample by itself, or those that four pixels of the level share.

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> cells: array<vec4f>;
@group(0) @binding(2) var<storage, read> shapes: array<u32>;
@group(0) @binding(3) var<storage, read> table: array<f32>;
@group(0) @binding(4) var<storage, read_write> sums_of_bins: array<vec4f>;  // front to back

const NUMBERS = CELL_SAMPLES;

var<private> pixels: array<i32, PIXELS>;  // of the level; -1 outside

fn gather_at_level(tile: vec3u, thread: u32) {
    let own = vec2i(i32(thread) / TILE * PIXELS, i32(thread) % TILE);
    let at = vec2i(tile.yx) * TILE + own;
    for (var k = 0; k < PIXELS; k++) {
        pixels[k] = -1;
        if (at.x + k < params.sums_rows && at.y < params.sums_columns) {
            pixels[k] = (at.x + k) * params.sums_columns + at.y;
        }
        for (var bin = params.far_bin; bin <= params.near_bin; bin++) {
            take(k, bin, vec4f(0.0));
        }
    }
    let origin = vec2i(params.sums_top, params.sums_left) + vec2i(tile.yx) * TILE;
    gather_tile(origin, params.reach, thread, own);
}

fn take(k: i32, bin: i32, sums: vec4f) {
    if (pixels[k] >= 0) {
        sums_of_bins[(params.near_bin - bin) * params.sums_rows * params.sums_columns + pixels[k]] = sums;
    }
}
