// Stage: samples that pixels share. A cell of 2^level x 2^level pixels keeps, of each bin of the run, the mean of its samples.
// uses: constants, params, bins, surroundings, border, samples_types, samples

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> front: array<vec4f>;
@group(0) @binding(2) var<storage, read> marks: array<u32>;
@group(0) @binding(3) var<storage, read> extras: array<Extra>;
@group(0) @binding(4) var<storage, read> blocks: array<vec2f>;
@group(0) @binding(5) var<storage, read_write> cells: array<vec4f>;  // light and weight; defocus, whether it is there

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let cell = vec2i(id.yx);
    if (cell.x >= params.grid_rows || cell.y >= params.grid_columns) {
        return;
    }
    let across = 1 << u32(params.level);
    let top = (params.grid_top + cell.x) * across;
    let left = (params.grid_left + cell.y) * across;
    var bins = array<i32, CELL_SAMPLES>();
    var lights = array<vec4f, CELL_SAMPLES>();
    var defocus = array<f32, CELL_SAMPLES>();
    var count = 0;
    for (var y = top; y < top + across; y++) {
        for (var x = left; x < left + across; x++) {
            for (var number = 0; number < 2; number++) {
                let found = sample_at(y, x, number);
                let bin = depth_bin(found.defocus);
                if (!found.is_there || bin > params.near_bin || bin < params.far_bin) {
                    continue;
                }
                // The group of its bin; a new one; the nearest one where there is no room.
                var group = 0;
                for (var i = 1; i < count; i++) {
                    group = select(group, i, abs(bins[i] - bin) < abs(bins[group] - bin));
                }
                if (count == 0 || (bins[group] != bin && count < CELL_SAMPLES)) {
                    group = count;
                    bins[group] = bin;
                    count++;
                }
                let light = light_at(found, y, x);
                lights[group] += light;
                defocus[group] += light.w * found.defocus;
            }
        }
    }
    let at = (cell.x * params.grid_columns + cell.y) * CELL_SAMPLES * 2;
    for (var group = 0; group < CELL_SAMPLES; group++) {
        if (group < count) {
            cells[at + 2 * group] = lights[group] / f32(across * across);
            cells[at + 2 * group + 1] = vec4f(defocus[group] / max(lights[group].w, 1e-12), 1.0, 0.0, 0.0);
        } else {
            cells[at + 2 * group + 1] = vec4f(0.0);
        }
    }
}
