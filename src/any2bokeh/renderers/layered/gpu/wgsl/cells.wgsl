// The samples that pixels of a level share, as `reduce.wgsl` leaves them.

struct Sample {
    light: vec4f,
    defocus: f32,
}

fn cell_at(y: i32, x: i32, number: i32) -> i32 {
    let cell = (y - params.grid_top) * params.grid_columns + x - params.grid_left;
    return (cell * CELL_SAMPLES + number) * 2;
}

fn defocus_at(y: i32, x: i32, number: i32) -> vec2f {
    let row = y - params.grid_top;
    let column = x - params.grid_left;
    if (row < 0 || column < 0 || row >= params.grid_rows || column >= params.grid_columns) {
        return vec2f(0.0);
    }
    return cells[cell_at(y, x, number) + 1].xy;
}

fn sample_at(y: i32, x: i32, number: i32) -> Sample {
    let at = cell_at(y, x, number);
    return Sample(cells[at], cells[at + 1].x);
}

fn light_at(found: Sample, y: i32, x: i32) -> vec4f {
    return found.light;
}

// The middle of a cell.
fn place_in_frame(place: vec2i) -> vec2f {
    let across = f32(ACROSS << u32(params.level));
    return (vec2f(place) + 0.5) * across - 0.5;
}
