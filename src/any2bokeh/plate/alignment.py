"""Where the nearer surfaces of a frame's bands are in a frame around it: carried by their motion, then matched.

The motion of a lattice is that of its surround: what is small, or moves much faster than what is around it, is carried
to a wrong place. Around each tile of a band the colours of its nearer surface tell whether it is where it was carried
to. Where they differ, the shift is looked for at which they agree; where they still do, the other frame says nothing.
"""

import numpy as np
from numpy.typing import NDArray

from any2bokeh.compiled import compiled
from any2bokeh.disparity.edges.bands import BandPixels
from any2bokeh.disparity.edges.classical import stride_of
from any2bokeh.plate.lattice import motion_at
from any2bokeh.plate.passage import block_of, pixel_of
from any2bokeh.plate.view import View

_TILE_PX = 16  # side of the tiles whose pixels of one surface move alike
_AROUND_PX = 12  # around a tile, how far its surface is compared
_SPACING_PX = 4  # of what is compared
_MOST_SAMPLES = ((_TILE_PX + 2 * _AROUND_PX) // _SPACING_PX + 1) ** 2
_LEAST_SAMPLES, _ENOUGH_SAMPLES = 6, 16
_SURFACES = 4  # in a tile, that are matched apart; of more, the last is matched anew
_REACH_PX, _COARSE_PX = 12, 2  # of the search, and its steps
_EXPECTED_REACH_PX = 6  # where a shift is expected
_ALIKE = 0.25  # of a step: disparities that differ by less are one surface
_FULL_SCALE = np.float32(65535)
# Differences of bent codes, red, green and blue added, of 1.5 at most.
_SAME, _OTHER = np.float32(0.02), np.float32(0.15)  # less is in place; more does not count for more
_PER_PX = np.float32(0.0006)  # by which a shift is to pay
_BETTER = np.float32(0.7)  # of the difference in place, that a shift may leave
_TRUSTED, _OF_ELSEWHERE = np.float32(0.04), np.float32(0.4)  # difference, or share of that elsewhere, half believed


def aligned(
    disparity: NDArray[np.float32],
    band: BandPixels,
    view: View,
    other: View,
    passage: NDArray[np.float32],
    expected: NDArray[np.float32] | None = None,
) -> NDArray[np.float32]:
    """Where the pixels of a band are in another frame, if they show their nearer surface.

    Args:
        disparity: ``(H, W)`` of the frame.
        band: its pixels in question.
        view, other: of the frame and the other.
        passage: ``(rows, columns, LEVELS, 6)`` float32; see ``passage.carried``.
        expected: ``(2, N)`` float32: shift in px, x and y, from where pixels are carried to, that is tried first.

    Returns:
        ``(5, N)`` float32: place in px, x and y; how far it is believed, in [0, 1]; and the shift, x and y.

    Source: block matching; Jain and Jain, IEEE Trans. Communications 1981, of the pixels of one surface alone.
    """
    found = np.zeros((5, band.at.size), np.float32)
    start = np.zeros((2, band.at.size), np.float32) if expected is None else expected
    entries = np.full(disparity.shape, -1, np.int32)
    entries.reshape(-1)[band.at] = np.arange(band.at.size, dtype=np.int32)
    stride = stride_of(disparity.shape)
    _align(
        entries, band.near, band.far, disparity, view.codes, other.codes, passage, view.block_px, stride, start,
        expected is not None, found,
    )  # fmt: skip
    return found


@compiled(nogil=True, fastmath=True, error_model="numpy")
def _align(
    entries, near, far, disparity, codes, other, passage, block_px, stride, start, is_expected, found
):  # pragma: no cover (compiled)
    height, width = disparity.shape
    side = _TILE_PX * stride
    samples = np.empty((2, _MOST_SAMPLES), np.int32)
    motion = np.empty(6, np.float32)
    surfaces = np.empty((_SURFACES, 5), np.float32)  # disparity, its tolerance, shift, trust
    ways = np.empty((_SURFACES, 6), np.float32)
    for top in range(0, height, side):
        for left in range(0, width, side):
            count = 0
            middle_y, middle_x = np.float32(top + 0.5 * side), np.float32(left + 0.5 * side)
            for y in range(top, min(top + side, height)):
                for x in range(left, min(left + side, width)):
                    entry = entries[y, x]
                    if entry < 0:
                        continue
                    which = 0
                    while which < count and abs(surfaces[which, 0] - near[entry]) > surfaces[which, 1]:
                        which += 1
                    if which == count:
                        which = min(count, _SURFACES - 1)
                        count = which + 1
                        surfaces[which, 0] = near[entry]
                        surfaces[which, 1] = np.float32(_ALIKE) * (near[entry] - far[entry])
                        from_x, from_y = block_of(middle_x, block_px), block_of(middle_y, block_px)
                        motion_at(passage, from_x, from_y, near[entry], motion)
                        way = ways[which]
                        way[0], way[3] = pixel_of(motion[0], block_px), pixel_of(motion[3], block_px)
                        way[1], way[2], way[4], way[5] = motion[1], motion[2], motion[4], motion[5]
                        counts = _collect(top, left, stride, entries, disparity, surfaces[which], samples)
                        begin = (start[0, entry], start[1, entry])
                        surfaces[which, 2], surfaces[which, 3], surfaces[which, 4] = _match(
                            samples, counts, middle_x, middle_y, way, codes, other, stride, begin, is_expected
                        )
                    shift_x, shift_y = surfaces[which, 2], surfaces[which, 3]
                    to_x, to_y = _carried(ways[which], np.float32(x) - middle_x, np.float32(y) - middle_y)
                    found[0, entry], found[1, entry] = to_x + shift_x, to_y + shift_y
                    found[2, entry] = surfaces[which, 4]
                    found[3, entry], found[4, entry] = shift_x, shift_y


@compiled(nogil=True, inline="always")
def _carried(way, x, y):
    """Where a pixel is carried to that lies so far from the middle of its tile."""
    return way[0] + way[1] * x + way[2] * y, way[3] + way[4] * x + way[5] * y


@compiled(nogil=True)
def _collect(top, left, stride, entries, disparity, surface, samples):  # pragma: no cover (compiled)
    """Pixels in and around a tile that show a surface, row and column; how many, and how many of them surely.

    Those in question come last.
    """
    height, width = disparity.shape
    side, around, spacing = _TILE_PX * stride, _AROUND_PX * stride, _SPACING_PX * stride
    number, sure = 0, 0
    for of_band in (False, True):
        for y in range(max(top - around, 0), min(top + side + around, height), spacing):
            for x in range(max(left - around, 0), min(left + side + around, width), spacing):
                if number == _MOST_SAMPLES or (entries[y, x] >= 0) != of_band:
                    continue
                if abs(disparity[y, x] - surface[0]) <= surface[1]:
                    samples[0, number], samples[1, number] = y, x
                    number += 1
        if not of_band:
            sure = number
    return number, sure


@compiled(nogil=True, fastmath=True)
def _match(
    samples, counts, middle_x, middle_y, way, codes, other, stride, begin, is_expected
):  # pragma: no cover (compiled)
    """Shift in px, x and y, at which a surface is found in another frame, and how far that is believed."""
    zero, half = np.float32(0), np.float32(0.5)
    number, sure = counts
    if number < _LEAST_SAMPLES:
        return begin[0], begin[1], half
    # Of those in question some show what is behind, and move with it; but the outline of a plain surface tells where
    # it is, once it is surely not where it was carried to.
    known = (samples, sure if sure >= _ENOUGH_SAMPLES else number, middle_x, middle_y, way, codes, other)
    in_place = _difference(known, zero, zero, _OTHER)
    if in_place <= _SAME:
        return zero, zero, _trust(in_place, zero)
    if begin[0] != 0 or begin[1] != 0:
        expected = _difference(known, begin[0], begin[1], _OTHER)
        if expected <= _SAME:
            return begin[0], begin[1], _trust(expected, zero)
    around = (samples, number, middle_x, middle_y, way, codes, other)
    best_x, best_y, best = zero, zero, _difference(around, zero, zero, _OTHER)
    in_place = best
    differs = _difference(around, begin[0], begin[1], best)
    if differs < best:
        best_x, best_y, best = begin[0], begin[1], differs
    from_x, from_y = best_x, best_y
    coarse = np.float32(_COARSE_PX * stride)
    steps = (_EXPECTED_REACH_PX if is_expected else _REACH_PX) // _COARSE_PX
    elsewhere, count = zero, 0
    for j in range(-steps, steps + 1):
        for i in range(-steps, steps + 1):
            x, y = from_x + i * coarse, from_y + j * coarse
            pays = _PER_PX * (abs(i) + abs(j)) * _COARSE_PX
            if max(abs(i), abs(j)) == steps and (i + j) % steps == 0:  # eight places around
                elsewhere += _difference(around, x, y, _OTHER)
                count += 1
            differs = _difference(around, x, y, best - pays) + pays
            if differs < best:
                best, best_x, best_y = differs, x, y
    step = coarse * half
    while step >= half:
        at_x, at_y = best_x, best_y
        for j in range(-1, 2):
            for i in range(-1, 2):
                differs = _difference(around, at_x + i * step, at_y + j * step, best)
                if differs < best:
                    best, best_x, best_y = differs, at_x + i * step, at_y + j * step
        step *= half
    elsewhere /= count
    if best > _BETTER * in_place:
        return zero, zero, _trust(in_place, elsewhere)
    return best_x, best_y, _trust(best, elsewhere)


@compiled(nogil=True, inline="always")
def _trust(differs, elsewhere):
    """How far a match is believed, by how much colours differ, and by how much they do some way off."""
    least = max(_TRUSTED, _OF_ELSEWHERE * elsewhere)
    return least * least / (least * least + differs * differs)


@compiled(nogil=True, fastmath=True)
def _difference(around, shift_x, shift_y, most):  # pragma: no cover (compiled)
    """Mean difference of a surface's colours from those of another frame; at least ``most`` where it is more."""
    samples, number, middle_x, middle_y, way, codes, other = around
    height, width = other.shape[:2]
    total, per_scale, limit = np.float32(0), 1 / _FULL_SCALE, most * number
    off_x, off_y = way[0] + shift_x + np.float32(0.5), way[3] + shift_y + np.float32(0.5)
    for n in range(number):
        y, x = samples[0, n], samples[1, n]
        dx, dy = np.float32(x) - middle_x, np.float32(y) - middle_y
        to_x, to_y = off_x + way[1] * dx + way[2] * dy, off_y + way[4] * dx + way[5] * dy
        if to_x < 0 or to_y < 0 or to_x >= width or to_y >= height:
            total += _OTHER
        else:
            i, j = int(to_x), int(to_y)
            differs = np.float32(0)
            for c in range(3):
                differs += abs(np.float32(codes[y, x, c]) - np.float32(other[j, i, c]))
            total += min(differs * per_scale, _OTHER)
        if total > limit:
            return _OTHER
    return total / number
