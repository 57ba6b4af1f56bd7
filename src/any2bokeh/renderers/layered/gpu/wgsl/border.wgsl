// What is repeated beyond the border: `border.py`.

// By what a sample's light is multiplied where it is repeated `beyond_px` beyond the border: 1, or less for what is bright.
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
    let long = bounded + over * tail * (1.0 - bounded);
    if (times <= TEXTURE) {
        return long;
    }
    let found = spot_at_border(y, x);
    let spot = found.x * min(times - TEXTURE, 1.0);
    let goes_on = clamp(found.y - f32(beyond_px - 1), 0.0, 1.0);
    return long + spot * ((1.0 + goes_on * (times - 1.0)) / times - long);
}

// How far what is bright at a border pixel is a spot, and how much of its depth is missing, in pixels.
fn spot_at_border(y: i32, x: i32) -> vec2f {
    let around = surroundings_at(y, x);
    var inwards = vec2i(0);
    if (y == 0) {
        inwards.x = 1;
    } else if (y == params.height - 1) {
        inwards.x = -1;
    } else {
        inwards.y = select(-1, 1, x == 0);
    }
    let here = vec2i(y, x);
    var peak = seen_brightness(here);
    for (var step = 1; step <= SPOT_PX; step++) {
        let bright = seen_brightness(here + step * inwards);
        if (bright < FAR_OUT * around) {
            break;
        }
        peak = max(peak, bright);
    }
    let span = max(peak - around, 1e-12);
    let deep = extent(around, span, here, inwards);
    var wide = extent(around, span, here, inwards.yx) + extent(around, span, here, -inwards.yx);
    wide -= min((seen_brightness(here) - around) / span, 1.0);  // counted twice
    let spot = clamp((f32(SPOT_PX) - max(deep, wide)) / 2.0, 0.0, 1.0);
    return vec2f(spot, clamp(wide - deep, 0.0, MOST_MISSING * deep));
}

// Pixels of a spot in one direction, from a pixel on; those that it covers in part count in part.
fn extent(around: f32, span: f32, from_here: vec2i, direction: vec2i) -> f32 {
    var total = 0.0;
    for (var step = 0; step <= SPOT_PX; step++) {
        let bright = seen_brightness(from_here + step * direction);
        if (bright < FAR_OUT * around) {
            break;
        }
        total += min((bright - around) / span, 1.0);
    }
    return total;
}

// Largest colour of what is seen at a place; below 0 outside the frame.
fn seen_brightness(at: vec2i) -> f32 {
    if (at.x < 0 || at.y < 0 || at.x >= params.height || at.y >= params.width) {
        return -1.0;
    }
    let seen = front[at.x * params.width + at.y];
    return max(max(seen.x, seen.y), seen.z);
}
