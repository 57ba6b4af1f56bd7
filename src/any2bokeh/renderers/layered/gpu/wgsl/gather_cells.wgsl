// Stage: bins whose shapes are gathered at the frame's own size, of samples that four pixels share. Continues what `state`
// holds.
// uses: constants, params, bins, cells, vignetting, taking, tile

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> marks: array<u32>;  // the backstop, in the lowest 8 bits
@group(0) @binding(2) var<storage, read> cells: array<vec4f>;
@group(0) @binding(3) var<storage, read> shapes: array<u32>;
@group(0) @binding(4) var<storage, read> table: array<f32>;
@group(0) @binding(5) var<storage, read_write> state: array<vec4f>;

const NUMBERS = CELL_SAMPLES;
const ACROSS = 2;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) tile: vec3u, @builtin(local_invocation_index) thread: u32) {
    let own = vec2i(i32(thread) / TILE * PIXELS, i32(thread) % TILE);
    let in_band = vec2i(tile.yx) * TILE + own;
    let origin = vec2i(params.window_top + params.band_top, params.window_left) + vec2i(tile.yx) * TILE;
    for (var k = 0; k < PIXELS; k++) {
        if (in_band.x + k < params.band_rows && in_band.y < params.window_width) {
            let in_frame = origin + own + vec2i(k, 0);
            let mark = marks[in_frame.x * params.width + in_frame.y];
            begin_taking(k, (in_band.x + k) * params.window_width + in_band.y, i32(mark & 0xffu));
        }
    }
    gather_tile(origin, params.reach, thread, own);
    for (var k = 0; k < PIXELS; k++) {
        if (in_band.x + k < params.band_rows && in_band.y < params.window_width) {
            end_taking(k, (in_band.x + k) * params.window_width + in_band.y);
        }
    }
}
