// Which samples are lamps: `lamps.find_lamps`.

// How much of a sample's light is followed.
fn share_followed(light: vec3f, defocus: f32, y: i32, x: i32) -> f32 {
    let bright = brightness(light);
    let bound = TIMES_SURROUNDINGS * surroundings_at(y, x) + LAMP_LEAST_BRIGHTNESS * defocus * defocus;
    let radius = abs(defocus);
    if (bright <= bound || radius <= LAMP_BLURRED_PX || looks_around(y, x, defocus) == 0.0) {
        return 0.0;
    }
    return min((radius - LAMP_BLURRED_PX) / (LAMP_SURELY_BLURRED_PX - LAMP_BLURRED_PX), 1.0) * (1.0 - bound / bright);
}

// How many samples lie in blocks that may cut a sample's disc.
fn looks_around(y: i32, x: i32, defocus: f32) -> f32 {
    let away = i32(params.nearest_px - defocus + 1.0) / BLOCK + 1;
    var looks = 0.0;
    for (var j = max(y / BLOCK - away, 0); j < min(y / BLOCK + away + 1, params.block_rows); j++) {
        for (var i = max(x / BLOCK - away, 0); i < min(x / BLOCK + away + 1, params.block_columns); i++) {
            if (may_cut(ranges[j * params.block_columns + i].y - defocus, j, i, y, x)) {
                looks += f32(BLOCK * BLOCK);
            }
        }
    }
    return looks;
}

// Whether what is no brighter than anything in a block is a lamp nowhere in it.
fn shines_nowhere(row: i32, column: i32) -> bool {
    var least = 1e30;
    for (var j = max(row - 1, 0); j < min(row + 2, params.block_rows); j++) {
        for (var i = max(column - 1, 0); i < min(column + 2, params.block_columns); i++) {
            least = min(least, block(j, i).x);
        }
    }
    return ranges[row * params.block_columns + column].w <= TIMES_SURROUNDINGS * max(least, LEAST_SURROUNDINGS);
}
