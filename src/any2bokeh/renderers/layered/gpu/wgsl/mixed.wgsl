// What is told of mixed pixels, in planes: share of the nearer surface, disparity of the nearer and of the farther, code
// values of the farther. `bands.py`.

fn of_mixed(pixel: i32, plane: i32) -> f32 {
    return mixed[plane * params.width * params.height + pixel];
}

// Whether a pixel is mixed, of surfaces that are a step apart, and not raised.
fn is_split_by_bands(pixel: i32) -> bool {
    if (params.has_mixed == 0) {
        return false;
    }
    let plane = params.width * params.height;
    let largest = max(max(pixels[pixel], pixels[plane + pixel]), pixels[2 * plane + pixel]);
    let alpha = of_mixed(pixel, 0);
    return alpha > 0.0 && alpha < 1.0 && largest <= params.raised_from
        && params.px_per_disparity * (of_mixed(pixel, 1) - of_mixed(pixel, 2)) > STEP_PX;
}

// Whether it has the disparity of the farther of its surfaces.
fn is_far_side(pixel: i32, defocus: f32) -> bool {
    return defocus < params.px_per_disparity * ((of_mixed(pixel, 1) + of_mixed(pixel, 2)) / 2.0 - params.focus_disparity);
}
