// Stage: bins whose shapes are gathered at the frame's own size. Continues what `state` holds.
// uses: constants, params, bins, surroundings, border, samples_types, samples, vignetting, taking, tile

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> front: array<vec4f>;  // light, and signed defocus
@group(0) @binding(2) var<storage, read> marks: array<u32>;  // backstop; 256 times `SPLIT` and `HIDDEN`, where there are extras
@group(0) @binding(3) var<storage, read> extras: array<Extra>;
@group(0) @binding(4) var<storage, read> blocks: array<vec2f>;
@group(0) @binding(5) var<storage, read> shapes: array<u32>;
@group(0) @binding(6) var<storage, read> table: array<f32>;
@group(0) @binding(7) var<storage, read_write> state: array<vec4f>;

const NUMBERS = 2;
const ACROSS = 1;

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
    gather_tile(origin, reach_around(origin, thread), thread, own);
    for (var k = 0; k < PIXELS; k++) {
        if (in_band.x + k < params.band_rows && in_band.y < params.window_width) {
            end_taking(k, (in_band.x + k) * params.window_width + in_band.y);
        }
    }
}

var<workgroup> widest: atomic<u32>;
var<workgroup> widest_shared: u32;

// How far around a tile samples may reach it, px: as far as the blocks around it say, at most as the run does.
fn reach_around(origin: vec2i, thread: u32) -> i32 {
    if (thread == 0u) {
        atomicStore(&widest, 0u);
    }
    workgroupBarrier();
    let last = vec2i(params.block_rows, params.block_columns) - 1;
    let first = clamp((origin - params.reach) / BLOCK, vec2i(0), last);
    let at = first + vec2i(i32(thread) / 8, i32(thread) % 8);
    if (thread < 64u && all(at <= clamp((origin + TILE - 1 + params.reach) / BLOCK, vec2i(0), last))) {
        // A block at the border repeats beyond it.
        let before = select(at * BLOCK, vec2i(-0x10000), at == vec2i(0));
        let after = select(at * BLOCK + BLOCK - 1, vec2i(0x10000), at == last);
        let apart = max(max(before - (origin + TILE - 1), origin - after), vec2i(0));
        let reach = i32(ceil(block(at.x, at.y).y));
        if (max(apart.x, apart.y) <= reach) {
            atomicMax(&widest, u32(reach));
        }
    }
    workgroupBarrier();
    if (thread == 0u) {
        widest_shared = atomicLoad(&widest);
    }
    return min(i32(workgroupUniformLoad(&widest_shared)), params.reach);
}

fn place_in_frame(place: vec2i) -> vec2f {
    return vec2f(place);
}
