// What each of a thread's pixels has taken so far: of the picture, or of each of its three parts. `cpu.py` and
// `separation.py`.

var<private> taken: array<array<vec4f, PARTS>, PIXELS>;
var<private> full: array<f32, PIXELS>;
var<private> backstops: array<i32, PIXELS>;

// Args: which of the thread's pixels, its place in `state`, and the farthest bin that may show there.
fn begin_taking(k: i32, pixel: i32, backstop: i32) {
    full[k] = 0.0;
    for (var part = 0; part < PARTS; part++) {
        taken[k][part] = state[pixel * PARTS + part];
        full[k] += taken[k][part].w;
    }
    backstops[k] = backstop;
}

fn end_taking(k: i32, pixel: i32) {
    for (var part = 0; part < PARTS; part++) {
        state[pixel * PARTS + part] = taken[k][part];
    }
}

// Take a bin, as far as the aperture has room; bins come front to back.
fn take(k: i32, bin: i32, sums: vec4f) {
    if (PARTS == 1 && params.channel < 0 && bin == FOCUS_BIN && full[k] == 0.0 && sums.w > 1.0 - LEAST_COVERAGE) {
        taken[k][0].w = UNTOUCHED;
        full[k] = UNTOUCHED;
        return;
    }
    let room = 1.0 - full[k];
    if (sums.w <= LEAST_COVERAGE || room <= 0.0 || (bin < backstops[k] && full[k] > LEAST_TO_FILL)) {
        return;
    }
    let share = select(room / sums.w, 1.0, sums.w <= room);
    full[k] += share * sums.w;
    taken[k][part_of(bin)] += share * sums;
}

// Near, in focus, far.
fn part_of(bin: i32) -> i32 {
    if (PARTS == 1) {
        return 0;
    }
    return select(select(1, 2, bin < depth_bin(-params.focus_px)), 0, bin > depth_bin(params.focus_px));
}
