// Stage: how far back one can look at each pixel: `backstop.py`. A workgroup takes a block.
// uses: constants, layer_params, bins

@group(0) @binding(0) var<uniform> params: LayerParams;
@group(0) @binding(1) var<storage, read> front: array<vec4f>;
@group(0) @binding(2) var<storage, read> ranges: array<vec4f>;
@group(0) @binding(3) var<storage, read> cell_low: array<f32>;
@group(0) @binding(4) var<storage, read_write> marks: array<u32>;

var<workgroup> low_around: array<f32, 256>;

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) block: vec3u, @builtin(local_invocation_index) thread: u32) {
    let across = i32(params.widest_px + abs(params.shift_px) + BACKSTOP_MARGIN_PX) / BLOCK + 1;
    let side = 2 * across + 1;
    low_around[thread] = 1e30;
    for (var number = i32(thread); number < side * side; number += 256) {
        let j = i32(block.y) - across + number / side;
        let i = i32(block.x) - across + number % side;
        if (j >= 0 && i >= 0 && j < params.block_rows && i < params.block_columns) {
            low_around[thread] = min(low_around[thread], ranges[j * params.block_columns + i].x);
        }
    }
    workgroupBarrier();
    for (var half = 128u; half > 0u; half /= 2u) {
        if (thread < half) {
            low_around[thread] = min(low_around[thread], low_around[thread + half]);
        }
        workgroupBarrier();
    }
    let at = vec2i(block.yx) * BLOCK + vec2i(i32(thread) / BLOCK, i32(thread) % BLOCK);
    if (at.x >= params.height || at.y >= params.width) {
        return;
    }
    let high = ranges[i32(block.y) * params.block_columns + i32(block.x)].y;
    var backstop = 0;
    if (high - low_around[0] > STEP_PX) {
        backstop = backstop_at(at.x, at.y);
    }
    marks[at.x * params.width + at.y] = u32(backstop);
}

// By whole cells where the answer is clear, by pixels where an edge passes.
fn backstop_at(y: i32, x: i32) -> i32 {
    let cell_rows = (params.height + CELL - 1) / CELL;
    let cell_columns = (params.width + CELL - 1) / CELL;
    let cell_y = y / CELL;
    let cell_x = x / CELL;
    var least = 1e30;
    var most = 0.0;
    for (var j = cell_y * CELL; j < min(cell_y * CELL + CELL, params.height); j++) {
        for (var i = cell_x * CELL; i < min(cell_x * CELL + CELL, params.width); i++) {
            let radius = abs(front[j * params.width + i].w);
            least = min(least, radius);
            most = max(most, radius);
        }
    }
    let inner = least + abs(params.shift_px) + BACKSTOP_MARGIN_PX;
    let outer = most + abs(params.shift_px) + BACKSTOP_MARGIN_PX;
    let away = i32(outer) / CELL + 1;
    let top = max(cell_y - away, 0);
    let bottom = min(cell_y + away + 1, cell_rows);
    let left = max(cell_x - away, 0);
    let right = min(cell_x + away + 1, cell_columns);
    var surely = 1e30;
    var perhaps = 1e30;
    for (var j = top; j < bottom; j++) {
        let apart_y = CELL * abs(j - cell_y);
        for (var i = left; i < right; i++) {
            let apart_x = CELL * abs(i - cell_x);
            let low = cell_low[j * cell_columns + i];
            if (low >= perhaps && low >= surely) {
                continue;
            }
            let outermost = vec2f(f32(apart_y + CELL - 1), f32(apart_x + CELL - 1));
            let innermost = vec2f(f32(max(apart_y - CELL + 1, 0)), f32(max(apart_x - CELL + 1, 0)));
            if (dot(outermost, outermost) <= inner * inner) {
                surely = min(surely, low);
                perhaps = min(perhaps, low);
            } else if (dot(innermost, innermost) <= outer * outer) {
                perhaps = min(perhaps, low);
            }
        }
    }
    let here = front[y * params.width + x].w;
    let is_doubtful = surely - perhaps > ALIKE_PX;
    var farthest = min(here, select(perhaps, surely, is_doubtful));
    let reach = abs(here) + abs(params.shift_px) + BACKSTOP_MARGIN_PX;
    if (is_doubtful) {
        for (var j = top; j < bottom; j++) {
            for (var i = left; i < right; i++) {
                if (farthest <= perhaps + ALIKE_PX) {
                    break;
                }
                if (cell_low[j * cell_columns + i] < surely - ALIKE_PX) {
                    farthest = farthest_in(j, i, y, x, reach, farthest);
                }
            }
        }
    }
    let slack = max(LEAST_SLACK_PX, SLACK * (here - farthest));
    return depth_bin(farthest - slack);
}

// The lesser of `farthest` and the least defocus of a cell within `reach` of a pixel.
fn farthest_in(cell_y: i32, cell_x: i32, y: i32, x: i32, reach: f32, farthest: f32) -> f32 {
    let near_y = f32(clamp(y, cell_y * CELL, cell_y * CELL + CELL - 1) - y);
    let near_x = f32(clamp(x, cell_x * CELL, cell_x * CELL + CELL - 1) - x);
    if (near_y * near_y + near_x * near_x > reach * reach) {
        return farthest;
    }
    var found = farthest;
    for (var j = cell_y * CELL; j < min(cell_y * CELL + CELL, params.height); j++) {
        for (var i = cell_x * CELL; i < min(cell_x * CELL + CELL, params.width); i++) {
            let apart = vec2f(f32(j - y), f32(i - x));
            if (dot(apart, apart) <= reach * reach) {
                found = min(found, front[j * params.width + i].w);
            }
        }
    }
    return found;
}
