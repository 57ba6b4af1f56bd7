// Stage: one ring of hidden background, inwards from the steps: `layers.fill_ring`. A pixel reads nothing of its own ring.
// A workgroup takes a block, and leaves it at once where the ring before has no pixel in it or in those around it.
// uses: constants, layer_params, codes, samples_types, picture, seen

@group(0) @binding(0) var<uniform> params: LayerParams;
@group(0) @binding(1) var<storage, read> front: array<vec4f>;
@group(0) @binding(2) var<storage, read> seen: array<u32>;  // see `seen.wgsl`
@group(0) @binding(3) var<storage, read> decode_table: array<f32>;
@group(0) @binding(4) var<storage, read_write> kinds: array<u32>;
@group(0) @binding(5) var<storage, read_write> sources: array<u32>;
@group(0) @binding(6) var<storage, read_write> extras: array<Extra>;
@group(0) @binding(7) var<storage, read_write> rings_of_blocks: array<atomic<u32>>;  // the last ring with a pixel in each

@compute @workgroup_size(16, 16)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(workgroup_id) block: vec3u) {
    let y = i32(id.y);
    let x = i32(id.x);
    if (!is_beside_ring(vec2i(block.yx))) {
        return;
    }
    if (y >= params.height || x >= params.width) {
        return;
    }
    let pixel = y * params.width + x;
    if ((kinds[pixel] >> 8u) == 0u && borders_on_ring(pixel, y, x)) {
        hide(pixel, y, x);
    }
}

fn is_beside_ring(block: vec2i) -> bool {
    for (var row = max(block.x - 1, 0); row < min(block.x + 2, params.block_rows); row++) {
        for (var column = max(block.y - 1, 0); column < min(block.y + 2, params.block_columns); column++) {
            // A block of the ring that is being filled had one of the ring before it, or is beside one that has.
            if (atomicLoad(&rings_of_blocks[row * params.block_columns + column]) >= u32(params.ring - 1)) {
                return true;
            }
        }
    }
    return false;
}

fn ring_of(pixel: i32) -> i32 {
    return i32(kinds[pixel] >> 8u);
}

// Whether the ring before reaches a pixel from behind. Rings of four and of eight neighbours in turn are octagons.
fn borders_on_ring(pixel: i32, y: i32, x: i32) -> bool {
    for (var j = max(y - 1, 0); j < min(y + 2, params.height); j++) {
        for (var i = max(x - 1, 0); i < min(x + 2, params.width); i++) {
            let other = j * params.width + i;
            if (ring_of(other) != params.ring - 1 || (params.ring % 2 == 0 && j != y && i != x)) {
                continue;
            }
            if (front[pixel].w - front[sources[other]].w > STEP_PX) {
                return true;
            }
        }
    }
    return false;
}

// Give a pixel a hidden sample if the background of an earlier ring reaches behind it.
fn hide(pixel: i32, y: i32, x: i32) {
    var nearest = -1;
    var distance = 0x7fffffff;
    for (var j = max(y - 1, 0); j < min(y + 2, params.height); j++) {
        for (var i = max(x - 1, 0); i < min(x + 2, params.width); i++) {
            let ring = ring_of(j * params.width + i);
            if (ring > 0 && ring < params.ring) {
                let source = i32(sources[j * params.width + i]);
                let down = source / params.width - y;
                let across = source % params.width - x;
                if (down * down + across * across < distance) {
                    nearest = source;
                    distance = down * down + across * across;
                }
            }
        }
    }
    let background = front[nearest].w;
    let step = front[pixel].w - background;
    if (step <= STEP_PX || f32(distance) > (step + REACH_MARGIN_PX) * (step + REACH_MARGIN_PX)) {
        return;
    }
    if ((kinds[pixel] & SPLIT) == 0u) {  // a mixed pixel before a third surface: its own background hides that
        extras[pixel].behind = with_seen(pixel, continued(y, x, nearest, step, distance));
    }
    sources[pixel] = u32(nearest);
    atomicStore(&rings_of_blocks[(y / BLOCK) * params.block_columns + x / BLOCK], u32(params.ring));
    kinds[pixel] = (kinds[pixel] & 0xffu) | HIDDEN | (u32(params.ring) << 8u);
}

// The background behind a pixel: that of earlier rings goes on. Args: the pixel of the first ring that is the least far
// away, how much nearer than it the pixel is, and how far away squared.
fn continued(y: i32, x: i32, nearest: i32, step: f32, distance: i32) -> vec4f {
    let background = front[nearest].w;
    let tolerance = max(STEP_PX, SAME_SURFACE * step);
    var total = 0.0;
    var sum = vec4f(0.0);
    let stride = 1 + i32(sqrt(f32(distance)) * STENCIL_GROWTH);
    for (var m = -STENCIL; m <= STENCIL; m++) {
        for (var n = -STENCIL; n <= STENCIL; n++) {
            let j = y + m * stride;
            let i = x + n * stride;
            if (j < 0 || j >= params.height || i < 0 || i >= params.width) {
                continue;
            }
            let other = j * params.width + i;
            let ring = ring_of(other);
            if (ring == 0 || ring >= params.ring) {
                continue;
            }
            let behind = background_at(other);
            if (abs(behind.w - background) <= tolerance) {
                let weight = 1.0 / f32(m * m + n * n);
                total += weight;
                sum += weight * behind;
            }
        }
    }
    if (total == 0.0) {  // no point of the stencil lies on the background: take the nearest of it
        return background_at(nearest);
    }
    return sum / total;
}

fn background_at(pixel: i32) -> vec4f {
    if ((kinds[pixel] & HIDDEN) != 0u) {
        return extras[pixel].behind;
    }
    return front[pixel];
}

// What other frames saw takes the place of a hidden sample, as far as it is known and lies behind.
fn with_seen(pixel: i32, filled: vec4f) -> vec4f {
    if (params.has_seen == 0) {
        return filled;
    }
    let share = of_seen(pixel, 4);
    let defocus = defocus_of(of_seen(pixel, 3));
    if (share <= 0.0 || front[pixel].w - defocus <= STEP_PX) {
        return filled;
    }
    let light = light_of(seen_code(pixel), defocus);
    return filled + share * (vec4f(light, defocus) - filled);
}
