"""Silhouettes held steady over time: what the frames around say of the pixels in question along a frame's edges.

A silhouette moves with the surface that it bounds, whatever the background does. Each pixel of a band is carried by the
motion of its nearer surface to the frames around it; what these believe there, near or far, is weighed with what the
frame itself believes, and by how well the surface is found there. Errors that differ from frame to frame go, and the
flicker that they make goes with them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from any2bokeh.compiled import compiled
from any2bokeh.disparity.edges.bands import BandPixels, EdgeBands
from any2bokeh.disparity.edges.classical import stride_of
from any2bokeh.disparity.edges.specks import SPECK_PX, are_specks
from any2bokeh.plate.alignment import aligned
from any2bokeh.plate.view import View

REACH = 2
"""How many frames before and after a frame are asked."""

SAYS = (1.0, 0.7)
"""How much a frame one and two frames away has to say, beside 1 of the frame itself."""

_SURE = np.int8(127)
_SAME_SURFACE, _LEAST_TOLERANCE = np.float32(0.3), np.float32(0.03)  # of a step; of disparity
_LEAST_KNOWN = np.float32(0.3)  # of the four pixels around a place, as far as nothing nearer hides them
_SIGMA2 = np.float32((0.05 * 65535) ** 2)  # squared difference of bent colours at which a frame is half believed


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
    places: list[NDArray[np.float32]] = []
    shifts: dict[int, NDArray[np.float32]] = {}
    for (other, seen), passage in zip(others, passages, strict=True):
        place = aligned(disparity[0], band, view, seen, passage, _expected(shifts, seen.index - view.index))
        shifts[seen.index - view.index] = place[3:]
        _look(band.near, band.far, own, other.disparity, place, opposed)
        places.append(place)
    at, near, far, own = band.at[opposed], band.near[opposed], band.far[opposed], own[opposed]
    total = own.copy()
    for (other, seen), place, say in zip(others, places, says, strict=True):
        here = np.ascontiguousarray(place[:3, opposed])
        _ask(at, near, far, view.codes, other.disparity, other.sure, seen.codes, here, np.float32(say), total)
    turned = (total > 0) != (own > 0)
    speck_px = SPECK_PX * stride_of(disparity.shape[1:]) ** 2
    surfaces = near[turned], far[turned]
    turned[turned] = ~are_specks(disparity[0], at[turned], surfaces, total[turned] > 0, speck_px)
    if not bool(turned.any()):
        return disparity
    steady = disparity.copy()
    steady.reshape(-1)[at[turned]] = np.where(total > 0, near, far)[turned]
    return steady


def _expected(shifts: Mapping[int, NDArray[np.float32]], frames: int) -> NDArray[np.float32] | None:
    """Shift of what is so many frames away, by that of the frame between: what moves goes on."""
    before = frames - 1 if frames > 0 else frames + 1
    return shifts[before] * np.float32(frames / before) if before in shifts else None


@compiled(nogil=True, fastmath=True, error_model="numpy")
def _look(near, far, own, disparity, place, opposed):  # pragma: no cover (compiled)
    """Mark the pixels of a band that another frame gives to the other surface, at their places there.

    No others may change: they are a tenth of them.
    """
    height, width = disparity.shape
    for entry in range(near.shape[0]):
        to_x, to_y = place[0, entry], place[1, entry]
        if to_x >= 0 and to_x < width - 1 and to_y >= 0 and to_y < height - 1:
            is_near = 2 * disparity[int(to_y + np.float32(0.5)), int(to_x + np.float32(0.5))] > near[entry] + far[entry]
            opposed[entry] |= is_near != (own[entry] > 0)


@compiled(nogil=True, fastmath=True, error_model="numpy")
def _ask(band, near, far, codes, disparity, sure, other_codes, place, say, total):  # pragma: no cover (compiled)
    """Add what another frame believes of pixels to ``total``; see ``alignment.aligned`` for ``place``."""
    height, width = disparity.shape
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
        differs = np.float32(0)
        for c in range(3):
            top = np.float32(other_codes[j, i, c])
            top += right * (np.float32(other_codes[j, i + 1, c]) - top)
            bottom = np.float32(other_codes[j + 1, i, c])
            bottom += right * (np.float32(other_codes[j + 1, i + 1, c]) - bottom)
            differs += (top + down * (bottom - top) - np.float32(codes[y, x, c])) ** 2
        weight = say * place[2, entry] / (1 + differs / _SIGMA2)
        total[entry] += weight * says
