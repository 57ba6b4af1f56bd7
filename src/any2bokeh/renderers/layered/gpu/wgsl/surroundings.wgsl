// How bright it is around a pixel: `surroundings.py`.
// Of a block: how bright it is around it, and how far its samples reach.

fn surroundings_at(y: i32, x: i32) -> f32 {
    let last_row = params.block_rows - 1;
    let last_column = params.block_columns - 1;
    let at_y = clamp((f32(y) - (f32(BLOCK) / 2.0 - 0.5)) / f32(BLOCK), 0.0, f32(last_row));
    let at_x = clamp((f32(x) - (f32(BLOCK) / 2.0 - 0.5)) / f32(BLOCK), 0.0, f32(last_column));
    let row = min(i32(at_y), max(last_row - 1, 0));
    let column = min(i32(at_x), max(last_column - 1, 0));
    let below = min(row + 1, last_row);
    let beside = min(column + 1, last_column);
    let right = at_x - f32(column);
    let upper = mix(block(row, column).x, block(row, beside).x, right);
    let lower = mix(block(below, column).x, block(below, beside).x, right);
    return max(mix(upper, lower, at_y - f32(row)), LEAST_SURROUNDINGS);
}

fn block(row: i32, column: i32) -> vec2f {
    return blocks[row * params.block_columns + column];
}
