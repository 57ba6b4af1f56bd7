// Stage: linear light and defocus of every pixel, and of every block the range of defocus and how bright it is.
// uses: constants, layer_params, codes, picture, brightness

@group(0) @binding(0) var<uniform> params: LayerParams;
@group(0) @binding(1) var<storage, read> pixels: array<u32>;  // (3, H, W) code values, see `codes.wgsl`
@group(0) @binding(2) var<storage, read> disparity: array<f32>;
@group(0) @binding(3) var<storage, read> decode_table: array<f32>;  // light at even code values
@group(0) @binding(4) var<storage, read_write> front: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> ranges: array<vec4f>;  // of blocks: defocus, least and largest; mean and largest brightness
@group(0) @binding(6) var<storage, read_write> cell_low: array<f32>;  // least defocus of cells

var<workgroup> found: array<vec4f, 256>;

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) block: vec3u, @builtin(local_invocation_index) thread: u32) {
    let own = vec2i(i32(thread) / BLOCK, i32(thread) % BLOCK);
    let at = vec2i(block.yx) * BLOCK + own;
    let is_inside = at.x < params.height && at.y < params.width;
    found[thread] = vec4f(1e30, -1e30, 0.0, 0.0);
    if (is_inside) {
        let pixel = at.x * params.width + at.y;
        let plane = params.width * params.height;
        let defocus = defocus_of(disparity[pixel]);
        let code = vec3f(code_at(pixel), code_at(plane + pixel), code_at(2 * plane + pixel));
        let light = light_of(code, defocus);
        front[pixel] = vec4f(light, defocus);
        found[thread] = vec4f(defocus, defocus, brightness(light), brightness(light));
    }
    workgroupBarrier();
    if (thread < 16u) {
        let cell = vec2i(i32(thread) / 4, i32(thread) % 4);
        let cell_columns = (params.width + CELL - 1) / CELL;
        let cell_rows = (params.height + CELL - 1) / CELL;
        let in_frame = vec2i(block.yx) * (BLOCK / CELL) + cell;
        if (in_frame.x < cell_rows && in_frame.y < cell_columns) {
            var low = 1e30;
            for (var i = 0; i < CELL * CELL; i++) {
                low = min(low, found[(cell.x * CELL + i / CELL) * BLOCK + cell.y * CELL + i % CELL].x);
            }
            cell_low[in_frame.x * cell_columns + in_frame.y] = low;
        }
    }
    workgroupBarrier();
    for (var half = 128u; half > 0u; half /= 2u) {
        if (thread < half) {
            let one = found[thread];
            let other = found[thread + half];
            found[thread] = vec4f(min(one.x, other.x), max(one.y, other.y), one.z + other.z, max(one.w, other.w));
        }
        workgroupBarrier();
    }
    if (thread == 0u) {
        let rows = min(BLOCK, params.height - i32(block.y) * BLOCK);
        let columns = min(BLOCK, params.width - i32(block.x) * BLOCK);
        let whole = found[0];
        ranges[i32(block.y) * params.block_columns + i32(block.x)] =
            vec4f(whole.xy, whole.z / f32(rows * columns), whole.w);
    }
}

fn code_at(index: i32) -> f32 {
    return sample_of(pixels[word_of(index)], index);
}
