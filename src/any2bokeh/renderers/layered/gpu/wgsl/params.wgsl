// What a dispatch is about; `params.py` writes it. All lengths are pixels of the frame unless said otherwise.
struct Params {
    width: i32, height: i32,  // of the frame with its margin
    window_top: i32, window_left: i32, window_width: i32,  // of what is rendered, in the frame
    band_top: i32, band_rows: i32,  // rows of the window that this dispatch renders
    channel: i32,  // -1 for the picture, or the one channel that is rendered
    shift_px: f32,  // added to the defocus of every sample
    level: i32,  // a pixel of it is 2^level pixels of the frame
    near_bin: i32, far_bin: i32,  // first and last bin of this run, front to back
    reach: i32,  // pixels of the level: no shape of the run reaches farther
    grid_top: i32, grid_left: i32, grid_rows: i32, grid_columns: i32,  // cells of the level that were reduced
    sums_top: i32, sums_left: i32, sums_rows: i32, sums_columns: i32,  // pixels of the level that were gathered
    block_rows: i32, block_columns: i32,
    radii: i32,  // in the table of shapes
    kept_at: i32,  // where in `table` what vignetting keeps begins
    cat_eye: f32, swirl: f32, centre_row: f32, centre_column: f32, per_px: f32,  // see `optics/vignetting.py`
    encode_cells: i32, peak: f32,
    has_glow: i32,
    focus_px: f32,  // up to this radius a part of the picture is in focus
    nearest_px: f32,  // largest defocus of all samples
    lamp_radii: i32,  // in the table of the shapes of lamps
}
