// Stage: lamps are counted, block by block: among what is seen, or among hidden background. Before the first, edges that a
// lamp behind shines into are found: `lamps.find_lamps`, `lit_edges.find_lit`.
// uses: constants, layer_params, samples_types, brightness, surroundings, may_cut, following

@group(0) @binding(0) var<uniform> params: LayerParams;
@group(0) @binding(1) var<storage, read> front: array<vec4f>;
@group(0) @binding(2) var<storage, read> blocks: array<vec2f>;
@group(0) @binding(3) var<storage, read> ranges: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> kinds: array<u32>;
@group(0) @binding(5) var<storage, read_write> extras: array<Extra>;
@group(0) @binding(6) var<storage, read_write> counts: array<atomic<u32>>;  // of all, shown and hidden; then of blocks, likewise

var<workgroup> found: atomic<u32>;

@compute @workgroup_size(16, 16)
fn main(
    @builtin(global_invocation_id) id: vec3u, @builtin(workgroup_id) at: vec3u, @builtin(local_invocation_index) thread: u32
) {
    if (params.of_hidden == 0 && shines_nowhere(i32(at.y), i32(at.x))) {
        return;
    }
    if (thread == 0u) {
        atomicStore(&found, 0u);
    }
    workgroupBarrier();
    let y = i32(id.y);
    let x = i32(id.x);
    if (y < params.height && x < params.width) {
        let pixel = y * params.width + x;
        let kind = kinds[pixel] & 0xffu;
        if (params.of_hidden == 0 && kind == BESIDE_STEP) {
            find_lit(pixel, y, x);
        }
        var light = front[pixel];
        if (params.of_hidden == 1 || (kind & SPLIT) != 0u) {
            light = extras[pixel].behind;
        }
        if ((params.of_hidden == 0 || (kind & HIDDEN) != 0u) && share_followed(light.xyz, light.w, y, x) > 0.0) {
            atomicAdd(&found, 1u);
        }
    }
    workgroupBarrier();
    if (thread == 0u && atomicLoad(&found) > 0u) {
        let block_count = params.block_rows * params.block_columns;
        let number = i32(at.y) * params.block_columns + i32(at.x);
        atomicStore(&counts[2 + params.of_hidden * block_count + number], atomicLoad(&found));
        atomicAdd(&counts[params.of_hidden], atomicLoad(&found));
    }
}

// Whether a lamp behind shines into a foreground pixel; if so it is `LIT`, and its part of the foreground is kept.
fn find_lit(pixel: i32, y: i32, x: i32) {
    let own = front[pixel];
    let bright = brightness(own.xyz);
    let bound = TIMES_SURROUNDINGS * surroundings_at(y, x);
    if (bright <= bound) {
        return;
    }
    let behind = far_side(y, x, own.w);
    let lamp = behind.y;
    if (lamp <= bright) {
        return;
    }
    let color = foreground(y, x, (behind.x + own.w) / 2.0);
    if (brightness(color) > bound) {
        return;
    }
    let share = clamp(1.0 - (bright - brightness(color)) / (lamp - brightness(color)), LIT_LEAST_FOREGROUND, LIT_MOST_FOREGROUND);
    extras[pixel].patch_light = vec4f(share * color, share);
    extras[pixel].patch_defocus = own.w;
    kinds[pixel] |= LIT;
}

// Defocus of the farthest pixel around, and brightness of the brightest on its side of the step.
fn far_side(y: i32, x: i32, here: f32) -> vec2f {
    var far = here;
    for (var j = max(y - 1, 0); j < min(y + 2, params.height); j++) {
        for (var i = max(x - 1, 0); i < min(x + 2, params.width); i++) {
            far = min(far, front[j * params.width + i].w);
        }
    }
    var brightest = 0.0;
    for (var j = max(y - 1, 0); j < min(y + 2, params.height); j++) {
        for (var i = max(x - 1, 0); i < min(x + 2, params.width); i++) {
            let seen = front[j * params.width + i];
            brightest = max(brightest, select(0.0, brightness(seen.xyz), seen.w < (here + far) / 2.0));
        }
    }
    return vec2f(far, brightest);
}

// Mean colour of the pixels nearby that are nearer than `threshold`, beside no step and not mixed; where there is none,
// that of the darkest which is: a twig has no pure pixel.
fn foreground(y: i32, x: i32, threshold: f32) -> vec3f {
    var sum = vec3f(0.0);
    var count = 0.0;
    var darkest = front[y * params.width + x].xyz;
    var least = 1e30;
    for (var j = max(y - MIX_RADIUS, 0); j < min(y + MIX_RADIUS + 1, params.height); j++) {
        for (var i = max(x - MIX_RADIUS, 0); i < min(x + MIX_RADIUS + 1, params.width); i++) {
            let seen = front[j * params.width + i];
            if (seen.w <= threshold) {
                continue;
            }
            if ((kinds[j * params.width + i] & (BESIDE_STEP | SPLIT)) == 0u) {
                sum += seen.xyz;
                count += 1.0;
            } else if (brightness(seen.xyz) < least) {
                least = brightness(seen.xyz);
                darkest = seen.xyz;
            }
        }
    }
    return select(sum / max(count, 1.0), darkest, count == 0.0);
}
