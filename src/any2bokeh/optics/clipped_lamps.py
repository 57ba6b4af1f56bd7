"""Lamps that a picture of 8 bits has clipped to white: which they are, how bright each was, and of what colour.

Clipped light says only that it was at least white; a white shirt says the same. A lamp is told by its shape: small, and
all around it dark. Of how bright it was, its rim tells: where a pixel is covered in part, the light of the lamp falls
to that of its surroundings, and the brighter the lamp, the less of that way lies below white. Along a straight rim in a
picture without blur of its own, the light below white adds up to ``1 / (2 L)`` for each pixel of length, L being the
lamp's light; softened by a pixel, to ``1 / L``. The same rim, where no channel is clipped, has the lamp's colour.

What could be something else is left as it is: what is wide, long or thin, what lies in bright surroundings, what lies
where much is clipped, as a sky seen through leaves, and what has a soft rim. What the frame's border cuts, and what is
no more than a dot, has no rim to tell by, and is left, too. All of that sets in smoothly, so that nothing jumps from
frame to frame. Light is never lowered. A small hole through which a clipped sky is seen has the rim of a lamp of that
light; some of them still rise by a little more.
"""

import numpy as np

from any2bokeh.compiled import compiled
from any2bokeh.optics.highlights import spread

CLIPPED_CODE = 0.97
"""A pixel whose largest code value is above this is clipped: compression leaves no pure white."""

MOST_LIGHT = 6.0
"""No lamp is taken to be brighter than this many times white."""

_SMALL, _SMALL_PX = 0.014, 6.0  # a lamp is no wider than this share of the longer side, or than this; nothing at twice
_THIN, _COMPACT = np.float32(0.5), np.float32(0.68)  # area, of the box around it: letters are thin, a disc has 0.79
_LONG, _ROUND = np.float32(0.4), np.float32(0.6)  # the shorter side of that box over the longer
_DOT, _DISC = np.float32(1), np.float32(4)  # pixels: a dot has no rim that tells how bright it is
_DARK, _BRIGHT = np.float32(0.10), np.float32(0.28)  # light of surroundings up to which, and from which on not, is one
_FEW, _MANY = np.float32(0.02), np.float32(0.05)  # share of clipped pixels around: a sky, or a pattern, is no lamp
_AROUND = 0.08  # of the longer side, to each side: around
_RINGS = 4  # pixels around a lamp that are looked at
_RIM_RINGS = 2  # of these, those in which light falls
_RIM = np.float32(1.1)  # between the straight rim, which counts twice, and one softened by a pixel
_CUT, _WHOLE = np.float32(0.6), np.float32(0.9)  # share of the rim that must be seen
_LEAST_RIM = np.float32(0.02)  # of light for each pixel of the rim, below which it says no colour
_NONE, _BESIDE, _WIDE = 0, 1, 2  # marks of clipped pixels: not seen yet, in a lamp, in what is wider


@compiled(nogil=True)
def raise_lamps(pixels, light, defocus, brightest, block):
    """Give clipped lamps the light that they had, as far as they are out of focus.

    Args:
        pixels: ``(3, H, W)`` code values.
        light: ``(H, W, 4)`` linear light of them; that of lamps is raised.
        defocus: ``(H, W)`` signed pixels: what is in focus stays as it is.
        brightest: ``(rows, columns)`` of blocks: the largest light in each; kept right.
        block: side of a block, px.
    """
    height, width = defocus.shape
    long_side = max(height, width)
    small = max(np.float32(_SMALL * long_side), np.float32(_SMALL_PX))
    most = int(2 * small)  # wider is no lamp
    mark = np.zeros((height, width), np.uint8)
    clipped = np.zeros(brightest.shape, np.float32)  # pixels of each block
    found = _mark_wide_blocks(pixels, brightest, block, mark, clipped)
    if not found:
        return
    stack = np.empty(8 * (most + 2) * (most + 2), np.int32)
    members = np.empty((most + 1) * (most + 1), np.int32)
    side = most + 2 * _RINGS + 2
    ring = np.empty((side, side), np.uint8)
    lamps = np.empty((16, 3), np.float32)  # a pixel's row and column, and how much it is a lamp
    count = 0
    for row in range(brightest.shape[0]):
        for column in range(brightest.shape[1]):
            if brightest[row, column] <= 0.8 or clipped[row, column] >= block * block:
                continue
            for y in range(row * block, min((row + 1) * block, height)):
                for x in range(column * block, min((column + 1) * block, width)):
                    if mark[y, x] != _NONE or not _is_clipped(pixels, y, x):
                        continue
                    area, box = _flooded(pixels, y, x, most, mark, stack, members, clipped, block)
                    if area == 0:
                        continue
                    size = np.float32(max(box[1] - box[0], box[3] - box[2]) + 1)
                    share = _within(size / small, np.float32(2), np.float32(1))
                    tall, across = box[1] - box[0] + 1, box[3] - box[2] + 1
                    share *= _within(np.float32(area + 2) / np.float32(tall * across), _THIN, _COMPACT)
                    share *= _within(np.float32(min(tall, across)) / size, _LONG, _ROUND)
                    share *= _within(np.float32(area), _DOT, _DISC)
                    clipped[row, column] += area
                    if share > 0:
                        if count == lamps.shape[0]:
                            lamps = np.concatenate((lamps, lamps))
                        lamps[count, 0], lamps[count, 1], lamps[count, 2] = y, x, share
                        count += 1
    mark[:] = _NONE
    away = int(np.ceil(_AROUND * long_side / block))
    for number in range(count):
        y, x = int(lamps[number, 0]), int(lamps[number, 1])
        share = lamps[number, 2] * _within(_clipped_around(clipped, y // block, x // block, away, block), _MANY, _FEW)
        if share > 0:
            area, box = _flooded(pixels, y, x, most, mark, stack, members, clipped, block)
            _raise(pixels, light, defocus, members[:area], box, share, ring, brightest, block)


@compiled(nogil=True, inline="always")
def _within(value, none, whole):
    """Rises from 0 at ``none`` to 1 at ``whole``, which may be the less."""
    return min(max((value - none) / (whole - none), np.float32(0)), np.float32(1))


@compiled(nogil=True, inline="always")
def _is_clipped(pixels, y, x):
    return max(pixels[0, y, x], pixels[1, y, x], pixels[2, y, x]) > np.float32(CLIPPED_CODE)


@compiled(nogil=True)
def _mark_wide_blocks(pixels, brightest, block, mark, clipped):
    """Mark blocks that are clipped all over, so that nobody wanders through a sky; whether any pixel is clipped."""
    height, width = mark.shape
    found = False
    for row in range(brightest.shape[0]):
        for column in range(brightest.shape[1]):
            if brightest[row, column] <= 0.8:
                continue
            top, bottom = row * block, min((row + 1) * block, height)
            left, right = column * block, min((column + 1) * block, width)
            count = 0
            for y in range(top, bottom):
                for x in range(left, right):
                    count += _is_clipped(pixels, y, x)
            found = found or count > 0
            if count == (bottom - top) * (right - left):
                clipped[row, column] = block * block
                mark[top:bottom, left:right] = _WIDE
    return found


@compiled(nogil=True)
def _flooded(pixels, y, x, most, mark, stack, members, clipped, block):
    """The clipped pixels that hang together with one: how many, and the box ``(top, bottom, left, right)`` of them.

    Those of what is wider than ``most`` are marked so, added to ``clipped``, and counted 0.
    """
    height, width = mark.shape
    top, bottom, left, right = y, y, x, x
    stack[0] = y * width + x
    mark[y, x] = _BESIDE
    waiting, count, is_wide = 1, 0, False
    while waiting > 0:
        waiting -= 1
        at_y, at_x = stack[waiting] // width, stack[waiting] % width
        top, bottom, left, right = min(top, at_y), max(bottom, at_y), min(left, at_x), max(right, at_x)
        if bottom - top >= most or right - left >= most or count >= members.shape[0]:
            is_wide = True
            break
        members[count] = stack[waiting]
        count += 1
        for j in range(max(at_y - 1, 0), min(at_y + 2, height)):
            for i in range(max(at_x - 1, 0), min(at_x + 2, width)):
                if mark[j, i] == _WIDE:
                    is_wide = True
                elif mark[j, i] == _NONE and _is_clipped(pixels, j, i):
                    mark[j, i] = _BESIDE
                    stack[waiting] = j * width + i
                    waiting += 1
    if is_wide:
        for number in range(count):
            mark[members[number] // width, members[number] % width] = _WIDE
            clipped[members[number] // width // block, members[number] % width // block] += 1
        for number in range(waiting):
            mark[stack[number] // width, stack[number] % width] = _WIDE
            clipped[stack[number] // width // block, stack[number] % width // block] += 1
        return 0, (top, bottom, left, right)
    return count, (top, bottom, left, right)


@compiled(nogil=True)
def _clipped_around(clipped, row, column, away, block):
    """Share of clipped pixels around a block."""
    total, blocks = np.float32(0), 0
    for j in range(max(row - away, 0), min(row + away + 1, clipped.shape[0])):
        for i in range(max(column - away, 0), min(column + away + 1, clipped.shape[1])):
            total += clipped[j, i]
            blocks += 1
    return total / np.float32(blocks * block * block)


@compiled(nogil=True)
def _raise(pixels, light, defocus, members, box, share, ring, brightest, block):
    """Raise one lamp by ``share`` of what its rim says."""
    width = defocus.shape[1]
    top, left = box[0] - _RINGS, box[2] - _RINGS
    _find_rings(members, width, top, left, box, ring)
    around = _surroundings(pixels, light, top, left, box, ring)
    share *= _within(max(around[0], around[1], around[2]), _BRIGHT, _DARK)
    if share <= 0:
        return
    color, times, seen = _measured(pixels, light, members, top, left, box, around, ring)
    share *= _within(seen, _CUT, _WHOLE)
    for number in range(members.shape[0]):
        y, x = members[number] // width, members[number] % width
        inside = 0
        for j, i in ((-1, 0), (1, 0), (0, -1), (0, 1)):
            inside += ring[y + j - top, x + i - left] == 0
        # Pixels at the rim are covered in part.
        covered = np.float32(0.5) + np.float32(0.125) * inside
        part = share * spread(abs(defocus[y, x]))
        for c in range(3):
            light[y, x, c] += part * max(covered * times * color[c] - light[y, x, c], np.float32(0))
            brightest[y // block, x // block] = max(brightest[y // block, x // block], light[y, x, c])


@compiled(nogil=True)
def _find_rings(members, width, top, left, box, ring):
    """Number the pixels around a lamp by their distance from it: 0 in it, 1 to ``_RINGS`` around, more beyond."""
    tall, wide = box[1] - box[0] + 1 + 2 * _RINGS, box[3] - box[2] + 1 + 2 * _RINGS
    ring[:tall, :wide] = _RINGS + 1
    for number in range(members.shape[0]):
        ring[members[number] // width - top, members[number] % width - left] = 0
    for step in range(_RINGS):
        for j in range(tall):
            for i in range(wide):
                if ring[j, i] != step:
                    continue
                for near_j in range(max(j - 1, 0), min(j + 2, tall)):
                    for near_i in range(max(i - 1, 0), min(i + 2, wide)):
                        # Four and eight neighbours in turn: rings stay round.
                        if ring[near_j, near_i] > _RINGS and (step % 2 == 0 or near_j == j or near_i == i):
                            ring[near_j, near_i] = step + 1


@compiled(nogil=True)
def _surroundings(pixels, light, top, left, box, ring):
    """Colour of the light around a lamp: of the outer rings, the darker half, as another lamp may be near."""
    height, width = light.shape[:2]
    total, count, most = np.zeros(3, np.float32), 0, np.float32(np.inf)
    for _turn in range(2):
        total[:] = 0
        count = 0
        for y in range(max(top, 0), min(box[1] + _RINGS + 1, height)):
            for x in range(max(left, 0), min(box[3] + _RINGS + 1, width)):
                step = ring[y - top, x - left]
                if _RIM_RINGS < step <= _RINGS and max(light[y, x, 0], light[y, x, 1], light[y, x, 2]) <= most:
                    for c in range(3):
                        total[c] += min(light[y, x, c], np.float32(1))
                    count += 1
        total /= np.float32(max(count, 1))
        most = max(total[0], total[1], total[2]) * np.float32(1.01)  # even surroundings are all as bright as their mean
    if count == 0:
        total[:] = 1  # nothing to be seen around it
    return total


@compiled(nogil=True)
def _measured(pixels, light, members, top, left, box, around, ring):
    """Colour of a lamp, 1 in its largest channel, its light, in times white, and the share of its rim that is seen."""
    height, width = light.shape[:2]
    rim, own = np.zeros(3, np.float32), np.zeros(3, np.float32)
    fallen, seen, rim_px = np.float32(0), 0, 0
    for y in range(top, box[1] + _RINGS + 1):
        for x in range(left, box[3] + _RINGS + 1):
            step = ring[y - top, x - left]
            if step == 0 or step > _RIM_RINGS:
                continue
            rim_px += step == 1
            if not (0 <= y < height and 0 <= x < width) or _is_clipped(pixels, y, x):
                continue
            seen += step == 1
            largest = np.float32(0)
            for c in range(3):
                more = max(light[y, x, c] - around[c], np.float32(0))
                rim[c] += more
                largest = max(largest, more)
            fallen += largest
    for number in range(members.shape[0]):
        for c in range(3):
            own[c] += light[members[number] // width, members[number] % width, c] / np.float32(members.shape[0])
    share_seen = np.float32(seen) / np.float32(max(rim_px, 1))
    # Of a disc whose border lies half a pixel outside what is clipped.
    length = np.float32(2 * np.sqrt(np.pi)) * np.sqrt(np.float32(members.shape[0])) + np.float32(np.pi / 2)
    length = max(length * share_seen, np.float32(1))
    color = rim + _LEAST_RIM * length * own
    color /= max(color[0], color[1], color[2])
    times = np.float32(1) / (_RIM * fallen / length + np.float32(1 / MOST_LIGHT))
    for c in range(3):  # a channel that is not clipped says how bright the lamp is
        if own[c] < 0.9 and color[c] > 0.02:
            times = min(times, np.float32(1.5) * own[c] / color[c])
    return color, times, share_seen
