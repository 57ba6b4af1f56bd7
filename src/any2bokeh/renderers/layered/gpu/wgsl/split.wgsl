// Stage: mixed pixels on far sides are split into a foreground part and the background behind it, by colours around
// them, by what is told of them and by what other frames saw: `layers.split_mixed`, `bands.py`, `layers.show_seen_beside`.
// uses: constants, layer_params, codes, samples_types, picture, brightness, surroundings, mixed, seen

@group(0) @binding(0) var<uniform> params: LayerParams;
@group(0) @binding(1) var<storage, read> pixels: array<u32>;
@group(0) @binding(2) var<storage, read> decode_table: array<f32>;
@group(0) @binding(3) var<storage, read> front: array<vec4f>;
@group(0) @binding(4) var<storage, read> blocks: array<vec2f>;
@group(0) @binding(5) var<storage, read> mixed: array<u32>;  // planes, see `mixed.wgsl`; or nothing
@group(0) @binding(6) var<storage, read> seen: array<u32>;  // see `seen.wgsl`
@group(0) @binding(7) var<storage, read_write> kinds: array<u32>;
@group(0) @binding(8) var<storage, read_write> extras: array<Extra>;  // one for each pixel

var<private> near_mean: vec3f;
var<private> near_least: vec3f;
var<private> near_most: vec3f;
var<private> far_mean: vec3f;
var<private> far_least: vec3f;
var<private> far_most: vec3f;

@compute @workgroup_size(16, 16)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let y = i32(id.y);
    let x = i32(id.x);
    if (y >= params.height || x >= params.width) {
        return;
    }
    let pixel = y * params.width + x;
    if ((kinds[pixel] >> 8u) == 1u) {
        split_by_colours(pixel, y, x);
    }
    if (is_split_by_bands(pixel) && is_far_side(pixel, front[pixel].w)) {
        split_by_bands(pixel);
    }
    if (params.has_seen != 0 && (kinds[pixel] >> 8u) == 1u && (kinds[pixel] & SPLIT) != 0u) {
        show_seen_beside(pixel);
    }
}

fn split_by_colours(pixel: i32, y: i32, x: i32) {
    let here = front[pixel].w;
    var near = here;
    for (var j = max(y - 1, 0); j < min(y + 2, params.height); j++) {
        for (var i = max(x - 1, 0); i < min(x + 2, params.width); i++) {
            near = max(near, front[j * params.width + i].w);
        }
    }
    let bound = TIMES_SURROUNDINGS * surroundings_at(y, x);
    let found = foreground_share(pixel, y, x, near, bound);
    let share = found.x;
    let kept = found.y;
    if (share <= 0.0) {
        return;
    }
    let own = front[pixel].xyz;
    let mixture = kept * own;
    // A wrong estimate shows as a speckle: stay near the colours of the pure background.
    var margin = MIX_RANGE_MARGIN * (far_most - far_least);
    var background = (mixture - share * near_mean) / (1.0 - share);
    background = min(max(max(background, far_least - margin), vec3f(0.0)), far_most + margin);
    // What is unlike the background around stays with the foreground, as far as it is like that.
    margin = MIX_RANGE_MARGIN * (near_most - near_least);
    let least = max(near_least * (1.0 - MIX_GRAIN) - margin, vec3f(0.0));
    let most = near_most * (1.0 + MIX_GRAIN) + margin;
    extras[pixel].behind = vec4f(background + (1.0 - kept) * own / (1.0 - share), here);
    extras[pixel].patch_light =
        vec4f(min(max(mixture - (1.0 - share) * background, share * least), share * most), share);
    extras[pixel].patch_defocus = near;
    kinds[pixel] = (kinds[pixel] & 0xffffff00u) | BESIDE_STEP | SPLIT | HIDDEN;
}

// How much of a pixel is foreground, and how much of its light is no lamp's.
fn foreground_share(pixel: i32, y: i32, x: i32, near: f32, bound: f32) -> vec2f {
    let own = front[pixel];
    let half = (near - own.w) / 2.0;
    var near_weight = 0.0;
    var far_weight = 0.0;
    near_mean = vec3f(0.0);
    near_least = vec3f(1e30);
    near_most = vec3f(0.0);
    far_mean = vec3f(0.0);
    far_least = vec3f(1e30);
    far_most = vec3f(0.0);
    for (var j = max(y - MIX_RADIUS, 0); j < min(y + MIX_RADIUS + 1, params.height); j++) {
        for (var i = max(x - MIX_RADIUS, 0); i < min(x + MIX_RADIUS + 1, params.width); i++) {
            let other = j * params.width + i;
            if ((kinds[other] & BESIDE_STEP) != 0u) {
                continue;
            }
            let seen = front[other];
            let from_far = abs(seen.w - own.w);
            let from_near = abs(seen.w - near);
            if (min(from_far, from_near) >= half) {
                continue;
            }
            let weight = exp(-f32((j - y) * (j - y) + (i - x) * (i - x)) / 4.5);
            if (from_far < from_near) {
                far_weight += weight;
                let bright = brightness(seen.xyz);
                let color = seen.xyz * select(1.0, bound / bright, bright > bound);
                far_mean += weight * color;
                far_least = min(far_least, color);
                far_most = max(far_most, color);
            } else {
                near_weight += weight;
                near_mean += weight * seen.xyz;
                near_least = min(near_least, seen.xyz);
                near_most = max(near_most, seen.xyz);
            }
        }
    }
    if (far_weight < 1e-3) {
        return vec2f(0.0, 1.0);
    }
    var kept = bound / max(brightness(own.xyz), bound);
    far_mean /= far_weight;
    if (near_weight >= 1e-3) {
        near_mean /= near_weight;
        if (brightness(near_most) > bound) {
            kept = 1.0;
        }
    } else if (!extreme_near_color(y, x, own.w + half, bound)) {
        return vec2f(0.0, 1.0);
    }
    let span = near_mean - far_mean;
    let contrast = dot(span, span);
    if (contrast < MIX_LEAST_CONTRAST) {
        return vec2f(0.0, 1.0);
    }
    return vec2f(clamp(dot(kept * own.xyz - far_mean, span) / contrast, 0.0, MIX_MOST_FOREGROUND), kept);
}

// The foreground neighbour that is least like the background: a hair has no pure pixel of its own.
fn extreme_near_color(y: i32, x: i32, threshold: f32, bound: f32) -> bool {
    var farthest = -1.0;
    for (var j = max(y - 1, 0); j < min(y + 2, params.height); j++) {
        for (var i = max(x - 1, 0); i < min(x + 2, params.width); i++) {
            let seen = front[j * params.width + i];
            if (seen.w < threshold || brightness(seen.xyz) > bound) {
                continue;
            }
            let apart = seen.xyz - far_mean;
            if (dot(apart, apart) > farthest) {
                farthest = dot(apart, apart);
                near_mean = seen.xyz;
                near_least = seen.xyz;
                near_most = seen.xyz;
            }
        }
    }
    return farthest >= 0.0;
}

fn split_by_bands(pixel: i32) {
    let share = of_mixed(pixel, 0);
    let own = front[pixel].xyz;
    var behind = vec3f(decoded(of_mixed(pixel, 3)), decoded(of_mixed(pixel, 4)), decoded(of_mixed(pixel, 5)));
    // Both parts add up to the pixel: in focus, nothing changes.
    behind = min(behind, own / (1.0 - share));
    extras[pixel].behind = vec4f(behind, defocus_of(of_mixed(pixel, 2)));
    extras[pixel].patch_light = vec4f(own - (1.0 - share) * behind, share);
    extras[pixel].patch_defocus = defocus_of(of_mixed(pixel, 1));
    // It may lie beside no step. Others look at that meanwhile, to tell pure colours: it must stay as `steps` found it.
    kinds[pixel] |= SPLIT | HIDDEN;
}

// What other frames saw takes the place of the background. Both parts still add up to the pixel.
fn show_seen_beside(pixel: i32) {
    let known = of_seen(pixel, 4);
    let defocus = defocus_of(of_seen(pixel, 3));
    let step = extras[pixel].patch_defocus - extras[pixel].behind.w;
    if (known <= 0.0 || step <= STEP_PX || abs(defocus - extras[pixel].behind.w) > max(STEP_PX, SAME_SURFACE * step)) {
        return;
    }
    let light = light_of(seen_code(pixel), defocus);
    let share = extras[pixel].patch_light.w;
    let whole = extras[pixel].patch_light.xyz + (1.0 - share) * extras[pixel].behind.xyz;
    let behind = extras[pixel].behind.xyz + known * (light - extras[pixel].behind.xyz);
    // Else the foreground were no colour: below black, or brighter than white.
    var least = share;
    for (var c = 0; c < 3; c++) {
        if (whole[c] < behind[c]) {
            least = max(least, 1.0 - whole[c] / behind[c]);
        } else if (whole[c] <= STILL_WHITE && min(whole[c], 1.0) > behind[c]) {
            least = max(least, (min(whole[c], 1.0) - behind[c]) / (1.0 - behind[c]));
        }
    }
    least = min(least, max(MOST_HIDDEN, share));
    let told = min(behind, whole / (1.0 - least));
    extras[pixel].behind = vec4f(told, extras[pixel].behind.w);
    extras[pixel].patch_light = vec4f(whole - (1.0 - least) * told, least);
}
