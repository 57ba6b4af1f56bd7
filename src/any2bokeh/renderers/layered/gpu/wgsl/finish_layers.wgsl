// Stage: mixed pixels on near sides are split, and edges that lamps shine into; marks and the range of blocks are set:
// `bands.py`, `lit_edges.split_lit`, `layers.widen_blocks`, `backstop.show_own_background`.
// uses: constants, layer_params, codes, samples_types, bins, mixed

@group(0) @binding(0) var<uniform> params: LayerParams;
@group(0) @binding(1) var<storage, read> pixels: array<u32>;
@group(0) @binding(2) var<storage, read> front: array<vec4f>;
@group(0) @binding(3) var<storage, read> mixed: array<u32>;
@group(0) @binding(4) var<storage, read_write> kinds: array<u32>;
@group(0) @binding(5) var<storage, read_write> extras: array<Extra>;
@group(0) @binding(6) var<storage, read_write> marks: array<u32>;  // at first the backstop
@group(0) @binding(7) var<storage, read> ranges: array<vec4f>;
@group(0) @binding(8) var<storage, read_write> highs: array<f32>;  // of blocks: largest defocus of all their samples

var<workgroup> most: atomic<i32>;

@compute @workgroup_size(16, 16)
fn main(
    @builtin(global_invocation_id) id: vec3u, @builtin(workgroup_id) at: vec3u, @builtin(local_invocation_index) thread: u32
) {
    let number = i32(at.y) * params.block_columns + i32(at.x);
    if (thread == 0u) {
        atomicStore(&most, ordered(bitcast<i32>(ranges[number].y)));
    }
    workgroupBarrier();
    let y = i32(id.y);
    let x = i32(id.x);
    if (y < params.height && x < params.width) {
        finish(y * params.width + x);
    }
    workgroupBarrier();
    if (thread == 0u) {
        highs[number] = bitcast<f32>(ordered(atomicLoad(&most)));
    }
}

fn finish(pixel: i32) {
    var kind = kinds[pixel] & (SPLIT | HIDDEN);
    let own = front[pixel];
    if (is_split_by_bands(pixel) && kind == HIDDEN) {
        let share = of_mixed(pixel, 0);
        var behind = max(extras[pixel].behind.xyz, (own.xyz - share) / (1.0 - share));
        behind = min(behind, own.xyz / (1.0 - share));
        extras[pixel].behind = vec4f(behind, extras[pixel].behind.w);
        extras[pixel].patch_light = vec4f(own.xyz - (1.0 - share) * behind, share);
        extras[pixel].patch_defocus = params.px_per_disparity * (of_mixed(pixel, 1) - params.focus_disparity);
        kind |= SPLIT;
    }
    if ((kinds[pixel] & LIT) != 0u && kind == HIDDEN) {
        // What is not foreground belongs to the hidden background.
        let near = extras[pixel].patch_light;
        let seen = (own.xyz - near.xyz) / (1.0 - near.w);
        extras[pixel].behind = vec4f(max(seen, extras[pixel].behind.xyz), extras[pixel].behind.w);
        kind |= SPLIT;
    }
    if (kind == 0u) {
        return;
    }
    if (params.has_mixed == 1 && (kind & SPLIT) != 0u) {
        marks[pixel] = min(marks[pixel], u32(depth_bin(extras[pixel].behind.w - LEAST_SLACK_PX)));
    }
    marks[pixel] |= kind << 8u;
    kinds[pixel] |= kind;
    if (params.has_mixed == 1 || params.has_seen == 1) {  // what others tell may lie before all that is seen
        if ((kind & SPLIT) != 0u) {
            atomicMax(&most, ordered(bitcast<i32>(extras[pixel].patch_defocus)));
        }
        if ((kind & HIDDEN) != 0u) {
            atomicMax(&most, ordered(bitcast<i32>(extras[pixel].behind.w)));
        }
    }
}

// The bits of a floating-point number as an integer that is ordered as the numbers are, and back.
fn ordered(bits: i32) -> i32 {
    return bits ^ ((bits >> 31u) & 0x7fffffff);
}
