// What the lens barrel leaves open of a shape: `optics/vignetting.py`.
struct Opening {
    share: f32, inverse_a: f32, b1: f32, b0: f32, d2: f32, d1: f32, d0: f32,
}

// Args: signed defocus in pixels of the level, its radius in pixels of the frame, and its place in the frame.
fn cut(signed_px: f32, frame_px: f32, y: f32, x: f32) -> Opening {
    let down = (y - params.centre_row) * params.per_px;
    let across = (x - params.centre_column) * params.per_px;
    let distance = sqrt(down * down + across * across);
    let radius = abs(signed_px);
    let strength = clamp((frame_px - CUT_FROM_PX) / (CUT_WHOLLY_PX - CUT_FROM_PX), 0.0, 1.0);
    if (distance < 1e-6 || strength == 0.0) {
        return Opening(1.0, 1.0, 0.0, 0.0, 0.0, 0.0, (radius + 8.0) * (radius + 8.0));
    }
    let radial_x = across / distance;
    let radial_y = down / distance;
    let within = min(distance, 1.0);
    var shift = params.cat_eye * within * strength * radius;
    if (signed_px <= 0.0) {
        shift = -shift;
    }
    let inverse_a = 1.0 / ((1.0 - params.swirl * within * within * strength) * radius);
    let inverse_b = 1.0 / radius;
    let aa = inverse_a * inverse_a;
    let bb = inverse_b * inverse_b;
    // ((x ux + y uy - shift) / a)^2 + ((y ux - x uy) / b)^2 = 1 as A x^2 + 2 (B1 y + B0) x + C = 0
    let a = radial_x * radial_x * aa + radial_y * radial_y * bb;
    let b1 = radial_x * radial_y * (aa - bb);
    let b0 = -shift * radial_x * aa;
    let c2 = radial_y * radial_y * aa + radial_x * radial_x * bb;
    let c1 = -2.0 * shift * radial_y * aa;
    let c0 = shift * shift * aa - 1.0;
    let share = 1.0 + (kept_at(within, radial_x, radial_y) - 1.0) * strength;
    return Opening(share, 1.0 / a, b1, b0, b1 * b1 - a * c2, 2.0 * b0 * b1 - a * c1, b0 * b0 - a * c0);
}

fn kept_at(within: f32, radial_x: f32, radial_y: f32) -> f32 {
    let along = radial_x / (abs(radial_x) + abs(radial_y));
    let direction = select(3.0 + along, 1.0 - along, radial_y >= 0.0);
    let i = within * f32(KEPT_ROWS - 1);
    let j = direction * (f32(KEPT_COLUMNS - 1) / 4.0);
    let row = min(i32(i), KEPT_ROWS - 2);
    let column = min(i32(j), KEPT_COLUMNS - 2);
    let at = params.kept_at + row * KEPT_COLUMNS + column;
    let near = mix(table[at], table[at + 1], j - f32(column));
    let far = mix(table[at + KEPT_COLUMNS], table[at + KEPT_COLUMNS + 1], j - f32(column));
    return mix(near, far, i - f32(row));
}

// Where a row `y` px below the centre is open: left and right end in px from the centre.
fn row_opening(opening: Opening, y: f32) -> vec2f {
    let half = sqrt(max((opening.d2 * y + opening.d1) * y + opening.d0, 0.0)) * opening.inverse_a;
    let middle = -(opening.b1 * y + opening.b0) * opening.inverse_a;
    return vec2f(middle - half, middle + half);
}

// The same of three lines of the row: their mean where they are open, and the share that is.
fn fine_row_opening(opening: Opening, y: f32) -> vec3f {
    var sum = vec3f(0.0);
    for (var line = -1; line <= 1; line++) {
        let ends = row_opening(opening, y + f32(line) / 3.0);
        if (ends.y > ends.x) {
            sum += vec3f(ends, 1.0);
        }
    }
    return vec3f(sum.xy / max(sum.z, 1.0), sum.z / 3.0);
}
