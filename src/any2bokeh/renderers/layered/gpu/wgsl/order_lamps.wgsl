// Stage: where in the list the lamps of each block begin. One workgroup does it.
// uses: constants, layer_params, lamp_list

@group(0) @binding(0) var<uniform> params: LayerParams;
@group(0) @binding(1) var<storage, read_write> counts: array<u32>;  // as `find_lamps.wgsl` leaves them; then where blocks begin
@group(0) @binding(2) var<storage, read_write> list: LampList;

var<workgroup> sums: array<u32, 256>;

@compute @workgroup_size(256)
fn main(@builtin(local_invocation_index) thread: u32) {
    let block_count = u32(params.block_rows * params.block_columns);
    let first = 2u + u32(params.of_hidden) * block_count;
    let each = (block_count + 255u) / 256u;
    let begin = min(thread * each, block_count);
    let end = min(begin + each, block_count);
    let before = select(0u, list.shown, params.of_hidden == 1);
    let total = counts[params.of_hidden];
    sums[thread] = 0u;
    if (total > 0u) {
        for (var number = begin; number < end; number++) {
            sums[thread] += counts[first + number];
        }
    }
    workgroupBarrier();
    if (total > 0u) {
        var at = before;
        for (var other = 0u; other < thread; other++) {
            at += sums[other];
        }
        for (var number = begin; number < end; number++) {
            let count = counts[first + number];
            counts[first + number] = at;
            at += count;
        }
    }
    if (thread == 0u) {
        if (params.of_hidden == 0) {
            list.shown = total;
        }
        list.total = before + total;
    }
}
