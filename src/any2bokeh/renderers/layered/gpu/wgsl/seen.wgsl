// What other frames saw, in planes: code values, disparity, and how far they are known; of 16 bits, after the disparity.

fn of_seen(pixel: i32, plane: i32) -> f32 {
    let size = params.width * params.height;
    if (CODES_16 == 0u) {
        return bitcast<f32>(seen[plane * size + pixel]);
    }
    if (plane == 3) {
        return bitcast<f32>(seen[pixel]);
    }
    let index = min(plane, 3) * size + pixel;
    return sample_of(seen[size + word_of(index)], index);
}

fn seen_code(pixel: i32) -> vec3f {
    return vec3f(of_seen(pixel, 0), of_seen(pixel, 1), of_seen(pixel, 2));
}
