// How bright it is around a pixel, and what is repeated beyond the border: `surroundings.py`.
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

// By what a sample's light is multiplied where it is repeated `beyond_px` beyond the border: 1, or less for lamps.
fn repeated(light: vec4f, y: i32, x: i32, beyond_px: i32) -> f32 {
    let around = light.w * surroundings_at(y, x);
    let times = max(max(light.x, light.y), light.z) / max(around, 1e-12);
    if (times <= FAR_OUT) {
        return 1.0;
    }
    var bounded = min(times, FAR_OUT + (AT_BORDER - FAR_OUT) * exp((1.0 - f32(beyond_px)) / OUT_PX));
    let over = clamp((times - LAMP) / (SURELY_LAMP - LAMP), 0.0, 1.0);
    bounded = (bounded + over * (1.0 - bounded)) / times;
    var tail = 0.0;
    if (beyond_px == 1) {
        tail = FIRST_REPEATED;
    } else if (beyond_px == 2) {
        tail = SECOND_REPEATED;
    }
    return bounded + over * tail * (1.0 - bounded);
}
