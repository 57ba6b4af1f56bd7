// Stage: how far back one can look at each pixel: `backstop.py`. A workgroup takes a block.
// uses: constants, layer_params, bins

@group(0) @binding(0) var<uniform> params: LayerParams;
@group(0) @binding(1) var<storage, read> front: array<vec4f>;
@group(0) @binding(2) var<storage, read> ranges: array<vec4f>;
@group(0) @binding(3) var<storage, read> cell_low: array<f32>;
@group(0) @binding(4) var<storage, read_write> marks: array<u32>;

const CELLS = BLOCK / CELL;  // of a block, in a row

var<workgroup> found: array<vec2f, 256>;  // least values of threads, then of all

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) block: vec3u, @builtin(local_invocation_index) thread: u32) {
    let across = i32(params.widest_px + abs(params.shift_px) + BACKSTOP_MARGIN_PX) / BLOCK + 1;
    let side = 2 * across + 1;
    var low = 1e30;
    for (var number = i32(thread); number < side * side; number += 256) {
        let j = i32(block.y) - across + number / side;
        let i = i32(block.x) - across + number % side;
        if (j >= 0 && i >= 0 && j < params.block_rows && i < params.block_columns) {
            low = min(low, ranges[j * params.block_columns + i].x);
        }
    }
    least_of(256u, thread, vec2f(low, 0.0));
    let high = ranges[i32(block.y) * params.block_columns + i32(block.x)].y;
    // A thread has a pixel, and with the other threads of its cell the cells around that.
    let cell_in_block = vec2i(i32(thread) / 16 / CELLS, i32(thread) / 16 % CELLS);
    let in_cell = vec2i(i32(thread) % 16 / CELL, i32(thread) % CELL);
    let cell = vec2i(block.yx) * CELLS + cell_in_block;
    let at = cell * CELL + in_cell;
    let is_inside = at.x < params.height && at.y < params.width;
    if (high - workgroupUniformLoad(&found[0]).x <= STEP_PX) {
        if (is_inside) {
            marks[at.x * params.width + at.y] = 0u;
        }
        return;
    }
    let radius = select(vec2f(1e30, 0.0), vec2f(abs(front[at.x * params.width + at.y].w)), is_inside);
    let radii = least_of(16u, thread, vec2f(radius.x, -radius.y)) * vec2f(1.0, -1.0);
    workgroupBarrier();
    let lows = least_of(16u, thread, lows_around(cell, radii, i32(thread) % 16));
    if (is_inside) {
        marks[at.x * params.width + at.y] = u32(backstop_at(at.x, at.y, cell, radii, lows));
    }
}

// The least of what each of `among` threads that follow one another has. All threads come here.
fn least_of(among: u32, thread: u32, own: vec2f) -> vec2f {
    found[thread] = own;
    workgroupBarrier();
    for (var half = among / 2u; half > 0u; half /= 2u) {
        if (thread % among < half) {
            found[thread] = min(found[thread], found[thread + half]);
        }
        workgroupBarrier();
    }
    return found[thread / among * among];
}

// How far from any pixel of a cell, in cells, one that its pixels look at may lie; least and largest radius are given.
fn cells_away(radii: vec2f) -> i32 {
    return i32(radii.y + abs(params.shift_px) + BACKSTOP_MARGIN_PX) / CELL + 1;
}

// Least defocus of the cells that all pixels of a cell reach wholly, and of those that one of them may reach: of every
// sixteenth cell around, from `first` on.
fn lows_around(cell: vec2i, radii: vec2f, first: i32) -> vec2f {
    let cell_rows = (params.height + CELL - 1) / CELL;
    let cell_columns = (params.width + CELL - 1) / CELL;
    let inner = radii.x + abs(params.shift_px) + BACKSTOP_MARGIN_PX;
    let outer = radii.y + abs(params.shift_px) + BACKSTOP_MARGIN_PX;
    let away = cells_away(radii);
    let side = 2 * away + 1;
    var surely = 1e30;
    var perhaps = 1e30;
    for (var number = first; number < side * side; number += 16) {
        let apart = CELL * abs(vec2i(number / side, number % side) - away);
        let other = cell + vec2i(number / side, number % side) - away;
        if (other.x < 0 || other.y < 0 || other.x >= cell_rows || other.y >= cell_columns) {
            continue;
        }
        let low = cell_low[other.x * cell_columns + other.y];
        let outermost = vec2f(apart + CELL - 1);
        let innermost = vec2f(max(apart - CELL + 1, vec2i(0)));
        if (dot(outermost, outermost) <= inner * inner) {
            surely = min(surely, low);
            perhaps = min(perhaps, low);
        } else if (dot(innermost, innermost) <= outer * outer) {
            perhaps = min(perhaps, low);
        }
    }
    return vec2f(surely, perhaps);
}

// By whole cells where the answer is clear, by pixels where an edge passes.
fn backstop_at(y: i32, x: i32, cell: vec2i, radii: vec2f, lows: vec2f) -> i32 {
    let surely = lows.x;
    let perhaps = lows.y;
    let here = front[y * params.width + x].w;
    let is_doubtful = surely - perhaps > ALIKE_PX;
    var farthest = min(here, select(perhaps, surely, is_doubtful));
    let reach = abs(here) + abs(params.shift_px) + BACKSTOP_MARGIN_PX;
    if (is_doubtful) {
        let cell_rows = (params.height + CELL - 1) / CELL;
        let cell_columns = (params.width + CELL - 1) / CELL;
        let away = cells_away(radii);
        for (var j = max(cell.x - away, 0); j < min(cell.x + away + 1, cell_rows); j++) {
            for (var i = max(cell.y - away, 0); i < min(cell.y + away + 1, cell_columns); i++) {
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
