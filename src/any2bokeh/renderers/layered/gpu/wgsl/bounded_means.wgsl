// Stage: mean brightness of blocks, in which lamps count for little: `surroundings.py`.
// uses: constants, layer_params, brightness

@group(0) @binding(0) var<uniform> params: LayerParams;
@group(0) @binding(1) var<storage, read> front: array<vec4f>;
@group(0) @binding(2) var<storage, read> ranges: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> bounded: array<f32>;

var<workgroup> found: array<f32, 256>;

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) block: vec3u, @builtin(local_invocation_index) thread: u32) {
    let row = i32(block.y);
    let column = i32(block.x);
    var total = 0.0;
    var count = 0.0;
    for (var j = max(row - 1, 0); j < min(row + 2, params.block_rows); j++) {
        for (var i = max(column - 1, 0); i < min(column + 2, params.block_columns); i++) {
            total += ranges[j * params.block_columns + i].z;
            count += 1.0;
        }
    }
    let most = MOST_OF_MEAN * (total / count);
    let at = vec2i(row, column) * BLOCK + vec2i(i32(thread) / BLOCK, i32(thread) % BLOCK);
    found[thread] = 0.0;
    if (at.x < params.height && at.y < params.width) {
        found[thread] = min(brightness(front[at.x * params.width + at.y].xyz), most);
    }
    workgroupBarrier();
    for (var half = 128u; half > 0u; half /= 2u) {
        if (thread < half) {
            found[thread] += found[thread + half];
        }
        workgroupBarrier();
    }
    if (thread == 0u) {
        let here = row * params.block_columns + column;
        let rows = min(BLOCK, params.height - row * BLOCK);
        let columns = min(BLOCK, params.width - column * BLOCK);
        bounded[here] = select(found[0] / f32(rows * columns), ranges[here].z, ranges[here].w <= most);
    }
}
