"""Silhouettes held steady over time: what the frames around say of the pixels in question along a frame's edges.

A silhouette moves with the surface that it bounds, whatever the background does. Each pixel of a band is carried by the
motion of its nearer surface to the frames around it; what these believe there, near or far, is weighed with what the
frame itself believes, and by how like the pixel they look there: motion misses what is small or fast. Errors that
differ from frame to frame go, and the flicker that they make goes with them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from any2bokeh.compiled import compiled
from any2bokeh.disparity.edges.bands import BandPixels, EdgeBands
from any2bokeh.disparity.edges.classical import stride_of
from any2bokeh.disparity.edges.specks import SPECK_PX, are_specks
from any2bokeh.plate.lattice import motion_at
from any2bokeh.plate.passage import block_of, pixel_of
from any2bokeh.plate.view import View

REACH = 2
"""How many frames before and after a frame are asked."""

SAYS = (1.0, 0.7)
"""How much a frame one and two frames away has to say, beside 1 of the frame itself."""

_SURE = np.int8(127)
_SAME_SURFACE, _LEAST_TOLERANCE = np.float32(0.3), np.float32(0.03)  # of a step; of disparity
_LEAST_KNOWN = np.float32(0.3)  # of the four pixels around a place, as far as nothing nearer hides them
# Difference of bent colours at which a frame is half believed: less, the more those differ that both frames give to the
# nearer surface. The product of the two, and the least and the most.
_SIGMA_BY_MISS, _LEAST_SIGMA, _MOST_SIGMA = 0.00045, 0.014, 0.05
_EVERY = 8  # so many pixels of a band are compared to know it
_FEW = 16
_FULL_SCALE = 65535
_RUN_PX = 8  # along a row, pixels of like disparity share their motion
_LIKE_DISPARITY = np.float32(0.01)


@dataclass(frozen=True, slots=True, eq=False)
class Silhouette:
    """What a frame by itself believes of its edges.

    Attributes:
        disparity: ``(H, W)`` float32, of the surface that each pixel mostly shows.
        sure: ``(H, W)`` int8 in [0, 127]: how surely it does.
    """

    disparity: NDArray[np.float32]
    sure: NDArray[np.int8]

    @classmethod
    def of(cls, bands: EdgeBands) -> Self:
        """That of the bands of a frame."""
        sure = np.full(bands.band.shape, _SURE, np.int8)
        at = np.flatnonzero(bands.band)
        sure.ravel()[at] = np.abs(2 * bands.near_share.ravel()[at] - 1) * _SURE
        return cls(np.ascontiguousarray(bands.disparity[0], np.float32), sure)


def steadied(
    disparity: NDArray[np.float32],
    band: BandPixels,
    view: View,
    others: Sequence[tuple[Silhouette, View]],
    passages: Sequence[NDArray[np.float32]],
    says: Sequence[float],
) -> NDArray[np.float32]:
    """A map in which each pixel in question has the disparity of the surface that it shows most of the time.

    Args:
        disparity: ``(1, H, W)`` of a frame.
        band: its pixels in question.
        view: of the frame.
        others: the frames around it.
        passages: ``(rows, columns, LEVELS, 6)`` float32 each, where the nodes of the frame are in each other; see
            ``passage.carried``.
        says: how much each has to say.

    Returns:
        The very array that came where nothing changes.
    """
    own = 2 * band.near_share - 1
    opposed = np.zeros(own.shape, np.bool_)
    places = np.empty((len(others), 2, own.size), np.float32)
    sigmas: list[float] = []
    for (other, seen), passage, place in zip(others, passages, places, strict=True):
        _look(band.at, band.near, band.far, own, other.disparity, passage, view.block_px, place, opposed)
        sigmas.append(
            _sigma(_misses(band.at, band.near, band.far, own, view.codes, other.disparity, seen.codes, place))
        )
    at, near, far, own = band.at[opposed], band.near[opposed], band.far[opposed], own[opposed]
    total = own.copy()
    for (other, seen), passage, place, say, sigma in zip(
        others, passages, places[..., opposed], says, sigmas, strict=True
    ):
        there = other.disparity, other.sure, seen.codes
        sigma2 = np.float32((sigma * _FULL_SCALE) ** 2)
        _ask(at, near, far, view.codes, there, passage, view.block_px, place, np.float32(say), sigma2, total)
    turned = (total > 0) != (own > 0)
    speck_px = SPECK_PX * stride_of(disparity.shape[1:]) ** 2
    surfaces = near[turned], far[turned]
    turned[turned] = ~are_specks(disparity[0], at[turned], surfaces, total[turned] > 0, speck_px)
    if not bool(turned.any()):
        return disparity
    steady = disparity.copy()
    steady.reshape(-1)[at[turned]] = np.where(total > 0, near, far)[turned]
    return steady


@compiled(nogil=True, fastmath=True, error_model="numpy")
def _look(band, near, far, own, disparity, passage, block_px, place, opposed):  # pragma: no cover (compiled)
    """Where each pixel of a band is in another frame, x and y in ``place``, and whether it is ``opposed`` there.

    Only pixels that another frame gives to the other surface may change: a tenth of them.
    """
    height, width = disparity.shape
    found = np.empty(6, np.float32)
    last_y, last_x, last_near = -1, -1, np.float32(-1)
    for entry in range(band.shape[0]):
        y, x = band[entry] // width, band[entry] % width
        if y != last_y or x - last_x > _RUN_PX or abs(near[entry] - last_near) > _LIKE_DISPARITY:
            from_x, from_y = block_of(np.float32(x), block_px), block_of(np.float32(y), block_px)
            motion_at(passage, from_x, from_y, near[entry], found)
            last_y, last_x, last_near = y, x, near[entry]
        along = np.float32(x - last_x) / np.float32(block_px)
        to_x, to_y = pixel_of(found[0] + found[1] * along, block_px), pixel_of(found[3] + found[4] * along, block_px)
        place[0, entry], place[1, entry] = to_x, to_y
        if 0 <= to_x < width - 1 and 0 <= to_y < height - 1:
            is_near = 2 * disparity[int(to_y + np.float32(0.5)), int(to_x + np.float32(0.5))] > near[entry] + far[entry]
            opposed[entry] |= is_near != (own[entry] > 0)


@compiled(nogil=True, fastmath=True, error_model="numpy")
def _misses(band, near, far, own, codes, disparity, other_codes, place):  # pragma: no cover (compiled)
    """Squared differences of some pixels that both frames give to the nearer surface."""
    height, width = disparity.shape
    found = np.empty(band.shape[0] // _EVERY + 1, np.float32)
    count = 0
    for entry in range(0, band.shape[0], _EVERY):
        to_x, to_y = place[0, entry], place[1, entry]
        if own[entry] > 0 and 0 <= to_x < width - 1 and 0 <= to_y < height - 1:
            there = disparity[int(to_y + np.float32(0.5)), int(to_x + np.float32(0.5))]
            if 2 * there > near[entry] + far[entry]:
                y, x = band[entry] // width, band[entry] % width
                found[count] = _difference(codes, y, x, other_codes, to_y, to_x)
                count += 1
    return found[:count]


def _sigma(misses: NDArray[np.float32]) -> float:
    """How far colours may differ in another frame that is half believed."""
    if misses.size < _FEW:
        return _LEAST_SIGMA
    miss = float(np.sqrt(np.median(misses))) / _FULL_SCALE
    return min(max(_SIGMA_BY_MISS / max(miss, 1e-6), _LEAST_SIGMA), _MOST_SIGMA)


@compiled(nogil=True, fastmath=True, error_model="numpy")
def _ask(band, near, far, codes, there, passage, block_px, place, say, sigma2, total):  # pragma: no cover (compiled)
    """Add what another frame believes of pixels to ``total``."""
    disparity, sure, other_codes = there
    height, width = disparity.shape
    found = np.empty(6, np.float32)
    for entry in range(band.shape[0]):
        y, x = band[entry] // width, band[entry] % width
        nearer, farther = near[entry], far[entry]
        to_x, to_y = place[0, entry], place[1, entry]
        if not (to_x >= 0 and to_x < width - 1 and to_y >= 0 and to_y < height - 1):
            continue
        j, i = int(to_y), int(to_x)
        down, right = to_y - np.float32(j), to_x - np.float32(i)
        middle = np.float32(0.5) * (nearer + farther)
        most = nearer + max(_SAME_SURFACE * (nearer - farther), _LEAST_TOLERANCE)
        says, known = np.float32(0), np.float32(0)
        for dj in range(2):
            for di in range(2):
                value = disparity[j + dj, i + di]
                if value > most:  # something else passes before both
                    continue
                share = (down if dj else 1 - down) * (right if di else 1 - right)
                believes = np.float32(sure[j + dj, i + di]) * np.float32(1 / 127)
                says += share * (believes if value > middle else -believes)
                known += share
        if known < _LEAST_KNOWN:
            continue
        # It may show something else there: then its colour differs.
        differs = _difference(codes, y, x, other_codes, to_y, to_x)
        if says < 0:  # what is behind moves by itself, and looks like the pixel where it has moved to
            motion_at(passage, block_of(np.float32(x), block_px), block_of(np.float32(y), block_px), farther, found)
            to_x, to_y = pixel_of(found[0], block_px), pixel_of(found[3], block_px)
            if to_x >= 0 and to_x < width - 1 and to_y >= 0 and to_y < height - 1:
                differs = min(differs, _difference(codes, y, x, other_codes, to_y, to_x))
        total[entry] += say / (1 + differs / sigma2) * says


@compiled(nogil=True, inline="always")
def _difference(codes, y, x, other_codes, to_y, to_x):
    """Squared difference of a pixel's colour from that at a place in another frame."""
    j, i = int(to_y), int(to_x)
    down, right = to_y - np.float32(j), to_x - np.float32(i)
    differs = np.float32(0)
    for c in range(3):
        top = np.float32(other_codes[j, i, c])
        top += right * (np.float32(other_codes[j, i + 1, c]) - top)
        bottom = np.float32(other_codes[j + 1, i, c])
        bottom += right * (np.float32(other_codes[j + 1, i + 1, c]) - bottom)
        differs += (top + down * (bottom - top) - np.float32(codes[y, x, c])) ** 2
    return differs
