// Stage: bins whose shapes are gathered at the size of a level, each of its pixels having samples of its own.
// uses: constants, params, bins, cells, vignetting, tile, level

const ACROSS = 1;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) tile: vec3u, @builtin(local_invocation_index) thread: u32) {
    gather_at_level(tile, thread);
}
