"""Noise that is added before values are rounded to 8 bits, so that smooth blur shows no bands.

Blur makes finer steps than 8 bits hold. Rounded, they become the contours of a map; with noise of one step before the
rounding they become a mixture of two codes whose mean is right. Blue noise has next to nothing of the coarse grain that
eyes see. A frame has the same noise whether it is written in a part or in the whole clip, and the next one has another,
so that the eye averages over both.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from any2bokeh.video.codes import quantised

SIDE_PX = 64
"""The noise repeats after so many pixels in both directions."""

_BITS = 8
# Of the minimal pattern that the ranking begins with: share of its pixels, and the reach of a pixel on others.
_FIRST_SHARE, _SIGMA_PX = 0.1, 1.9
_SCALE = 1 << 40
# How far the tile moves, down and to the right, from frame to frame and from plane to plane, so that they are unlike.
_FRAME_STEP = (19, 29)
_PLANE_STEP = (23, 41)


def needs_dither(bits: int) -> bool:
    """Whether values are dithered before they are rounded to so many bits."""
    return bits <= _BITS


def are_changed(pixels: NDArray[np.float32], source: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Where pixels ``(3, H, W)`` are not the source's: ``(H, W)``."""
    changed = pixels[0] != source[0]
    for plane, other in zip(pixels[1:], source[1:], strict=True):
        changed |= plane != other
    return changed


def noise_rows(index: int, width: int) -> NDArray[np.float32]:
    """Noise of three planes, in steps of a code: ``(3, 64, width)`` in [-0.5, 0.5), to be repeated downwards.

    Args:
        index: of the frame in its clip.
        width: of the picture.
    """
    centred, copies = blue_noise() - np.float32(0.5), -(-width // SIDE_PX)
    planes = []
    for plane in range(3):
        shift = [index * frame + plane * other for frame, other in zip(_FRAME_STEP, _PLANE_STEP, strict=True)]
        planes.append(np.tile(np.roll(centred, shift, axis=(0, 1)), copies)[:, :width])
    return np.stack(planes)


def dithered_codes(values: NDArray[np.float32], changed: NDArray[np.bool_], index: int) -> list[NDArray[np.uint8]]:
    """8-bit codes of planes in [0, 1], dithered where they are changed, rounded to the nearest elsewhere.

    Args:
        values: ``(3, H, W)``.
        changed: ``(H, W)``, where they are not the source's.
        index: of the frame in its clip.
    """
    height, width = changed.shape
    noise = noise_rows(index, width)
    step = np.float32(1 / ((1 << _BITS) - 1))
    codes = [np.empty((height, width), np.uint8) for _ in values]
    for top in range(0, height, SIDE_PX):  # what lies between is no larger than a few rows
        rows = slice(top, min(top + SIDE_PX, height))
        strength = step * changed[rows]
        for plane, tile, code in zip(values, noise, codes, strict=True):
            code[rows] = quantised(plane[rows] + strength * tile[: rows.stop - top], _BITS)
    return codes


@cache
def blue_noise() -> NDArray[np.float32]:
    """Every level from 0 to 1 once, ``(64, 64)``, those of any range spread as evenly as can be.

    Counted in integers, so that it is the same on every machine.

    Source: Ulichney, The void-and-cluster method for dither array generation, SPIE 1913, 1993.
    """
    count = SIDE_PX * SIDE_PX
    kernel = _reach()
    first = np.zeros(count, bool)
    first[np.random.RandomState(0).permutation(count)[: round(_FIRST_SHARE * count)]] = True
    pattern = _evened(first, kernel)
    rank = np.zeros(count, np.int64)
    ones = int(pattern.sum())
    # Downwards: the tightest cluster of what is on goes first. Upwards: the largest void is filled next.
    on, energy = pattern.copy(), _energy(pattern, kernel)
    for place in range(ones - 1, -1, -1):
        tightest = _tightest(on, energy)
        on[tightest], rank[tightest] = False, place
        energy -= _around(kernel, tightest)
    on, energy = pattern.copy(), _energy(pattern, kernel)
    for place in range(ones, count):
        void = _void(on, energy)
        on[void], rank[void] = True, place
        energy += _around(kernel, void)
    return ((rank.reshape(SIDE_PX, SIDE_PX) + 0.5) / count).astype(np.float32)


def _evened(on: NDArray[np.bool_], kernel: NDArray[np.int64]) -> NDArray[np.bool_]:
    """The pattern after pixels have gone from clusters to voids, until the one from the tightest would come back."""
    on, energy = on.copy(), _energy(on, kernel)
    while True:
        tightest = _tightest(on, energy)
        on[tightest] = False
        energy -= _around(kernel, tightest)
        void = _void(on, energy)
        on[void] = True
        energy += _around(kernel, void)
        if void == tightest:
            return on


def _reach() -> NDArray[np.int64]:
    """What a pixel in the corner means to each other, ``(64, 64)`` on a torus, doubled in both directions."""
    away = np.minimum(np.arange(SIDE_PX), SIDE_PX - np.arange(SIDE_PX)).astype(np.float64)
    reach = np.exp(-(away[:, None] ** 2 + away**2) / (2 * _SIGMA_PX**2))
    return np.tile(np.rint(reach * _SCALE).astype(np.int64), (2, 2))


def _around(kernel: NDArray[np.int64], place: int) -> NDArray[np.int64]:
    row, column = SIDE_PX - place // SIDE_PX, SIDE_PX - place % SIDE_PX
    return kernel[row : row + SIDE_PX, column : column + SIDE_PX].ravel()


def _energy(on: NDArray[np.bool_], kernel: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.sum([_around(kernel, int(place)) for place in np.flatnonzero(on)], axis=0)


def _tightest(on: NDArray[np.bool_], energy: NDArray[np.int64]) -> int:
    return int(np.argmax(np.where(on, energy, -1)))


def _void(on: NDArray[np.bool_], energy: NDArray[np.int64]) -> int:
    return int(np.argmin(np.where(on, np.iinfo(np.int64).max, energy)))
