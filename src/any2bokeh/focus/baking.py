"""A focus that was found, as keyframes of disparity that a person can edit."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from any2bokeh.focus.script import FocusScript, Keyframe
from any2bokeh.focus.target import DisparityTarget

TOLERANCE = 0.004
"""How far the baked focus may lie from the one that was found: one step of 8-bit disparity."""


def baked(
    focus_disparity: NDArray[np.float64], *, start: int = 0, fps: float | None = None, cuts: Sequence[int] = ()
) -> FocusScript:
    """Keyframes between which straight lines come within `TOLERANCE` of a focus.

    Args:
        focus_disparity: ``(T,)`` in [0, 1].
        start: frame of the clip that the first value is of.
        fps: rate that the keyframes count at.
        cuts: frames that begin a new shot; no line crosses them.

    Source: Douglas and Peucker, Cartographica 10(2), 1973.
    """
    inside = sorted(cut - start for cut in cuts if 0 < cut - start < len(focus_disparity))
    bounds = [0, *inside, len(focus_disparity)]
    keyframes = []
    for first, stop in pairwise(bounds):
        for index in _corners(focus_disparity, first, stop - 1):
            target = DisparityTarget(round(float(focus_disparity[index]), 4))
            keyframes.append(Keyframe(start + index, target, easing="linear", cut=index == first and first > 0))
    return FocusScript(keyframes=tuple(keyframes), fps=fps)


def _corners(values: NDArray[np.float64], first: int, last: int) -> list[int]:
    """Indices of the corners of a line along values, both ends among them."""
    kept, open_spans = {first, last}, [(first, last)]
    while open_spans:
        begin, end = open_spans.pop()
        if end - begin < 2:
            continue
        line = np.linspace(values[begin], values[end], end - begin + 1)
        away = np.abs(values[begin : end + 1] - line)
        worst = begin + int(away.argmax())
        if away.max() > TOLERANCE:
            kept.add(worst)
            open_spans += [(begin, worst), (worst, end)]
    return sorted(kept)
