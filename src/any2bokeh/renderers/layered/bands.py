"""Bands around edges as layers: pixels that two surfaces share, several side by side, each with its own share.

Where an edge estimator has told how much of a pixel is foreground and what colour the background has there, the pixel
becomes a foreground part (``PATCH``) before a whole background (``BEHIND``); see ``layers.py``. For what lies around it
the pixel is background: hidden background goes on from there.
"""

import numpy as np

from any2bokeh.compiled import compiled
from any2bokeh.disparity.edges.bands import MixedPixels
from any2bokeh.optics.highlights import Highlights
from any2bokeh.optics.transfer import Transfer, lookup_tables
from any2bokeh.renderers.layered.layers import BEHIND, BESIDE_STEP, BLOCK, FRONT, HIDDEN, PATCH, SPLIT, STEP_PX, TOLD


class Bands:
    """The mixed pixels of a frame, ready to be put into its layers.

    Args:
        mixed: their disparities on the scale of the frame's.
        shape: ``(H, W)`` of the frame.
        focus_disparity: d_f.
        scale: pixels of defocus per unit of disparity.
        transfer: how code values stand for light.
        highlights: raised light is left whole.
    """

    def __init__(
        self,
        mixed: MixedPixels,
        shape: tuple[int, ...],
        focus_disparity: float,
        scale: float,
        transfer: Transfer,
        highlights: Highlights,
    ) -> None:
        self._focus, self._scale = np.float32(focus_disparity), np.float32(scale)
        self._colours = np.ascontiguousarray(mixed.background)
        self._decode_table = lookup_tables(transfer)[0]
        self._raised_from = np.float32(
            highlights.threshold if highlights.is_automatic or highlights.fixed_gain > 0 else np.inf
        )
        self._shares = (mixed.alpha, mixed.near, mixed.far)
        height, width = shape
        self._mixed = mixed.at
        rows_at = np.arange(-(-height // BLOCK) + 1, dtype=np.int64) * (BLOCK * width)
        self._first = np.searchsorted(self._mixed, rows_at)

    def mark_far(self, rows, pixels, defocus, kind) -> None:
        """Mark the mixed pixels on far sides of one row of blocks as ``TOLD``: ``split_far`` splits them.

        Args:
            rows: index of the row of blocks.
            pixels: ``(3, H, W)`` code values.
            defocus, kind: see ``layers.py``.
        """
        of_pixels = (pixels, self._raised_from)
        _mark_far(self._of(rows), self._shares, of_pixels, self._focus, self._scale, defocus, kind)

    def split_far(self, rows, light, defocus, kind) -> None:
        """Split those, before hidden background goes on from them. Arguments as for ``mark_far``."""
        of_light = (self._colours, self._decode_table)
        _split_far(self._of(rows), self._shares, of_light, self._focus, self._scale, light, defocus, kind)

    def split_near(self, rows, pixels, light, defocus, kind) -> None:
        """Split those on near sides, before the hidden background that has been filled in."""
        of_pixels = (pixels, self._raised_from)
        _split_near(self._of(rows), self._shares, of_pixels, self._focus, self._scale, light, defocus, kind)

    def _of(self, rows: int):
        """The mixed pixels; and the first and the last, exclusive, of them that lie in one row of blocks."""
        return self._mixed, int(self._first[rows]), int(self._first[rows + 1])


@compiled(nogil=True)
def _mark_far(told, shares, of_pixels, focus, scale, defocus, kind):
    width = kind.shape[1]
    mixed, first, last = told
    for entry in range(first, last):
        y, x = mixed[entry] // width, mixed[entry] % width
        if _is_split(shares, of_pixels, scale, entry, y, x) and _is_far(shares, focus, scale, defocus, entry, y, x):
            kind[y, x] |= TOLD


@compiled(nogil=True)
def _split_far(told, shares, of_light, focus, scale, light, defocus, kind):
    alpha, near, far = shares
    background, decode_table = of_light
    width = kind.shape[1]
    cells = decode_table.shape[0] - 1
    mixed, first, last = told
    for entry in range(first, last):
        y, x = mixed[entry] // width, mixed[entry] % width
        if not kind[y, x] & TOLD:
            continue
        share = alpha[entry]
        for c in range(3):
            behind = background[c, entry]
            if cells > 0:
                at = min(max(behind, np.float32(0)), np.float32(1)) * np.float32(cells)
                cell = min(int(at), cells - 1)
                below = decode_table[cell]
                behind = below + (decode_table[cell + 1] - below) * (at - np.float32(cell))
            whole = light[FRONT, y, x, c]
            # Both parts add up to the pixel: in focus, nothing changes.
            behind = min(behind, whole / (1 - share))
            light[BEHIND, y, x, c] = behind
            light[PATCH, y, x, c] = whole - (1 - share) * behind
        light[PATCH, y, x, 3] = share
        light[BEHIND, y, x, 3] = 1
        defocus[PATCH, y, x] = np.float32(scale * (near[entry] - focus))
        defocus[BEHIND, y, x] = np.float32(scale * (far[entry] - focus))
        kind[y, x] = BESIDE_STEP | SPLIT | HIDDEN


@compiled(nogil=True, inline="always")
def _is_split(shares, of_pixels, scale, entry, y, x):
    """Whether a pixel is mixed, of surfaces that are a step apart, and not raised."""
    alpha, near, far = shares
    pixels, raised_from = of_pixels
    return (
        0 < alpha[entry] < 1
        and scale * (near[entry] - far[entry]) > STEP_PX
        and max(pixels[0, y, x], pixels[1, y, x], pixels[2, y, x]) <= raised_from
    )


@compiled(nogil=True)
def _split_near(told, shares, of_pixels, focus, scale, light, defocus, kind):
    alpha, near, _ = shares
    width = kind.shape[1]
    mixed, first, last = told
    for entry in range(first, last):
        y, x = mixed[entry] // width, mixed[entry] % width
        if not kind[y, x] & HIDDEN or kind[y, x] & SPLIT or not _is_split(shares, of_pixels, scale, entry, y, x):
            continue
        share = alpha[entry]
        for c in range(3):
            whole = light[FRONT, y, x, c]
            behind = min(max(light[BEHIND, y, x, c], (whole - share) / (1 - share)), whole / (1 - share))
            light[BEHIND, y, x, c] = behind
            light[PATCH, y, x, c] = whole - (1 - share) * behind
        light[PATCH, y, x, 3] = share
        defocus[PATCH, y, x] = np.float32(scale * (near[entry] - focus))
        kind[y, x] |= SPLIT


@compiled(nogil=True, inline="always")
def _is_far(shares, focus, scale, defocus, entry, y, x):
    """Whether a pixel has the disparity of the farther of its surfaces."""
    return defocus[FRONT, y, x] < scale * ((shares[1][entry] + shares[2][entry]) / 2 - focus)
