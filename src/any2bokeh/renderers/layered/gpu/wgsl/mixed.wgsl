// What is told of mixed pixels, in planes: share of the nearer surface, disparity of the nearer and of the farther, code
// values of the farther; of 16 bits, after both disparities. `bands.py`.

fn of_mixed(pixel: i32, plane: i32) -> f32 {
    let size = params.width * params.height;
    if (CODES_16 == 0u) {
        return bitcast<f32>(mixed[plane * size + pixel]);
    }
    if (plane == 1 || plane == 2) {
        return bitcast<f32>(mixed[(plane - 1) * size + pixel]);
    }
    let index = max(plane - 2, 0) * size + pixel;
    return sample_of(mixed[2 * size + word_of(index)], index);
}

// Whether a pixel is mixed, of surfaces that are a step apart, and not raised.
fn is_split_by_bands(pixel: i32) -> bool {
    if (params.has_mixed == 0) {
        return false;
    }
    let plane = params.width * params.height;
    let largest = max(max(code_at(pixel), code_at(plane + pixel)), code_at(2 * plane + pixel));
    let alpha = of_mixed(pixel, 0);
    return alpha > 0.0 && alpha < 1.0 && largest <= params.raised_from
        && params.px_per_disparity * (of_mixed(pixel, 1) - of_mixed(pixel, 2)) > STEP_PX;
}

// Whether it has the disparity of the farther of its surfaces.
fn is_far_side(pixel: i32, defocus: f32) -> bool {
    return defocus < params.px_per_disparity * ((of_mixed(pixel, 1) + of_mixed(pixel, 2)) / 2.0 - params.focus_disparity);
}

fn code_at(index: i32) -> f32 {
    return sample_of(pixels[word_of(index)], index);
}
