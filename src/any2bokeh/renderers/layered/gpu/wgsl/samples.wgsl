// The samples of the layered depth image; the stages that make layers lay them out.

struct Sample {
    light: vec4f,  // multiplied by a weight, and the weight
    defocus: f32,
    is_there: bool,
}

// Sample `number`, 0 or 1, at a place that may lie beyond the border, where the outermost pixels repeat.
fn sample_at(around_y: i32, around_x: i32, number: i32) -> Sample {
    let y = clamp(around_y, 0, params.height - 1);
    let x = clamp(around_x, 0, params.width - 1);
    let pixel = y * params.width + x;
    let kind = marks[pixel] >> 8u;
    var found = Sample(vec4f(0.0), 0.0, false);
    if (kind == 0u) {
        if (number == 0) {
            let seen = front[pixel];
            found = Sample(vec4f(seen.xyz, 1.0), seen.w, true);
        }
    } else {
        if (number == 1) {
            let behind = extras[pixel].behind;
            found = Sample(vec4f(behind.xyz, 1.0), behind.w, (kind & HIDDEN) != 0u);
        } else if ((kind & SPLIT) != 0u) {
            found = Sample(extras[pixel].patch_light, extras[pixel].patch_defocus, true);
        } else {
            let seen = front[pixel];
            found = Sample(vec4f(seen.xyz, 1.0), seen.w, true);
        }
    }
    return found;
}

// Its defocus alone; the second number says whether there is one.
fn defocus_at(around_y: i32, around_x: i32, number: i32) -> vec2f {
    let found = sample_at(around_y, around_x, number);
    return vec2f(found.defocus, select(0.0, 1.0, found.is_there));
}

// Its light as it is rendered there: of one channel, in the first place; dimmed where it is repeated.
fn light_at(found: Sample, around_y: i32, around_x: i32) -> vec4f {
    var light = found.light;
    let y = clamp(around_y, 0, params.height - 1);
    let x = clamp(around_x, 0, params.width - 1);
    if (y != around_y || x != around_x) {
        let share = repeated(light, y, x, max(abs(around_y - y), abs(around_x - x)));
        light = vec4f(light.xyz * share, light.w);
    }
    return light;
}
