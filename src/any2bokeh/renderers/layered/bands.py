"""Bands around edges as layers: pixels that two surfaces share, several side by side, each with its own share.

Where an edge estimator has told how much of a pixel is foreground and what colour the background has there, the pixel
becomes a foreground part (``PATCH``) before a whole background (``BEHIND``); see ``layers.py``. For what lies around it
the pixel is background: hidden background goes on from there.
"""

import numpy as np

from any2bokeh.compiled import compiled
from any2bokeh.disparity.edges import EdgeBands
from any2bokeh.optics.highlights import Highlights
from any2bokeh.optics.transfer import Transfer, lookup_tables
from any2bokeh.renderers.layered.layers import BEHIND, BESIDE_STEP, BLOCK, FRONT, HIDDEN, PATCH, SPLIT, STEP_PX


class Bands:
    """The mixed pixels of a frame, ready to be put into its layers.

    Args:
        bands: their disparities on the scale of the frame's.
        focus_disparity: d_f.
        scale: pixels of defocus per unit of disparity.
        transfer: how code values stand for light.
        highlights: raised light is left whole.
    """

    def __init__(
        self, bands: EdgeBands, focus_disparity: float, scale: float, transfer: Transfer, highlights: Highlights
    ) -> None:
        self._focus, self._scale = np.float32(focus_disparity), np.float32(scale)
        self._colours = bands.background
        self._decode_table = lookup_tables(transfer)[0]
        self._raised_from = np.float32(
            highlights.threshold if highlights.is_automatic or highlights.fixed_gain > 0 else np.inf
        )
        self._shares = (bands.alpha, bands.near, bands.far)

    def split_far(self, rows, pixels, light, defocus, kind) -> None:
        """Split the mixed pixels on far sides of one row of blocks, before hidden background goes on from them.

        Args:
            rows: index of the row of blocks.
            pixels: ``(3, H, W)`` code values.
            light, defocus, kind: see ``layers.py``.
        """
        of_pixels, of_light = (pixels, self._raised_from), (self._colours, self._decode_table)
        _split_far(rows, self._shares, of_pixels, of_light, self._focus, self._scale, light, defocus, kind)

    def split_near(self, rows, pixels, light, defocus, kind) -> None:
        """Split those on near sides, before the hidden background that has been filled in."""
        of_pixels = (pixels, self._raised_from)
        _split_near(rows, self._shares, of_pixels, self._focus, self._scale, light, defocus, kind)


@compiled(nogil=True)
def _split_far(rows, shares, of_pixels, of_light, focus, scale, light, defocus, kind):
    alpha, near, far = shares
    background, decode_table = of_light
    height, width = alpha.shape
    cells = decode_table.shape[0] - 1
    for y in range(rows * BLOCK, min((rows + 1) * BLOCK, height)):
        for x in range(width):
            if not _is_split(shares, of_pixels, scale, y, x) or not _is_far(shares, focus, scale, defocus, y, x):
                continue
            share = alpha[y, x]
            for c in range(3):
                behind = background[c, y, x]
                if cells > 0:
                    at = min(max(behind, np.float32(0)), np.float32(1)) * np.float32(cells)
                    cell = min(int(at), cells - 1)
                    below = decode_table[cell]
                    behind = below + (decode_table[cell + 1] - below) * (at - np.float32(cell))
                mixed = light[FRONT, y, x, c]
                # Both parts add up to the pixel: in focus, nothing changes.
                behind = min(behind, mixed / (1 - share))
                light[BEHIND, y, x, c] = behind
                light[PATCH, y, x, c] = mixed - (1 - share) * behind
            light[PATCH, y, x, 3] = share
            light[BEHIND, y, x, 3] = 1
            defocus[PATCH, y, x] = np.float32(scale * (near[y, x] - focus))
            defocus[BEHIND, y, x] = np.float32(scale * (far[y, x] - focus))
            kind[y, x] = BESIDE_STEP | SPLIT | HIDDEN


@compiled(nogil=True, inline="always")
def _is_split(shares, of_pixels, scale, y, x):
    """Whether a pixel is mixed, of surfaces that are a step apart, and not raised."""
    alpha, near, far = shares
    pixels, raised_from = of_pixels
    return (
        0 < alpha[y, x] < 1
        and scale * (near[y, x] - far[y, x]) > STEP_PX
        and max(pixels[0, y, x], pixels[1, y, x], pixels[2, y, x]) <= raised_from
    )


@compiled(nogil=True)
def _split_near(rows, shares, of_pixels, focus, scale, light, defocus, kind):
    alpha, near, _ = shares
    height, width = alpha.shape
    for y in range(rows * BLOCK, min((rows + 1) * BLOCK, height)):
        for x in range(width):
            if not _is_split(shares, of_pixels, scale, y, x) or not kind[y, x] & HIDDEN or kind[y, x] & SPLIT:
                continue
            share = alpha[y, x]
            for c in range(3):
                mixed = light[FRONT, y, x, c]
                behind = min(max(light[BEHIND, y, x, c], (mixed - share) / (1 - share)), mixed / (1 - share))
                light[BEHIND, y, x, c] = behind
                light[PATCH, y, x, c] = mixed - (1 - share) * behind
            light[PATCH, y, x, 3] = share
            defocus[PATCH, y, x] = np.float32(scale * (near[y, x] - focus))
            kind[y, x] |= SPLIT


@compiled(nogil=True, inline="always")
def _is_far(shares, focus, scale, defocus, y, x):
    """Whether a pixel has the disparity of the farther of its surfaces."""
    return defocus[FRONT, y, x] < scale * ((shares[1][y, x] + shares[2][y, x]) / 2 - focus)
