// Gathers, for each pixel of a tile, the light of all samples that reach it, bin by bin from front to back.
//
// A workgroup takes one tile. It counts the samples that reach the tile by bin, and gives each its place in the order of
// bins (within a bin row by row of the picture, so that sums depend neither on which thread was first nor on where tiles
// lie). Then all threads go through the ordered samples together, each for four pixels of its own, with one running sum
// for each. Samples beyond what the list holds are taken in further rounds.
//
// The stage that uses this gives: `defocus_at`, `sample_at`, `light_at`, `place_in_frame` for where its samples come
// from, `NUMBERS` a place at most, a place being `ACROSS` pixels across (1, or 2 where four pixels share a sample); `take`
// for what becomes of the sums of a bin.

const TILE = 16;
const THREADS = 64;
const PIXELS = 4;  // of a thread, one below the other
const LISTED = 3584u;  // samples in the list: two in a word
const BATCH = 64u;  // of these, how many are made ready at a time

var<workgroup> counts: array<atomic<u32>, BIN_COUNT>;
var<workgroup> cursors: array<atomic<u32>, BIN_COUNT>;
var<workgroup> starts: array<u32, BIN_COUNT>;  // where the samples of a bin begin
var<workgroup> ballots: array<atomic<u32>, BIN_COUNT * 2>;  // of a bin, a bit for each thread that has a sample of it
var<workgroup> numbers_here: atomic<u32>;
var<workgroup> total_shared: u32;
var<workgroup> numbers_shared: u32;
var<workgroup> listed: array<atomic<u32>, LISTED / 2u>;
var<workgroup> shapes_ready: array<vec4i, BATCH>;  // first row and column in the tile; in the table; rows, columns, bin, fine
var<workgroup> lights_ready: array<vec4f, BATCH>;
var<workgroup> openings_ready: array<Opening, BATCH * USES_CUT + 1u>;

// Args: the tile's first row and column in pixels of the level, how far around it samples may reach it, the thread, and
// the first of its pixels in the tile.
fn gather_tile(origin: vec2i, reach: i32, thread: u32, own: vec2i) {
    let side = (TILE + 2 * reach) / ACROSS + ACROSS - 1;
    let places = side * side;
    let corner = (origin - vec2i(reach)) >> vec2u(u32(ACROSS - 1));
    for (var bin = thread; bin < u32(BIN_COUNT); bin += u32(THREADS)) {
        atomicStore(&counts[bin], 0u);
    }
    for (var word = thread; word < u32(BIN_COUNT * 2); word += u32(THREADS)) {
        atomicStore(&ballots[word], 0u);
    }
    if (thread == 0u) {
        atomicStore(&numbers_here, 0u);
    }
    workgroupBarrier();
    for (var place = i32(thread); place < places; place += THREADS) {
        for (var number = 0; number < NUMBERS; number++) {
            let bin = bin_here(origin, corner + vec2i(place / side, place % side), number);
            if (bin >= 0) {
                atomicAdd(&counts[bin], 1u);
                atomicOr(&numbers_here, 1u << u32(number));
            }
        }
    }
    workgroupBarrier();
    for (var bin = params.far_bin + i32(thread); bin <= params.near_bin; bin += THREADS) {
        var start = 0u;
        for (var nearer = params.near_bin; nearer > bin; nearer--) {
            start += atomicLoad(&counts[nearer]);
        }
        starts[bin] = start;
        if (bin == params.far_bin) {
            total_shared = start + atomicLoad(&counts[bin]);
            numbers_shared = atomicLoad(&numbers_here);
        }
    }
    let total = workgroupUniformLoad(&total_shared);
    let numbers = workgroupUniformLoad(&numbers_shared);
    var sums = array<vec4f, PIXELS>();
    var bin = -1;
    for (var first = 0u; first < total; first += LISTED) {
        workgroupBarrier();
        for (var each = params.far_bin + i32(thread); each <= params.near_bin; each += THREADS) {
            atomicStore(&cursors[each], starts[each]);
        }
        for (var word = thread; word < LISTED / 2u; word += u32(THREADS)) {
            atomicStore(&listed[word], 0u);
        }
        workgroupBarrier();
        list_samples(origin, corner, side, numbers, first, thread);
        let count = min(total - first, LISTED);
        for (var batch = 0u; batch < count; batch += BATCH) {
            if (thread < BATCH && batch + thread < count) {
                let entry = (atomicLoad(&listed[(batch + thread) / 2u]) >> (16u * (thread & 1u))) & 0xffffu;
                let place = i32(entry & 0x1fffu);
                make_ready(origin, corner + vec2i(place / side, place % side), i32(entry >> 13u), thread);
            }
            workgroupBarrier();
            for (var i = 0u; i < min(count - batch, BATCH); i++) {
                let shape = shapes_ready[i];
                let bin_of_shape = (shape.w >> 16u) & 0xff;
                if (bin_of_shape != bin) {
                    for (var k = 0; k < PIXELS; k++) {
                        if (bin >= 0) {
                            take(k, bin, sums[k]);
                        }
                        sums[k] = vec4f(0.0);
                    }
                    bin = bin_of_shape;
                }
                let first_row = own.x - shape.x;
                let column = own.y - shape.y;
                let rows = shape.w & 0xff;
                if (first_row > -PIXELS && first_row < rows && column >= 0 && column < ((shape.w >> 8u) & 0xff)) {
                    let light = lights_ready[i];
                    for (var k = 0; k < PIXELS; k++) {
                        let row = first_row + k;
                        if (row >= 0 && row < rows) {
                            sums[k] += light * coverage(shape, row, column, i);
                        }
                    }
                }
            }
            workgroupBarrier();
        }
    }
    if (bin >= 0) {
        for (var k = 0; k < PIXELS; k++) {
            take(k, bin, sums[k]);
        }
    }
}

// Bin of a sample, or -1 where there is none, it is of another run, or it does not reach the tile.
fn bin_here(origin: vec2i, place: vec2i, number: i32) -> i32 {
    let found = defocus_at(place.x, place.y, number);
    if (found.y == 0.0) {
        return -1;
    }
    let bin = depth_bin(found.x);
    if (bin > params.near_bin || bin < params.far_bin) {
        return -1;
    }
    let reach = abs(found.x + params.shift_px) / f32(1 << u32(params.level)) + 1.5;
    let first = place * ACROSS;
    let apart = max(max(origin - first - vec2i(ACROSS - 1), first - origin - vec2i(TILE - 1)), vec2i(0));
    return select(-1, bin, f32(max(apart.x, apart.y)) <= reach);
}

// Write the samples whose place in the order is `first` or one of the `LISTED` after it to the list.
fn list_samples(origin: vec2i, corner: vec2i, side: i32, numbers: u32, first: u32, thread: u32) {
    let places = side * side;
    let word = thread / 32u;
    let bit = thread % 32u;
    for (var number = 0; number < NUMBERS; number++) {
        if ((numbers & (1u << u32(number))) == 0u) {
            continue;
        }
        for (var begin = 0; begin < places; begin += THREADS) {
            let place = begin + i32(thread);
            var bin = -1;
            if (place < places) {
                bin = bin_here(origin, corner + vec2i(place / side, place % side), number);
            }
            if (bin >= 0) {
                atomicOr(&ballots[bin * 2 + i32(word)], 1u << bit);
            }
            workgroupBarrier();
            var rank = 0u;
            var alike = 0u;
            if (bin >= 0) {
                for (var i = 0u; i < 2u; i++) {
                    let votes = atomicLoad(&ballots[u32(bin) * 2u + i]);
                    alike += countOneBits(votes);
                    if (i < word) {
                        rank += countOneBits(votes);
                    } else if (i == word) {
                        rank += countOneBits(votes & ((1u << bit) - 1u));
                    }
                }
                let position = atomicLoad(&cursors[bin]) + rank;
                if (position >= first && position < first + LISTED) {
                    let at = position - first;
                    atomicOr(&listed[at / 2u], (u32(place) | (u32(number) << 13u)) << (16u * (at & 1u)));
                }
            }
            workgroupBarrier();
            if (bin >= 0) {
                atomicStore(&ballots[bin * 2 + i32(word)], 0u);
                if (rank == 0u) {
                    atomicAdd(&cursors[bin], alike);
                }
            }
            workgroupBarrier();
        }
    }
}

// What all threads need of a sample: where its shape stands in the tile and in the table, and its light over its area.
fn make_ready(origin: vec2i, place: vec2i, number: i32, slot: u32) {
    let found = sample_at(place.x, place.y, number);
    var light = light_at(found, place.x, place.y);
    if (params.channel == 1) {
        light.x = light.y;
    } else if (params.channel == 2) {
        light.x = light.z;
    }
    let frame_px = found.defocus + params.shift_px;
    let signed = frame_px / f32(1 << u32(params.level));
    let index = radius_index(abs(signed), params.radii);
    // In front of the focal plane the image of the aperture is upside down and mirrored.
    var record = 3u * (index + select(0u, u32(params.radii), signed > 0.0));
    if (USES_CUT == 0u) {
        record += 6u * u32(params.radii) * u32(ACROSS - 1);
    }
    var rows = i32(shapes[record + 1u] & 0xffffu);
    var columns = i32(shapes[record + 1u] >> 16u);
    var conserve = bitcast<f32>(shapes[record + 2u]);
    if (USES_CUT == 1u) {
        rows += ACROSS - 1;
        columns += ACROSS - 1;
        let where_in_frame = place_in_frame(place);
        let opening = cut(signed, abs(frame_px), where_in_frame.x, where_in_frame.y);
        openings_ready[slot] = opening;
        conserve /= opening.share;
    }
    lights_ready[slot] = light * (conserve * f32(ACROSS * ACROSS));  // a mean stands for all of its pixels
    let first = place * ACROSS - vec2i((rows - ACROSS + 1) / 2, (columns - ACROSS + 1) / 2) - origin;
    let is_fine = select(0, 1, abs(signed) < FINE_UP_TO_PX);
    let packed = rows | (columns << 8u) | (depth_bin(found.defocus) << 16u) | (is_fine << 24u);
    shapes_ready[slot] = vec4i(first, i32(shapes[record]), packed);
}

// How much of a pixel a shape covers, in its row and column.
fn coverage(shape: vec4i, row: i32, column: i32, slot: u32) -> f32 {
    let columns = (shape.w >> 8u) & 0xff;
    if (USES_CUT == 0u) {
        return table[shape.z + row * columns + column];
    }
    let own_row = cut_coverage(shape, row, column, slot);
    if (ACROSS == 1) {
        return own_row;
    }
    // Of a sample that pixels share, the mean of their shapes, each a pixel from the next.
    return 0.5 * (own_row + cut_coverage(shape, row - 1, column, slot));
}

// The table holds the places and heights of the steps of each row; what lies outside the opening moves to its ends.
fn cut_coverage(shape: vec4i, row: i32, column: i32, slot: u32) -> f32 {
    let rows = (shape.w & 0xff) - ACROSS + 1;
    if (row < 0 || row >= rows) {
        return 0.0;
    }
    let down = f32(row - rows / 2);
    var ends = vec3f(row_opening(openings_ready[slot], down), 1.0);
    if ((shape.w >> 24u) == 1) {
        ends = fine_row_opening(openings_ready[slot], down);
    }
    if (ends.y <= ends.x) {
        return 0.0;
    }
    let after = f32(column - (((shape.w >> 8u) & 0xff) - ACROSS + 1) / 2 + 1);
    let first = shapes[shape.z + row];
    let end = shapes[shape.z + row + 1];
    if (end == first + 2u) { // in and out: no loop, of whose rounds llvmpipe has few
        return ends.z * (stepped(first, ends, after) + stepped(first + 1u, ends, after));
    }
    var covered = 0.0;
    for (var step = first; step < end; step++) {
        covered += stepped(step, ends, after);
    }
    return covered * ends.z;
}

fn stepped(step: u32, ends: vec3f, after: f32) -> f32 {
    let place = clamp(table[2u * step], ends.x + 0.5, ends.y + 0.5);
    return table[2u * step + 1u] * clamp((after - place) / f32(ACROSS), 0.0, 1.0);
}
