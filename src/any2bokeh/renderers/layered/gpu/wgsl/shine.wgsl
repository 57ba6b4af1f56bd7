// Stage: the discs of lamps, each cut by what is before it: `lamps.glow_of`. A workgroup takes a tile, and goes through the
// lamps that reach it in their order, so that the same frame always gives the same bits.
// uses: constants, params, bins, samples_types, vignetting, may_cut, lamp_list, lamp_shadow

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> front: array<vec4f>;
@group(0) @binding(2) var<storage, read> marks: array<u32>;
@group(0) @binding(3) var<storage, read> extras: array<Extra>;
@group(0) @binding(4) var<storage, read> highs: array<f32>;  // of blocks: largest defocus
@group(0) @binding(5) var<storage, read> shapes: array<u32>;  // see `shapes.LampShapes`
@group(0) @binding(6) var<storage, read> table: array<f32>;
@group(0) @binding(7) var<storage, read> list: LampList;
@group(0) @binding(8) var<storage, read_write> glow: array<f32>;  // (parts, rows, columns, 3) of the band

var<workgroup> ballots: array<atomic<u32>, 8>;  // a bit for each of 256 lamps that reaches the tile
var<workgroup> words: array<u32, 8>;
var<private> shining: array<vec3f, PARTS>;

@compute @workgroup_size(16, 16)
fn main(@builtin(workgroup_id) tile: vec3u, @builtin(local_invocation_index) thread: u32) {
    let total = min(list.total, arrayLength(&list.lamps));
    if (total == 0u) {
        return;
    }
    let corner = vec2i(tile.yx) * 16;
    let origin = corner + vec2i(params.window_top + params.band_top, params.window_left);
    let size = min(vec2i(16), vec2i(params.band_rows, params.window_width) - corner);
    let own = vec2i(i32(thread) / 16, i32(thread) % 16);
    atomicStore(&shadow[thread], 0u);
    for (var first = 0u; first < total; first += 256u) {
        if (thread < 8u) {
            atomicStore(&ballots[thread], 0u);
        }
        workgroupBarrier();
        if (first + thread < total && reaches(first + thread, origin, size)) {
            atomicOr(&ballots[thread / 32u], 1u << (thread % 32u));
        }
        workgroupBarrier();
        if (thread < 8u) {
            words[thread] = atomicLoad(&ballots[thread]);
        }
        for (var word = 0u; word < 8u; word++) {
            var bits = workgroupUniformLoad(&words[word]);
            while (bits != 0u) {
                shine(first + 32u * word + firstTrailingBit(bits), origin, size, thread, own);
                bits &= bits - 1u;
            }
        }
    }
    if (own.x >= size.x || own.y >= size.y) {
        return;
    }
    let pixel = (corner.x + own.x) * params.window_width + corner.y + own.y;
    for (var part = 0; part < PARTS; part++) {
        let at = 3 * (part * params.band_rows * params.window_width + pixel);
        for (var c = 0; c < 3; c++) {
            if (params.channel < 0 || params.channel == c) {
                glow[at + c] = shining[part][c];
            }
        }
    }
}

fn reaches(number: u32, origin: vec2i, size: vec2i) -> bool {
    let lamp = list.lamps[number];
    let at = vec2i(lamp.pixel / params.width, lamp.pixel % params.width);
    let away = i32(abs(lamp.defocus + params.shift_px) + 2.5);
    return all(at + away >= origin) && all(at - away < origin + size);
}

// Add the disc of a lamp to what falls on the tile. All threads come here.
fn shine(number: u32, origin: vec2i, size: vec2i, thread: u32, own: vec2i) {
    let lamp = list.lamps[number];
    let at = vec2i(lamp.pixel / params.width, lamp.pixel % params.width);
    let signed = lamp.defocus + params.shift_px;
    let record = 3u * (radius_index(abs(signed), params.lamp_radii) + select(0u, u32(params.lamp_radii), signed > 0.0));
    let reach = i32(shapes[record + 1u]);
    let across = i32(abs(signed) + 2.5);
    // First and last row and column of the disc in the tile.
    let disc = vec4i(max(at - vec2i(reach, across), origin), min(at + vec2i(reach, across), origin + size - 1));
    cast_shadows(Casting(at, lamp.defocus, signed, disc, origin), thread);
    workgroupBarrier();
    let shaded = f32(atomicLoad(&shadow[thread])) / SHADOW_STEPS;
    atomicStore(&shadow[thread], 0u);
    workgroupBarrier();
    let here = origin + own;
    let bin = depth_bin(lamp.defocus);
    if (any(here < disc.xy) || any(here > disc.zw) || 1.0 - shaded <= LEAST_VISIBLE
        || bin < i32(marks[here.x * params.width + here.y] & 0xffu)) {
        return;
    }
    var ends = vec3f(-1e9, 1e9, 1.0);
    var conserve = bitcast<f32>(shapes[record + 2u]);
    if (USES_CUT == 1u) {
        let opening = cut(signed, abs(signed), f32(at.x), f32(at.y));
        conserve /= opening.share;
        ends = vec3f(row_opening(opening, f32(here.x - at.x)), 1.0);
        if (abs(signed) < FINE_UP_TO_PX) {
            ends = fine_row_opening(opening, f32(here.x - at.x));
        }
    }
    if (ends.y <= ends.x) {
        return;
    }
    let row = 6u * u32(params.lamp_radii) + shapes[record] + u32(reach + here.x - at.x);
    var level = 0.0;
    for (var step = shapes[row]; step < shapes[row + 1u]; step++) {
        let place = clamp(table[2u * step], ends.x + 0.5, ends.y + 0.5);
        level += table[2u * step + 1u] * clamp(f32(here.y - at.y + 1) - place, 0.0, 1.0);
    }
    level *= ends.z;
    if (level > 1e-6) {
        shining[part_of(bin)] += ((1.0 - shaded) * level * conserve) * lamp.light;
    }
}

// Near, in focus, far.
fn part_of(bin: i32) -> i32 {
    if (PARTS == 1) {
        return 0;
    }
    return select(select(1, 2, bin < depth_bin(-params.focus_px)), 0, bin > depth_bin(params.focus_px));
}
