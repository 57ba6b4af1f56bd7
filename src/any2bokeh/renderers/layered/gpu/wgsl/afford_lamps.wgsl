// Stage: of the lamps, those remain that can be followed in bounded time; the others are samples again: `lamps.affordable`.
// One workgroup does it.
// uses: constants, layer_params, samples_types, lamp_list

@group(0) @binding(0) var<uniform> params: LayerParams;
@group(0) @binding(1) var<storage, read_write> front: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> extras: array<Extra>;
@group(0) @binding(3) var<storage, read_write> list: LampList;

var<workgroup> sums: array<vec2f, 256>;  // looks, and the largest brightness
var<workgroup> whole: vec2f;

@compute @workgroup_size(256)
fn main(@builtin(local_invocation_index) thread: u32) {
    let total = min(list.total, arrayLength(&list.lamps));
    // Hidden background may have been continued into a mixed pixel since a lamp was found there.
    for (var number = thread; number < total; number += 256u) {
        if (list.lamps[number].is_behind == 1u) {
            list.lamps[number].defocus = extras[list.lamps[number].pixel].behind.w;
        }
    }
    storageBarrier();
    let all = counted(thread, total, 0.0);
    if (all.x <= params.most_looks) {
        return;
    }
    // A lamp counts fully from the level on and in part from half of it.
    var low = 0.0;
    var high = all.y;
    for (var turn = 0; turn < 40; turn++) {
        let level = (low + high) / 2.0;
        if (counted(thread, total, level).x > params.most_looks) {
            low = level;
        } else {
            high = level;
        }
    }
    // A sample may have been found twice: as one that is seen, and then as hidden background.
    for (var number = thread; number < min(list.shown, total); number += 256u) {
        give_back(number, high);
    }
    storageBarrier();
    for (var number = list.shown + thread; number < total; number += 256u) {
        give_back(number, high);
    }
}

// The looks that all lamps take as far as they count at a level, and the largest brightness of a disc. All threads come here.
fn counted(thread: u32, total: u32, level: f32) -> vec2f {
    var own = vec2f(0.0);
    for (var number = thread; number < total; number += 256u) {
        own.x += list.lamps[number].looks * share_at(number, level);
        own.y = max(own.y, disc(number));
    }
    sums[thread] = own;
    workgroupBarrier();
    if (thread == 0u) {
        var all = vec2f(0.0);
        for (var other = 0; other < 256; other++) {
            all = vec2f(all.x + sums[other].x, max(all.y, sums[other].y));
        }
        whole = all;
    }
    return workgroupUniformLoad(&whole);
}

// Brightness of a lamp's disc: what is seen of it.
fn disc(number: u32) -> f32 {
    let light = list.lamps[number].light;
    let radius = list.lamps[number].defocus;
    return max(max(light.x, light.y), light.z) / (radius * radius);
}

fn share_at(number: u32, level: f32) -> f32 {
    return select(1.0, clamp(2.0 * disc(number) / level - 1.0, 0.0, 1.0), level > 0.0);
}

// What is not followed of a lamp belongs to its sample.
fn give_back(number: u32, level: f32) {
    let share = clamp(disc(number) / level - 1.0, 0.0, 1.0);
    let rest = list.lamps[number].light * (1.0 - share);
    let pixel = list.lamps[number].pixel;
    if (list.lamps[number].is_behind == 1u) {
        extras[pixel].behind += vec4f(rest, 0.0);
    } else {
        front[pixel] += vec4f(rest, 0.0);
    }
    list.lamps[number].light -= rest;
}
