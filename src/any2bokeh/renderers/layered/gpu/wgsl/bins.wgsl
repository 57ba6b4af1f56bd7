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

// Index of a radius; 0 for every radius below half a pixel. Levels keep radii within the linear part.
fn radius_index(radius_px: f32) -> u32 {
    if (radius_px < IDENTITY_RADIUS_PX) {
        return 0u;
    }
    return u32(min(radius_px, LINEAR_LIMIT_PX) * RADIUS_STEPS_PER_PX + 0.5);
}
