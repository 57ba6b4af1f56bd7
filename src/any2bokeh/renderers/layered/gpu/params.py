"""What a dispatch is about, as ``wgsl/params.wgsl`` and ``wgsl/layer_params.wgsl`` read it."""

import struct
from dataclasses import astuple, dataclass


@dataclass(slots=True)
class Params:
    """The fields of ``wgsl/params.wgsl``, which explains them, in its order."""

    width: int
    height: int
    window_top: int
    window_left: int
    window_width: int
    band_top: int
    band_rows: int
    channel: int
    shift_px: float
    level: int
    near_bin: int
    far_bin: int
    reach: int
    grid_top: int
    grid_left: int
    grid_rows: int
    grid_columns: int
    sums_top: int
    sums_left: int
    sums_rows: int
    sums_columns: int
    block_rows: int
    block_columns: int
    radii: int
    kept_at: int
    cat_eye: float
    swirl: float
    centre_row: float
    centre_column: float
    per_px: float
    encode_cells: int
    peak: float
    has_glow: int
    focus_px: float
    nearest_px: float
    lamp_radii: int

    def packed(self) -> bytes:
        return _packed(astuple(self))


@dataclass(frozen=True, slots=True)
class LayerParams:
    """The fields of ``wgsl/layer_params.wgsl``, which explains them, in its order."""

    width: int
    height: int
    block_rows: int
    block_columns: int
    focus_disparity: float
    px_per_disparity: float
    shift_px: float
    decode_cells: int
    gain: float
    threshold: float
    raised_from: float
    has_seen: int
    ring: int
    widest_px: float
    nearest_px: float
    has_mixed: int
    most_looks: float
    of_hidden: int = 0

    def packed(self) -> bytes:
        return _packed(astuple(self))


def _packed(values: tuple[int | float, ...]) -> bytes:
    form = "".join("f" if isinstance(value, float) else "i" for value in values)
    return struct.pack(f"<{form}", *values)
