// What a pixel has taken so far: of the picture, or of each of its three parts. `cpu.py` and `separation.py`.

var<private> taken: array<vec4f, PARTS>;
var<private> full: f32;
var<private> backstop: i32;

fn begin_taking(pixel: i32, backstop_here: i32) {
    full = 0.0;
    for (var part = 0; part < PARTS; part++) {
        taken[part] = state[pixel * PARTS + part];
        full += taken[part].w;
    }
    backstop = backstop_here;
}

fn end_taking(pixel: i32) {
    for (var part = 0; part < PARTS; part++) {
        state[pixel * PARTS + part] = taken[part];
    }
}

// Take a bin, as far as the aperture has room; bins come front to back.
fn take(bin: i32, sums: vec4f) {
    if (PARTS == 1 && params.channel < 0 && bin == FOCUS_BIN && full == 0.0 && sums.w > 1.0 - LEAST_COVERAGE) {
        taken[0].w = UNTOUCHED;
        full = UNTOUCHED;
        return;
    }
    let room = 1.0 - full;
    if (sums.w <= LEAST_COVERAGE || room <= 0.0 || (bin < backstop && full > LEAST_TO_FILL)) {
        return;
    }
    let share = select(room / sums.w, 1.0, sums.w <= room);
    full += share * sums.w;
    taken[part_of(bin)] += share * sums;
}

// Near, in focus, far.
fn part_of(bin: i32) -> i32 {
    if (PARTS == 1) {
        return 0;
    }
    return select(select(1, 2, bin < depth_bin(-params.focus_px)), 0, bin > depth_bin(params.focus_px));
}
