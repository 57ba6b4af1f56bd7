"""Where the surfaces of a frame are in the frames around it, and how far what is seen there can be believed."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from any2bokeh.compiled import compiled
from any2bokeh.plate.lattice import LEVELS, SPACING, motion_at, nearest_level
from any2bokeh.plate.view import View, unbent
from any2bokeh.plate.zone import NO_ZONE

PLACE, BELIEF, LIGHT = 0, 6, 7
"""Of the ten numbers of a node: its place and the slopes of that, as for motion; how far it is believed; how much
lighter this frame is, red, green, blue."""

_BAND_STRIDE = 3  # of its blocks, every third of every third row is looked at
_BAND_BLOCKS = 6  # around the zone, in which both frames show the background
# Count, squared difference, difference of each channel, grey and its square; then of green its slopes across and down,
# their products xx, xy, yy, and those with the difference.
_STATISTICS = 14
_FARTHEST_PX = np.float32(1.0)  # by which what motion has missed is put right
_LEAST_SLOPE = np.float32(0.02)
_NOISE = np.float32(0.015)
_SAME_DISPARITY = np.float32(0.03)


def passages(
    views: Mapping[int, View],
    steps: Mapping[int, NDArray[np.float32]],
    index: int,
    sources: Sequence[int],
    zone: NDArray[np.float32],
    margin: int,
) -> NDArray[np.float32]:
    """Where the nodes of frame ``index`` are in other frames.

    Args:
        views: of all the frames.
        steps: motion of frame ``i`` to frame ``i + 1``.
        index: of the frame.
        sources: the other frames; all between them and ``index`` are known.
        zone, margin: see ``with_margin``.

    Returns:
        ``(sources, rows, columns, LEVELS, 10)`` float32; of no meaning at nodes far from the zone.
    """
    height, width = views[index].low.shape
    rows, columns = (height - 1) // SPACING + 2, (width - 1) // SPACING + 2
    wanted = np.zeros((rows, columns, LEVELS), np.bool_)
    band = _band(zone, margin, views[index].low, views[index].high, wanted)
    found = np.zeros((len(sources), rows, columns, LEVELS, 10), np.float32)
    for direction in (-1, 1):
        at = np.zeros((rows, columns, LEVELS, 6), np.float32)
        _begin(at)
        here = index
        for source in sorted((s for s in sources if (s - index) * direction > 0), key=lambda s: abs(s - index)):
            while here != source:
                _advance(steps[here if direction > 0 else here - 1], direction > 0, wanted, at)
                here += direction
            found[sources.index(source), ..., :6] = at
    statistics = np.zeros((rows, columns, LEVELS, _STATISTICS), np.float32)
    view = views[index]
    band, own = _own(band, view.low, view.codes, view.cover, view.block_px)
    for entry, source in enumerate(sources):
        other = views[source]
        statistics[:] = 0
        _compare(band, own, view.low, other.codes, other.cover, view.block_px, found[entry], statistics)
        _believe(statistics, wanted, view.block_px, found[entry])
    return found


def carried(before: NDArray[np.float32] | None, step: NDArray[np.float32], *, ahead: bool) -> NDArray[np.float32]:
    """Where the nodes of a frame are one frame farther away.

    Args:
        before: ``(rows, columns, LEVELS, 6)`` float32, where they are so far: places in blocks, and the slopes of these
            as for motion; None in the frame itself.
        step: motion from there to the next frame, or of the frame before to there.
        ahead: whether it is to the next.
    """
    at = np.zeros_like(step) if before is None else before.copy()
    if before is None:
        _begin(at)
    _advance(step, ahead, np.ones(step.shape[:3], np.bool_), at)
    return at


@compiled(nogil=True)
def _band(zone, margin, low, high, wanted):  # pragma: no cover (compiled)
    """Some blocks of one surface beside the zone; nodes of zone and band are wanted."""
    height, width = low.shape
    near = np.zeros((height, width), np.bool_)
    for row in range(zone.shape[0]):
        y = min(max(row - margin, 0), height - 1)
        for column in range(zone.shape[1]):
            if zone[row, column] == NO_ZONE:
                continue
            x = min(max(column - margin, 0), width - 1)
            _want(x, y, zone[row, column], wanted)
            top, left = max(y - _BAND_BLOCKS, 0), max(x - _BAND_BLOCKS, 0)
            near[top : y + _BAND_BLOCKS + 1, left : x + _BAND_BLOCKS + 1] = True
    band = np.empty((height * width, 2), np.int32)
    count = 0
    for y in range(0, height, _BAND_STRIDE):
        for x in range(y % 2, width, _BAND_STRIDE):
            if near[y, x] and high[y, x] - low[y, x] < np.float32(0.02):
                band[count, 0], band[count, 1] = y, x
                count += 1
                _want(x, y, low[y, x], wanted)
    return band[:count]


@compiled(nogil=True, inline="always")
def _want(x, y, disparity, wanted):
    rows, columns, levels = wanted.shape
    i, j = min(x // SPACING, columns - 2), min(y // SPACING, rows - 2)
    k = min(int(min(max(disparity, np.float32(0)), np.float32(1)) * np.float32(levels - 1)), levels - 2)
    for dj in range(2):
        for di in range(2):
            for dk in range(2):
                wanted[j + dj, i + di, k + dk] = True


@compiled(nogil=True)
def _begin(at):  # pragma: no cover (compiled)
    rows, columns, levels, _ = at.shape
    for j in range(rows):
        for i in range(columns):
            for k in range(levels):
                at[j, i, k, 0], at[j, i, k, 3] = i * SPACING, j * SPACING
                at[j, i, k, 1], at[j, i, k, 5] = 1, 1


@compiled(nogil=True)
def _advance(motion, forward, wanted, at):  # pragma: no cover (compiled)
    """Carry nodes to the next frame, or back to the one before, whose motion to here is given."""
    rows, columns, levels, _ = at.shape
    found = np.empty(6, np.float32)
    for j in range(rows):
        for i in range(columns):
            for k in range(levels):
                if not wanted[j, i, k]:
                    continue
                here = at[j, i, k]
                x, y, disparity = here[0], here[3], np.float32(k / (levels - 1))
                motion_at(motion, x, y, disparity, found)
                if forward:
                    here[0], here[3] = x + found[0], y + found[3]
                    a, b, c, d = 1 + found[1], found[2], found[4], 1 + found[5]
                else:
                    to_x, to_y = x, y
                    for _ in range(3):
                        to_x, to_y = x - found[0], y - found[3]
                        motion_at(motion, to_x, to_y, disparity, found)
                    here[0], here[3] = to_x, to_y
                    whole = (1 + found[1]) * (1 + found[5]) - found[2] * found[4]
                    a, b, c, d = (1 + found[5]) / whole, -found[2] / whole, -found[4] / whole, (1 + found[1]) / whole
                xx, xy, yx, yy = here[1], here[2], here[4], here[5]
                here[1], here[2] = a * xx + b * yx, a * xy + b * yy
                here[4], here[5] = c * xx + d * yx, c * xy + d * yy


@compiled(nogil=True, fastmath=True)
def _own(band, low, codes, cover, block_px):  # pragma: no cover (compiled)
    """The blocks of a band that show their background in the middle; what they show: ``(n, 5)``, light and its slopes.

    The light is red, green, blue; the slopes are those of green, across and down.
    """
    height, width = cover.shape
    own = np.empty((band.shape[0], 5), np.float32)
    count = 0
    for entry in range(band.shape[0]):
        row, column = band[entry, 0], band[entry, 1]
        y, x = row * block_px + block_px // 2, column * block_px + block_px // 2
        if y < 1 or x < 1 or y >= height - 1 or x >= width - 1:
            continue
        if abs(np.float32(cover[y, x]) * np.float32(1 / 65535) - low[row, column]) > _SAME_DISPARITY:
            continue
        band[count, 0], band[count, 1] = row, column
        for c in range(3):
            own[count, c] = unbent(codes[y, x, c])
        own[count, 3] = (unbent(codes[y, x + 1, 1]) - unbent(codes[y, x - 1, 1])) / 2
        own[count, 4] = (unbent(codes[y + 1, x, 1]) - unbent(codes[y - 1, x, 1])) / 2
        count += 1
    return band[:count], own[:count]


@compiled(nogil=True, fastmath=True)
def _compare(band, own, low, other_codes, other_cover, block_px, passage, statistics):  # pragma: no cover (compiled)
    """How what both frames show of the blocks of the band differs, gathered at the nearest nodes."""
    height, width = other_cover.shape
    found = np.empty(6, np.float32)
    third = np.float32(1 / 3)
    for entry in range(band.shape[0]):
        row, column = band[entry, 0], band[entry, 1]
        y, x = row * block_px + block_px // 2, column * block_px + block_px // 2
        disparity = low[row, column]
        from_x, from_y = block_of(np.float32(x), block_px), block_of(np.float32(y), block_px)
        motion_at(passage, from_x, from_y, disparity, found)
        to_x, to_y = pixel_of(found[0], block_px), pixel_of(found[3], block_px)
        if not (to_x >= 0 and to_x < width - 1 and to_y >= 0 and to_y < height - 1):
            continue
        if abs(disparity_of(other_cover, to_x, to_y) - disparity) > _SAME_DISPARITY:
            continue
        j, i = int(to_y), int(to_x)
        down, right = to_y - np.float32(j), to_x - np.float32(i)
        red, green, blue = own[entry, 0], own[entry, 1], own[entry, 2]
        across, slope = own[entry, 3], own[entry, 4]
        red_off = red - sampled(other_codes, j, i, 0, down, right)
        green_off = green - sampled(other_codes, j, i, 1, down, right)
        blue_off = blue - sampled(other_codes, j, i, 2, down, right)
        grey = third * (red + green + blue)
        k = nearest_level(disparity)
        at = statistics[(row + SPACING // 2) // SPACING, (column + SPACING // 2) // SPACING, k]
        at[0] += 1
        at[1] += third * (red_off * red_off + green_off * green_off + blue_off * blue_off)
        at[2] += red_off
        at[3] += green_off
        at[4] += blue_off
        at[5] += grey
        at[6] += grey * grey
        at[7] += across
        at[8] += slope
        at[9] += across * across
        at[10] += across * slope
        at[11] += slope * slope
        at[12] += across * green_off
        at[13] += slope * green_off


@compiled(nogil=True)
def _put_right(total, block_px, node):  # pragma: no cover (compiled)
    """Shift a node by what its motion has missed, which grows from step to step; what that takes off the miss."""
    count = total[0]
    noise = _LEAST_SLOPE * _LEAST_SLOPE * count
    xx = total[9] - total[7] * total[7] / count + noise
    xy = total[10] - total[7] * total[8] / count
    yy = total[11] - total[8] * total[8] / count + noise
    x = total[12] - total[7] * total[3] / count
    y = total[13] - total[8] * total[3] / count
    whole = xx * yy - xy * xy
    right, down = (yy * x - xy * y) / whole, (xx * y - xy * x) / whole
    far = np.sqrt(right * right + down * down) / _FARTHEST_PX
    if far > 1:
        right, down = right / far, down / far
    node[0] += (node[1] * right + node[2] * down) / block_px
    node[3] += (node[4] * right + node[5] * down) / block_px
    return max((right * x + down * y) / count, np.float32(0))


@compiled(nogil=True)
def _believe(statistics, wanted, block_px, passage):  # pragma: no cover (compiled)
    """From what differs around a node to how far it is believed, and to the difference of light."""
    rows, columns, levels, kinds = statistics.shape
    around = _with_neighbours(statistics.reshape(1, rows, columns * levels * kinds))
    around = _with_neighbours(around.reshape(rows, columns, levels * kinds))
    around = _with_neighbours(around.reshape(rows * columns, levels, kinds)).reshape(rows, columns, levels, kinds)
    for j in range(rows):
        for i in range(columns):
            for k in range(levels):
                total = around[j, i, k]
                count = total[0]
                if not wanted[j, i, k] or count <= 0:
                    continue
                lighter, drift = total[2:5] / count, np.float32(0)
                for c in range(3):
                    drift += lighter[c] ** 2 / 3
                miss = total[1] / count - drift
                miss -= _put_right(total, block_px, passage[j, i, k])
                mean = total[5] / count
                varied = max(total[6] / count - mean * mean, np.float32(0))
                # Believed as far as it is nearer to the truth than any colour of the surround would be.
                miss = max(miss, np.float32(0))
                share = miss / (np.float32(0.5) * varied + _NOISE * _NOISE)
                belief = count / (count + 1) / (1 + share * share)
                # Light that changes so much changes shadows, too.
                belief /= 1 + (drift / np.float32(0.02)) ** 2
                passage[j, i, k, BELIEF] = belief
                for c in range(3):
                    passage[j, i, k, LIGHT + c] = lighter[c]


@compiled(nogil=True)
def _with_neighbours(values):  # pragma: no cover (compiled)
    """Each along the middle axis with half of those beside it."""
    first, second, third = values.shape
    out = np.empty_like(values)
    for a in range(first):
        for b in range(second):
            for c in range(third):
                beside = np.float32(0)
                if b > 0:
                    beside += values[a, b - 1, c]
                if b < second - 1:
                    beside += values[a, b + 1, c]
                out[a, b, c] = values[a, b, c] + np.float32(0.5) * beside
    return out


@compiled(nogil=True, inline="always")
def block_of(pixel, block_px):
    """Place in blocks of a place in pixels; centres are whole numbers in both."""
    return (pixel + np.float32(0.5)) / np.float32(block_px) - np.float32(0.5)


@compiled(nogil=True, inline="always")
def pixel_of(block, block_px):
    """Place in pixels of a place in blocks."""
    return (block + np.float32(0.5)) * np.float32(block_px) - np.float32(0.5)


@compiled(nogil=True, inline="always")
def disparity_of(cover, x, y):
    """Disparity of the nearest surface at or beside the pixel that a place lies in."""
    return np.float32(cover[int(y + np.float32(0.5)), int(x + np.float32(0.5))]) * np.float32(1 / 65535)


@compiled(nogil=True, inline="always")
def sampled(codes, j, i, c, down, right):
    """One channel between four pixels."""
    top = unbent(codes[j, i, c])
    top += right * (unbent(codes[j, i + 1, c]) - top)
    bottom = unbent(codes[j + 1, i, c])
    bottom += right * (unbent(codes[j + 1, i + 1, c]) - bottom)
    return top + down * (bottom - top)
