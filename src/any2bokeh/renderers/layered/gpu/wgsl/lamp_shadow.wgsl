// What is nearer than a lamp, projected through the lamp onto its disc: `lamps._cast`.

const SHADOW_STEPS = 262144.0;  // whole numbers: sums do not depend on which thread was first

var<workgroup> shadow: array<atomic<u32>, 256>;  // how much of each pixel of a tile is covered, from 0 up

struct Casting {
    at: vec2i,  // row and column of the lamp
    own: f32,  // its defocus
    signed: f32,  // the same in the channel that is rendered: by this a point of the aperture is met on the disc
    disc: vec4i,  // first row and column that are wanted, and last
    origin: vec2i,  // of the tile
}

// Each thread takes a row of a block at a time.
fn cast_shadows(lamp: Casting, thread: u32) {
    if (any(lamp.disc.xy > lamp.disc.zw)) {
        return;
    }
    let away = i32(params.nearest_px - lamp.own + 1.0) / BLOCK + 1;
    let last = vec2i(params.block_rows, params.block_columns) - 1;
    let from_block = max(lamp.at / BLOCK - away, vec2i(0));
    let across = min(lamp.at / BLOCK + away, last) - from_block + 1;
    // A square lies in the window only if its sample does, seen from the lamp at one distance or another.
    let side = select(1.0, -1.0, lamp.signed > 0.0);
    let one = side * vec2f(lamp.disc.xy - lamp.at);
    let other = side * vec2f(lamp.disc.zw - lamp.at);
    let least = min(one, other) - 1.0;
    let most = max(one, other) + 1.0;
    let smaller = STEP_PX / max(abs(lamp.signed), STEP_PX);
    for (var number = i32(thread); number < across.x * across.y * BLOCK; number += 256) {
        let block = from_block + vec2i(number / BLOCK / across.y, number / BLOCK % across.y);
        let nearest = highs[block.x * params.block_columns + block.y] - lamp.own;
        if (!may_cut(nearest, block.x, block.y, lamp.at.x, lamp.at.y)) {
            continue;
        }
        let reach = nearest + 1.0;
        let larger = max(nearest / max(abs(lamp.signed), 1e-6), 1.0);
        let begin = max(min(least * larger, least * smaller) - 1.0, vec2f(-reach));
        let end = min(max(most * larger, most * smaller) + 1.0, vec2f(reach));
        let row = block.x * BLOCK + number % BLOCK;
        let down = f32(row - lamp.at.x);
        // Runs of samples do not cross blocks, so that a block beside the window can be left out as a whole.
        let beside = vec2f(f32(block.y * BLOCK - lamp.at.y), f32(block.y * BLOCK + BLOCK - 1 - lamp.at.y));
        if (row >= params.height || down < floor(begin.x) || down > ceil(end.x)
            || beside.y < floor(begin.y) || beside.x > ceil(end.y)) {
            continue;
        }
        let wide = i32(sqrt(max(reach * reach - down * down, 0.0))) + 1;
        let first_x = max(block.y * BLOCK, lamp.at.y - wide);
        cast_row(lamp, row, first_x, min(min((block.y + 1) * BLOCK, params.width), lamp.at.y + wide + 1));
    }
}

// Project a part of a row of samples; neighbours that are as near as one another go as one.
fn cast_row(lamp: Casting, row: i32, first_x: i32, end_x: i32) {
    let down = f32(row - lamp.at.x);
    var begin = first_x;
    var of_run = 0.0;
    for (var x = first_x; x < end_x; x++) {
        let pixel = row * params.width + x;
        let kind = marks[pixel] >> 8u;
        var apart = 0.0;
        if ((kind & SPLIT) == 0u) {
            apart = nearer_by(front[pixel].w, lamp.own);
        }
        if (abs(apart - of_run) > ALIKE * of_run) {
            if (of_run > 0.0) {
                cover(lamp, down, begin, x - 1, -lamp.signed / of_run, 1.0);
            }
            begin = x;
            of_run = apart;
        }
        if ((kind & SPLIT) != 0u) {
            let of_patch = nearer_by(extras[pixel].patch_defocus, lamp.own);
            if (of_patch > 0.0) {
                cover(lamp, down, x, x, -lamp.signed / of_patch, extras[pixel].patch_light.w);
            }
        }
        if ((kind & HIDDEN) != 0u) {
            let of_hidden = nearer_by(extras[pixel].behind.w, lamp.own);
            if (of_hidden > 0.0) {
                cover(lamp, down, x, x, -lamp.signed / of_hidden, 1.0);
            }
        }
    }
    if (of_run > 0.0) {
        cover(lamp, down, begin, end_x - 1, -lamp.signed / of_run, 1.0);
    }
}

// By how much a surface is nearer than a lamp, as far as it cuts it; 0 where it does not.
fn nearer_by(near: f32, own: f32) -> f32 {
    let apart = select(near, 0.0, abs(near) < IN_FOCUS_PX) - own;
    return select(0.0, apart, apart > STEP_PX);
}

// Cover what samples take on the disc, `scale` times as large: those of a row, `down` from the lamp's, between two columns.
fn cover(lamp: Casting, down: f32, first_x: i32, last_x: i32, scale: f32, alpha: f32) {
    let from_lamp = vec2f(down, f32(first_x - lamp.at.y)) - 0.5;
    let to_lamp = vec2f(down, f32(last_x - lamp.at.y)) + 0.5;
    // From the corner of the lamp's pixel: whole numbers are borders of pixels.
    let one = scale * from_lamp + 0.5;
    let other = scale * to_lamp + 0.5;
    let before = min(one, other);
    let after = max(one, other);
    let begin = max(vec2i(floor(clamp(before, vec2f(-1e6), vec2f(1e6)))), lamp.disc.xy - lamp.at);
    let end = min(vec2i(ceil(clamp(after, vec2f(-1e6), vec2f(1e6)))), lamp.disc.zw + 1 - lamp.at);
    let first = lamp.at - lamp.origin;
    for (var row = begin.x; row < end.x; row++) {
        let tall = alpha * (min(after.x, f32(row + 1)) - max(before.x, f32(row)));
        for (var x = begin.y; x < end.y; x++) {
            let wide = min(after.y, f32(x + 1)) - max(before.y, f32(x));
            atomicAdd(&shadow[(first.x + row) * 16 + first.y + x], u32(max(tall * wide, 0.0) * SHADOW_STEPS + 0.5));
        }
    }
}
