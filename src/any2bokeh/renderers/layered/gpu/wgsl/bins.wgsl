// Bins of defocus, and the radii for which shapes are kept ready: `bins.py` and `optics/radii.py`.

// Bin of a signed defocus in pixels, from the farthest, 0, to the nearest. Within half a pixel of focus all is one.
fn depth_bin(defocus: f32) -> i32 {
    let radius = abs(defocus);
    if (radius < 0.5) {
        return FOCUS_BIN;
    }
    var away = 0;
    if (radius < LINEAR_BINS + 0.5) {
        away = 1 + i32(radius - 0.5);
    } else {
        away = i32(LINEAR_BINS) + 1 + i32(log(radius / (LINEAR_BINS + 0.5)) * BINS_PER_E_FOLD);
        away = min(away, FOCUS_BIN);
    }
    return select(FOCUS_BIN - away, FOCUS_BIN + away, defocus > 0.0);
}

// Index of a radius among `radii` of them; 0 for every radius below half a pixel.
fn radius_index(radius_px: f32, radii: i32) -> u32 {
    if (radius_px < IDENTITY_RADIUS_PX) {
        return 0u;
    }
    if (radius_px < LINEAR_LIMIT_PX) {
        return u32(radius_px * RADIUS_STEPS_PER_PX + 0.5);
    }
    let above = u32(log(radius_px / LINEAR_LIMIT_PX) * STEPS_PER_E_FOLD + 0.5);
    return min(u32(LINEAR_LIMIT_PX * RADIUS_STEPS_PER_PX) + above, u32(radii - 1));
}
