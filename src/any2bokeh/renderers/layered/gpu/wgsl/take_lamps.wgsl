// Stage: the lamps that were counted are listed, and taken out of their samples.
// uses: constants, layer_params, samples_types, brightness, surroundings, may_cut, following, lamp_list

@group(0) @binding(0) var<uniform> params: LayerParams;
@group(0) @binding(1) var<storage, read_write> front: array<vec4f>;
@group(0) @binding(2) var<storage, read> blocks: array<vec2f>;
@group(0) @binding(3) var<storage, read> ranges: array<vec4f>;
@group(0) @binding(4) var<storage, read> kinds: array<u32>;
@group(0) @binding(5) var<storage, read_write> extras: array<Extra>;
@group(0) @binding(6) var<storage, read> counts: array<u32>;  // as `order_lamps.wgsl` leaves them
@group(0) @binding(7) var<storage, read_write> list: LampList;

var<workgroup> ballots: array<atomic<u32>, 8>;  // a bit for each thread whose pixel has a lamp

@compute @workgroup_size(16, 16)
fn main(
    @builtin(global_invocation_id) id: vec3u, @builtin(workgroup_id) at: vec3u, @builtin(local_invocation_index) thread: u32
) {
    let number = i32(at.y) * params.block_columns + i32(at.x);
    if (counts[params.of_hidden] == 0u || (params.of_hidden == 0 && shines_nowhere(i32(at.y), i32(at.x)))) {
        return;
    }
    if (thread < 8u) {
        atomicStore(&ballots[thread], 0u);
    }
    workgroupBarrier();
    let y = i32(id.y);
    let x = i32(id.x);
    let pixel = y * params.width + x;
    var light = vec4f(0.0);
    var is_behind = false;
    var share = 0.0;
    if (y < params.height && x < params.width) {
        let kind = kinds[pixel] & 0xffu;
        is_behind = params.of_hidden == 1 || (kind & SPLIT) != 0u;
        light = front[pixel];
        if (is_behind) {
            light = extras[pixel].behind;
        }
        if (params.of_hidden == 0 || (kind & HIDDEN) != 0u) {
            share = share_followed(light.xyz, light.w, y, x);
        }
        if (share > 0.0) {
            atomicOr(&ballots[thread / 32u], 1u << (thread % 32u));
        }
    }
    workgroupBarrier();
    if (share <= 0.0) {
        return;
    }
    var rank = counts[2 + params.of_hidden * params.block_rows * params.block_columns + number];
    for (var word = 0u; word < thread / 32u; word++) {
        rank += countOneBits(atomicLoad(&ballots[word]));
    }
    rank += countOneBits(atomicLoad(&ballots[thread / 32u]) & ((1u << (thread % 32u)) - 1u));
    if (rank >= arrayLength(&list.lamps)) {
        return;
    }
    let more = share * light.xyz;
    let looks = looks_around(y, x, light.w) + PI * light.w * light.w;
    list.lamps[rank] = Lamp(more, light.w, pixel, u32(is_behind), looks, 0u);
    if (is_behind) {
        extras[pixel].behind -= vec4f(more, 0.0);
    } else {
        front[pixel] -= vec4f(more, 0.0);
    }
}
