// Whether a block, `apart` nearer at most, is no farther from (y, x) than the two shift across the aperture.
fn may_cut(apart: f32, row: i32, column: i32, y: i32, x: i32) -> bool {
    let down = f32(max(max(row * BLOCK - y, y - row * BLOCK - BLOCK + 1), 0));
    let across = f32(max(max(column * BLOCK - x, x - column * BLOCK - BLOCK + 1), 0));
    return apart > STEP_PX && down * down + across * across <= (apart + 1.0) * (apart + 1.0);
}
