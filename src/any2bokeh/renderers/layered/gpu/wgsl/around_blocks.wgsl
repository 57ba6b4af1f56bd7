// Stage: of each block how bright it is around it, and how far its samples reach, px: `layered_image.py`.
// uses: constants, layer_params

@group(0) @binding(0) var<uniform> params: LayerParams;
@group(0) @binding(1) var<storage, read> ranges: array<vec4f>;
@group(0) @binding(2) var<storage, read> bounded: array<f32>;
@group(0) @binding(3) var<storage, read_write> blocks: array<vec2f>;

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let row = i32(id.y);
    let column = i32(id.x);
    if (row >= params.block_rows || column >= params.block_columns) {
        return;
    }
    var total = 0.0;
    var count = 0.0;
    var reach = 0.0;
    for (var j = max(row - 1, 0); j < min(row + 2, params.block_rows); j++) {
        for (var i = max(column - 1, 0); i < min(column + 2, params.block_columns); i++) {
            let other = j * params.block_columns + i;
            total += bounded[other];
            count += 1.0;
            reach = max(reach, max(abs(ranges[other].x), abs(ranges[other].y)));
        }
    }
    blocks[row * params.block_columns + column] = vec2f(total / count, reach + 1.5 + abs(params.shift_px));
}
