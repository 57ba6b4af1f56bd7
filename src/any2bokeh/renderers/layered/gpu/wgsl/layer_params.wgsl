// What a stage that makes layers is about; `params.py` writes it. All lengths are pixels.
struct LayerParams {
    width: i32, height: i32,
    block_rows: i32, block_columns: i32,
    focus_disparity: f32,
    px_per_disparity: f32,
    shift_px: f32,  // added to the defocus of red, taken from that of blue
    decode_cells: i32,
    gain: f32, threshold: f32,  // see `optics/highlights.py`
    raised_from: f32,  // code value from which on light may have been raised
    has_seen: i32,  // whether other frames saw something of the background
    ring: i32,  // which ring of hidden background is filled
    widest_px: f32,  // largest circle of confusion
    nearest_px: f32,  // largest defocus
    has_mixed: i32,  // whether something is told of mixed pixels
    most_looks: f32,  // to follow lamps, in a frame
    of_hidden: i32,  // whether lamps are sought among hidden background, or among what is seen
}
