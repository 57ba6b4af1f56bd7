"""What the values of given maps look like, where they are read as something else."""

from collections.abc import Iterator

import numpy as np

from any2bokeh.disparity.grey_frames import GreyFrames
from any2bokeh.disparity.value_scale import DisparityScale

# Maps that are looked at, spread over the clip.
_LOOKS = 8
# No disparity in pixels is as large, and every renderer's stand-in for infinity is larger.
_SKY_AT_LEAST = 1e5
# Metres of a scene seldom reach this, and millimetres always do.
_MILLIMETRES_AT_LEAST = 250.0
_FULL_SCALE_16 = 65535
# Depth cameras see 20 m at most: 16 bits of millimetres leave the upper two thirds of their scale empty.
_FARTHEST_MM = 20_000
# What lies nearer to a depth camera than this is a hole, at 0: nothing is in between.
_NEAREST_MM = 100


def remarks_on_values(frames: GreyFrames, scale: DisparityScale, *, stop: int | None = None) -> Iterator[str]:
    """What a user must know of maps that are read as disparity and look like depth, in one line each.

    Args:
        frames: the maps.
        scale: how they are read.
        stop: frame after the last that is needed.
    """
    if frames.normalised:
        yield from _of_integers(frames, scale, stop)
        return
    title, highest = frames.title, scale.highest
    if highest >= _SKY_AT_LEAST:
        yield (
            f"{title} has values up to {highest:g}, which looks like depth with a far-away sky, but is read as "
            f"disparity: nothing else will differ in blur; pass --disparity-kind depth"
        )
    elif frames.holds_depth:
        yield (
            f"{title} is an EXR whose channel is called depth, but is read as disparity; if it holds distances, pass "
            f"--disparity-kind depth"
        )
    elif scale.polarity == "near-black" and highest > 1:
        is_millimetres = highest >= _MILLIMETRES_AT_LEAST
        yield (
            f"{title} has values up to {highest:g}, which looks like depth in "
            f"{'millimetres' if is_millimetres else 'metres'}, but is only turned over, which bends distances; pass "
            f"--disparity-kind {'depth-mm' if is_millimetres else 'depth'}"
        )


def _of_integers(frames: GreyFrames, scale: DisparityScale, stop: int | None) -> Iterator[str]:
    if frames.full_scale != _FULL_SCALE_16:
        return
    count = frames.frame_count if stop is None else min(stop, frames.frame_count)
    looked_at = np.unique(np.linspace(0, count - 1, min(count, _LOOKS)).round()).astype(int)
    lowest, highest, has_holes = np.inf, 0.0, False
    for index in looked_at:
        codes = frames.at(int(index)) * np.float32(_FULL_SCALE_16)
        known = codes[codes > 0]
        has_holes |= known.size < codes.size
        if known.size:
            lowest, highest = min(lowest, float(known.min())), max(highest, float(known.max()))
    if lowest >= _NEAREST_MM and highest <= _FARTHEST_MM and (has_holes or scale.polarity == "near-black"):
        yield (
            f"{frames.title} has 16-bit values from {lowest:.0f} to {highest:.0f}{' and holes' if has_holes else ''}, "
            f"which looks like depth in millimetres, but is read as disparity; if it is, pass --disparity-kind depth-mm"
        )
