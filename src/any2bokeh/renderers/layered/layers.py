"""The layered depth image: what is seen, what shines through at edges, and what lies behind.

One colour and one disparity a pixel do not say what a fast lens sees past an edge. Two things are added before
rendering, both only beside true steps of defocus, so that a continuous surface stays one layer:

* A pixel on the far side of a step is a mixture: the edge runs through it (antialiasing, hair). Its foreground part
  is estimated by projecting its colour on the line between the colours of the pure surfaces around it, and
  moves to the foreground; the rest is background.
* Behind the near side, as far in as the two surfaces shift against one another across the aperture, lies hidden
  background. It is filled ring after ring inwards from the step, as in inpainting by fast marching (Telea, J. Graphics
  Tools 2004), with a stencil that widens with the distance: sharp at the step and smooth behind it. Where other frames
  saw it, what they saw takes the place of the stencil's.

``light`` is ``(3, H, W, 4)``: in each of three layers linear RGB premultiplied by a weight, and the weight.
``defocus`` is ``(3, H, W)``, signed pixels. Every pixel has a sample in ``FRONT``, which holds the picture as it came;
``kind`` says whether one in ``PATCH`` takes its place and whether there is one in ``BEHIND``. Layers are written only
where they are used.
"""

import numpy as np

from any2bokeh.compiled import compiled
from any2bokeh.optics.highlights import raised, spread
from any2bokeh.renderers.layered.blocks import BLOCK
from any2bokeh.renderers.layered.simd import prefetch
from any2bokeh.renderers.layered.surroundings import TIMES_SURROUNDINGS, brightness, surroundings_at

STEP_PX = 1.0
"""Neighbouring pixels whose defocus differs by more than this belong to different surfaces."""

FRONT, PATCH, BEHIND = 0, 1, 2  # the layers
SPLIT, HIDDEN, BESIDE_STEP, LIT, TOLD = 1, 2, 4, 8, 16
"""Bits of ``kind``: PATCH takes the place of FRONT; there is a sample in BEHIND; a neighbour is a step away; a lamp
behind shines into the pixel, see ``lit_edges.py``, which leaves none; an edge estimator tells its share and colours,
see ``bands.py``, which leaves none either."""

MIX_RADIUS = 4
"""Pixels around a mixed one in which pure colours are looked for."""

_MIX_OFFSETS = np.arange(-MIX_RADIUS, MIX_RADIUS + 1)
_MIX_WEIGHTS = np.exp(-(_MIX_OFFSETS[:, None] ** 2 + _MIX_OFFSETS[None, :] ** 2) / (2 * 1.5**2)).astype(np.float32)
_MIX_MOST_FOREGROUND = 0.5  # the centre of the pixel is background, so a straight edge covers at most half of it
_MIX_LEAST_CONTRAST = 0.003  # squared distance of the two colours in linear light, below which nothing can be told
_MIX_RANGE_MARGIN = np.float32(0.25)  # how far the background may lie outside the colours around it, in their range
_MIX_GRAIN = np.float32(0.15)  # of a colour: how far pixels of one surface differ by grain alone
_MOST_HIDDEN = 0.9  # of a mixed pixel whose background other frames saw, that the foreground may hide
_STILL_WHITE = np.float32(1.0001)  # both parts of a clipped pixel add up to 1, but for rounding
_REACH_MARGIN_PX = 1.5
_SAME_SURFACE = 0.25  # of the step: how far defocus may differ within one background
_STENCIL = 2  # points on each side of the filled pixel, along both axes
_STENCIL_WEIGHTS = np.array(
    [[1 / max(m * m + n * n, 1) for n in range(-_STENCIL, _STENCIL + 1)] for m in range(-_STENCIL, _STENCIL + 1)],
    np.float32,
)
_STENCIL_GROWTH = 0.5  # their spacing, in distances from the step


@compiled(nogil=True)
def prepare(
    rows, pixels, disparity, focus_disparity, scale, decode_table, highlights, light, defocus, block_low, block_high
):
    """Decode one row of blocks to linear light and defocus, and note the range of defocus of each block.

    Args:
        rows: index of the row of blocks.
        pixels: ``(3, H, W)`` code values.
        disparity: ``(H, W)``.
        focus_disparity: d_f.
        scale: pixels of defocus per unit of disparity.
        decode_table: linear light at evenly spaced code values in [0, 1]; empty: code values are light.
        highlights: ``(gain, threshold)``; see ``optics.highlights``.
        light, defocus: layer ``FRONT`` is written.
        block_low, block_high: ``(rows, columns)`` of blocks; least and largest defocus, written.
    """
    height, width = disparity.shape
    top, bottom = rows * BLOCK, min((rows + 1) * BLOCK, height)
    for block in range(block_low.shape[1]):
        low, high = np.float32(np.inf), np.float32(-np.inf)
        for y in range(top, bottom):
            for x in range(block * BLOCK, min((block + 1) * BLOCK, width)):
                signed = np.float32(scale * (disparity[y, x] - focus_disparity))
                defocus[FRONT, y, x] = signed
                low = min(low, signed)
                high = max(high, signed)
        block_low[rows, block] = low
        block_high[rows, block] = high
    cells = decode_table.shape[0] - 1
    gain, threshold = highlights
    for y in range(top, bottom):
        for x in range(width):
            largest = np.float32(0)
            for c in range(3):
                code = pixels[c, y, x]
                largest = max(largest, code)
                if cells > 0:
                    at = min(max(code, np.float32(0)), np.float32(1)) * np.float32(cells)
                    cell = min(int(at), cells - 1)
                    below = decode_table[cell]
                    light[FRONT, y, x, c] = below + (decode_table[cell + 1] - below) * (at - np.float32(cell))
                else:
                    light[FRONT, y, x, c] = code
            light[FRONT, y, x, 3] = 1
            if gain > 0 and largest > threshold:
                factor = raised(largest, gain * spread(abs(defocus[FRONT, y, x])), threshold)
                for c in range(3):
                    light[FRONT, y, x, c] *= factor


@compiled(nogil=True)
def find_steps(rows, defocus, kind, level):
    """Find the steps of one row of blocks: ``kind`` becomes ``BESIDE_STEP`` or 0, ``level`` 1 on far sides or 0.

    Whole lines, whatever is in them: vectors are faster than to look where there are no steps.
    """
    height, width = kind.shape
    top, bottom = rows * BLOCK, min((rows + 1) * BLOCK, height)
    padded = np.empty(width + 2, np.float32)
    # Least and largest of three side by side, of the last three lines.
    least, most = np.empty((3, width), np.float32), np.empty((3, width), np.float32)
    for j in range(top - 1, bottom + 1):
        line, at = min(max(j, 0), height - 1), (j + 1) % 3
        for x in range(width):
            padded[x + 1] = defocus[FRONT, line, x]
        padded[0], padded[width + 1] = padded[1], padded[width]
        for x in range(width):
            least[at, x] = min(padded[x], padded[x + 1], padded[x + 2])
            most[at, x] = max(padded[x], padded[x + 1], padded[x + 2])
        y = j - 1
        if y < top:
            continue
        for x in range(width):
            here = defocus[FRONT, y, x]
            up = max(most[0, x], most[1, x], most[2, x]) - here
            down = here - min(least[0, x], least[1, x], least[2, x])
            kind[y, x] = BESIDE_STEP if max(up, down) > np.float32(STEP_PX) else 0
            # Between two steps, a pixel belongs to the side of the larger.
            level[y, x] = 1 if (up > np.float32(STEP_PX)) & (up >= down) else 0


@compiled(nogil=True)
def split_mixed(rows, surroundings, light, defocus, kind, level):
    """Split the mixed pixels of one row of blocks into a foreground part and the background behind it.

    A lamp of the background beside or in a mixed pixel is no colour to tell the two by: all are taken to be as bright
    as lamps are not, and what the pixel has beyond that stays with the background.
    """
    height, width = kind.shape
    # Mean, least and largest.
    near_color, far_color = np.empty((3, 3), np.float32), np.empty((3, 3), np.float32)
    one = np.float32(1)
    for y in range(rows * BLOCK, min((rows + 1) * BLOCK, height)):
        for x in range(width):
            if level[y, x] != 1 or kind[y, x] & TOLD:
                continue
            here = defocus[FRONT, y, x]
            near = here
            for j in range(max(y - 1, 0), min(y + 2, height)):
                for i in range(max(x - 1, 0), min(x + 2, width)):
                    near = max(near, defocus[FRONT, j, i])
            bound = np.float32(TIMES_SURROUNDINGS) * surroundings_at(surroundings, y, x)
            share, kept = _foreground_share(light, defocus, kind, y, x, near, bound, near_color, far_color)
            if share <= 0:
                continue
            for c in range(3):
                mixed = kept * light[FRONT, y, x, c]
                background = (mixed - share * near_color[0, c]) / (one - share)
                # A wrong estimate shows as a speckle: stay near the colours of the pure background.
                margin = _MIX_RANGE_MARGIN * (far_color[2, c] - far_color[1, c])
                background = min(max(background, far_color[1, c] - margin, np.float32(0)), far_color[2, c] + margin)
                light[BEHIND, y, x, c] = background + (one - kept) * light[FRONT, y, x, c] / (one - share)
                # What is unlike the background around stays with the foreground, as far as it is like that: a sliver
                # that takes all of it would shine, or be black, beside the edge.
                margin = _MIX_RANGE_MARGIN * (near_color[2, c] - near_color[1, c])
                least = max(near_color[1, c] * (one - _MIX_GRAIN) - margin, np.float32(0))
                most = near_color[2, c] * (one + _MIX_GRAIN) + margin
                light[PATCH, y, x, c] = min(max(mixed - (one - share) * background, share * least), share * most)
            light[PATCH, y, x, 3] = share
            light[BEHIND, y, x, 3] = 1
            defocus[PATCH, y, x] = near
            defocus[BEHIND, y, x] = here
            kind[y, x] = BESIDE_STEP | SPLIT | HIDDEN


@compiled(nogil=True)
def widen_blocks(rows, defocus, kind, block_low, block_high):
    """Make the ranges of defocus of one row of blocks hold those of the samples in ``PATCH`` and ``BEHIND``."""
    height, width = kind.shape
    for y in range(rows * BLOCK, min((rows + 1) * BLOCK, height)):
        for x in range(width):
            for layer, bit in ((PATCH, SPLIT), (BEHIND, HIDDEN)):
                if kind[y, x] & bit:
                    signed, block = defocus[layer, y, x], x // BLOCK
                    block_low[rows, block] = min(block_low[rows, block], signed)
                    block_high[rows, block] = max(block_high[rows, block], signed)


@compiled(nogil=True)
def _foreground_share(light, defocus, kind, y, x, near, bound, near_color, far_color):
    """How much of pixel (y, x), on the far side of a step to ``near``, is foreground, 0 to a half; and how much of its
    light is no lamp's.

    The background counts as no brighter than ``bound``, and so does the pixel, unless the foreground is. The pure
    colours of both sides, with their range, are left in ``near_color`` and ``far_color``.
    """
    height, width = defocus.shape[1:]
    here = defocus[FRONT, y, x]
    half = np.float32(0.5) * (near - here)
    near_weight, far_weight = np.float32(0), np.float32(0)
    for color in (near_color, far_color):
        color[0] = 0
        color[1] = np.inf
        color[2] = 0
    for j in range(max(y - MIX_RADIUS, 0), min(y + MIX_RADIUS + 1, height)):
        for i in range(max(x - MIX_RADIUS, 0), min(x + MIX_RADIUS + 1, width)):
            if kind[j, i] & BESIDE_STEP:
                continue
            from_far, from_near = abs(defocus[FRONT, j, i] - here), abs(defocus[FRONT, j, i] - near)
            if min(from_far, from_near) >= half:
                continue
            weight = _MIX_WEIGHTS[j - y + MIX_RADIUS, i - x + MIX_RADIUS]
            if from_far < from_near:
                far_weight += weight
                dimmed = np.float32(1)
                if max(light[FRONT, j, i, 0], light[FRONT, j, i, 1], light[FRONT, j, i, 2]) > bound:
                    dimmed = bound / brightness(light[FRONT], j, i)
                for c in range(3):
                    color = dimmed * light[FRONT, j, i, c]
                    far_color[0, c] += weight * color
                    far_color[1, c] = min(far_color[1, c], color)
                    far_color[2, c] = max(far_color[2, c], color)
            else:
                near_weight += weight
                for c in range(3):
                    near_color[0, c] += weight * light[FRONT, j, i, c]
                    near_color[1, c] = min(near_color[1, c], light[FRONT, j, i, c])
                    near_color[2, c] = max(near_color[2, c], light[FRONT, j, i, c])
    if far_weight < 1e-3:
        return np.float32(0), np.float32(1)
    kept = bound / max(brightness(light[FRONT], y, x), bound)
    for c in range(3):
        far_color[0, c] /= far_weight
    if near_weight >= 1e-3:
        for c in range(3):
            near_color[0, c] /= near_weight
        if max(near_color[2, 0], near_color[2, 1], near_color[2, 2]) > bound:
            kept = np.float32(1)
    elif not _extreme_near_color(light, defocus, y, x, here + half, bound, near_color, far_color):
        return np.float32(0), np.float32(1)
    along, contrast = np.float32(0), np.float32(0)
    for c in range(3):
        span = near_color[0, c] - far_color[0, c]
        along += (kept * light[FRONT, y, x, c] - far_color[0, c]) * span
        contrast += span * span
    if contrast < _MIX_LEAST_CONTRAST:
        return np.float32(0), np.float32(1)
    return min(max(along / contrast, np.float32(0)), np.float32(_MIX_MOST_FOREGROUND)), kept


@compiled(nogil=True)
def _extreme_near_color(light, defocus, y, x, threshold, bound, near_color, far_color):
    """The foreground neighbour that is least like the background: a hair has no pure pixel of its own.

    Whether there is one: what is brighter than ``bound`` is lit by a lamp behind.
    """
    height, width = defocus.shape[1:]
    farthest = np.float32(-1)
    for j in range(max(y - 1, 0), min(y + 2, height)):
        for i in range(max(x - 1, 0), min(x + 2, width)):
            if defocus[FRONT, j, i] < threshold or brightness(light[FRONT], j, i) > bound:
                continue
            distance = np.float32(0)
            for c in range(3):
                distance += (light[FRONT, j, i, c] - far_color[0, c]) ** 2
            if distance > farthest:
                farthest = distance
                near_color[:, 0] = light[FRONT, j, i, 0]
                near_color[:, 1] = light[FRONT, j, i, 1]
                near_color[:, 2] = light[FRONT, j, i, 2]
    return farthest >= 0


@compiled(nogil=True)
def first_ring(light, defocus, kind, level, source):
    """The far sides of all steps, from which hidden background is filled inwards: indices of pixels, int32.

    Their background is written to ``BEHIND`` where it is not there yet, so that what is filled finds all in one place.

    Args:
        light, defocus, kind: see above.
        level: ``(H, W)`` int16: 1 on the far side of a step, 0 elsewhere; each filled pixel will get its ring.
        source: ``(H, W)`` int32: row and column, 16 bits each, of the far-side pixel that a pixel lies nearest to;
            written for the first ring.
    """
    height, width = level.shape
    ring = np.empty(np.count_nonzero(level == 1), np.int32)
    count = 0
    for y in range(height):
        for x in range(width):
            if level[y, x] == 1:
                source[y, x] = np.int32(y << 16 | x)
                ring[count] = y * width + x
                count += 1
                if not kind[y, x] & HIDDEN:
                    defocus[BEHIND, y, x] = defocus[FRONT, y, x]
                    for c in range(3):
                        light[BEHIND, y, x, c] = light[FRONT, y, x, c]
    return ring


@compiled(nogil=True)
def fill_ring(part, number, light, defocus, kind, level, source, seen):
    """Fill the hidden background around a part of the ring before ring ``number``: indices of the filled pixels.

    ``seen`` is what other frames saw, ``(light (H, W, 3), defocus (H, W), known (H, W))``, or three empty arrays.

    Parts of one ring may be filled at the same time: a pixel reads nothing of its own ring, not even of itself, so two
    threads that come to the same pixel write the same.

    One loop for each step, for the pixels of a ring lie far from one another: each asks for what a later pixel will
    need, and decides without branches, of which none could be foretold.
    """
    around = _nearer_around(part, number, defocus, level, source)
    filled = _reached(around, number, defocus, level, source)
    continue_background(filled, number, light, defocus, kind, level, source, seen)
    return filled


_AHEAD = 8  # pixels of a ring between the one that is asked for and the one at hand

# Rings of four and of eight neighbours in turn are octagons, close enough to circles.
_NEIGHBOURS = np.array([(-1, 0), (0, -1), (0, 1), (1, 0), (-1, -1), (-1, 1), (1, -1), (1, 1)], np.int64)


@compiled(nogil=True, inline="always")
def _place(source):
    """Row and column of what is kept as ``source``. Shifts, for divisions took a third of the time of a ring."""
    return np.int64(source) >> 16 & 0xFFFF, np.int64(source) & 0xFFFF


@compiled(nogil=True, inline="always")
def _within(at, length):
    """An index brought into a row or column: what lies beyond the frame is its border once more. Without a sign, for
    an index that may be below 0 is looked at twice."""
    return np.uint64(min(max(at, 0), length - 1))


@compiled(nogil=True)
def _nearer_around(part, number, defocus, level, source):
    """The pixels around a part of a ring that are nearer than its background; many of them more than once."""
    height, width = level.shape
    around = np.empty(8 * part.shape[0] + 1, np.int32)
    count, neighbours, last = 0, 4 if number % 2 == 0 else 8, part.shape[0] - 1
    for entry in range(part.shape[0]):
        ahead = np.int64(part[min(entry + _AHEAD, last)])
        prefetch(source, ahead)
        for row in range(-1, 2):
            prefetch(level, ahead + row * width)
            prefetch(defocus, ahead + row * width)
        y, x = np.int64(part[entry]) // width, np.int64(part[entry]) % width
        from_y, from_x = _place(source[y, x])
        behind = defocus[FRONT, np.uint64(from_y), np.uint64(from_x)]
        for n in range(neighbours):
            j, i = _within(y + _NEIGHBOURS[n, 0], height), _within(x + _NEIGHBOURS[n, 1], width)
            around[np.uint64(count)] = np.int64(j) * width + np.int64(i)
            count += np.int64((level[j, i] == 0) & (defocus[FRONT, j, i] - behind > np.float32(STEP_PX)))
    return around[:count]


@compiled(nogil=True)
def _reached(around, number, defocus, level, source):
    """Those of these pixels behind which the background of earlier rings reaches; they get their ring and source."""
    height, width = level.shape
    count, last = 0, around.shape[0] - 1
    for entry in range(around.shape[0]):
        ahead = np.int64(around[min(entry + _AHEAD, last)])
        for row in range(-1, 2):
            prefetch(level, ahead + row * width)
            prefetch(source, ahead + row * width)
        y, x = np.int64(around[entry]) // width, np.int64(around[entry]) % width
        if level[y, x] != 0:
            continue
        nearest, distance = np.int32(0), np.int64(1) << 62
        for m in range(-1, 2):
            for n in range(-1, 2):
                j, i = _within(y + m, height), _within(x + n, width)
                there, ring = source[j, i], level[j, i]
                from_y, from_x = _place(there)
                apart = (from_y - y) ** 2 + (from_x - x) ** 2
                is_nearer = (ring > 0) & (ring < number) & (apart < distance)
                nearest, distance = there if is_nearer else nearest, apart if is_nearer else distance
        from_y, from_x = _place(nearest)
        step = defocus[FRONT, y, x] - defocus[FRONT, from_y, from_x]
        if step > STEP_PX and distance <= (step + _REACH_MARGIN_PX) ** 2:
            level[y, x] = number
            source[y, x] = nearest
            around[count] = around[entry]
            count += 1
    return around[:count]


@compiled(nogil=True)
def continue_background(filled, number, light, defocus, kind, level, source, seen):
    """Give the pixels of a ring their hidden samples: the background of earlier rings goes on, and what other frames
    saw takes its place, as far as it is known and lies behind.

    Arguments as for ``fill_ring``; each sample is written once, whole.
    """
    seen_light, seen_defocus, known = seen
    height, width = level.shape
    last, stride, to_behind = filled.shape[0] - 1, 1, BEHIND * height * width
    for entry in range(filled.shape[0]):
        ahead = np.int64(filled[min(entry + _AHEAD, last)])
        for m in range(-_STENCIL, _STENCIL + 1):
            there = ahead + m * stride * width
            prefetch(level, there)
            prefetch(defocus, to_behind + there)
            for n in range(-_STENCIL, _STENCIL + 1, 2):
                prefetch(light, 4 * (to_behind + there + n * stride))
        y, x = np.int64(filled[entry]) // width, np.int64(filled[entry]) % width
        if kind[y, x] & SPLIT:  # a mixed pixel before a third surface: its own background hides that
            continue
        at_y, at_x = _place(source[y, x])
        background = defocus[FRONT, at_y, at_x]
        step, distance = defocus[FRONT, y, x] - background, (at_y - y) ** 2 + (at_x - x) ** 2
        tolerance = max(np.float32(STEP_PX), np.float32(_SAME_SURFACE) * step)
        total, far = np.float32(0), np.float32(0)
        red, green, blue = np.float32(0), np.float32(0), np.float32(0)
        stride = 1 + np.int64(np.sqrt(np.float32(distance)) * np.float32(_STENCIL_GROWTH))
        for m in range(-_STENCIL, _STENCIL + 1):
            for n in range(-_STENCIL, _STENCIL + 1):
                j, i = y + m * stride, x + n * stride
                row, column = _within(j, height), _within(i, width)
                ring = level[row, column]
                is_told = (ring > 0) & (ring < number) & (j == np.int64(row)) & (i == np.int64(column))
                is_told &= abs(defocus[BEHIND, row, column] - background) <= tolerance
                # In the place of what is not told, which may be anything, stands a sample that counts nothing.
                weight = _STENCIL_WEIGHTS[m + _STENCIL, n + _STENCIL] * np.float32(is_told)
                row, column = row if is_told else np.uint64(at_y), column if is_told else np.uint64(at_x)
                total += weight
                far += weight * defocus[BEHIND, row, column]
                red += weight * light[BEHIND, row, column, 0]
                green += weight * light[BEHIND, row, column, 1]
                blue += weight * light[BEHIND, row, column, 2]
        if total == 0:  # no point of the stencil lies on the background: take the nearest of it
            total, far = np.float32(1), defocus[BEHIND, at_y, at_x]
            red, green, blue = light[BEHIND, at_y, at_x, 0], light[BEHIND, at_y, at_x, 1], light[BEHIND, at_y, at_x, 2]
        red, green, blue, far = red / total, green / total, blue / total, far / total
        share = known[y, x] if known.shape[0] > 0 else np.float32(0)
        if share > 0 and defocus[FRONT, y, x] - seen_defocus[y, x] > STEP_PX:
            red += share * (seen_light[y, x, 0] - red)
            green += share * (seen_light[y, x, 1] - green)
            blue += share * (seen_light[y, x, 2] - blue)
            far += share * (seen_defocus[y, x] - far)
        kind[y, x] |= HIDDEN
        light[BEHIND, y, x, 0], light[BEHIND, y, x, 1], light[BEHIND, y, x, 2] = red, green, blue
        light[BEHIND, y, x, 3] = 1
        defocus[BEHIND, y, x] = far


@compiled(nogil=True)
def show_seen_beside(rows, seen, light, defocus, kind, level):
    """Put what other frames saw in the place of the background that was told from mixed pixels of one row of blocks.

    Colours around tell the background of a mixed pixel only roughly; where it is sharp and the foreground is not, what
    they miss shows as a dot of the foreground's colour. Both parts still add up to the pixel.

    Args:
        rows: index of the row of blocks.
        seen: see ``fill_ring``.
        light, defocus, kind, level: see above; ``PATCH`` and ``BEHIND`` are changed.
    """
    seen_light, seen_defocus, known = seen
    height, width = kind.shape
    for y in range(rows * BLOCK, min((rows + 1) * BLOCK, height)):
        for x in range(width):
            if level[y, x] != 1 or not kind[y, x] & SPLIT or known[y, x] <= 0:
                continue
            step = defocus[PATCH, y, x] - defocus[BEHIND, y, x]
            tolerance = max(np.float32(STEP_PX), np.float32(_SAME_SURFACE) * step)
            if step <= np.float32(STEP_PX) or abs(seen_defocus[y, x] - defocus[BEHIND, y, x]) > tolerance:
                continue
            share = light[PATCH, y, x, 3]
            least = share
            for c in range(3):
                behind = light[BEHIND, y, x, c]
                whole = light[PATCH, y, x, c] + (1 - share) * behind
                behind += known[y, x] * (seen_light[y, x, c] - behind)
                # Else the foreground were no colour: below black, or brighter than white.
                if whole < behind:
                    least = max(least, 1 - whole / behind)
                elif whole <= _STILL_WHITE and min(whole, np.float32(1)) > behind:
                    least = max(least, (min(whole, np.float32(1)) - behind) / (1 - behind))
            least = min(least, max(np.float32(_MOST_HIDDEN), share))
            for c in range(3):
                behind = light[BEHIND, y, x, c]
                whole = light[PATCH, y, x, c] + (1 - share) * behind
                behind = min(behind + known[y, x] * (seen_light[y, x, c] - behind), whole / (1 - least))
                light[BEHIND, y, x, c] = behind
                light[PATCH, y, x, c] = whole - (1 - least) * behind
            light[PATCH, y, x, 3] = least


@compiled(nogil=True)
def light_of_seen(rows, pixels, disparity, known, focus_disparity, scale, decode_table, highlights, light, defocus):
    """Decode what other frames saw of one row of blocks; arguments as for ``prepare``.

    Args:
        known: ``(H, W)``; nothing is written where it is 0.
        light: ``(H, W, 3)``, written.
        defocus: ``(H, W)``, written.
    """
    height, width = known.shape
    cells = decode_table.shape[0] - 1
    gain, threshold = highlights
    for y in range(rows * BLOCK, min((rows + 1) * BLOCK, height)):
        for x in range(width):
            if known[y, x] <= 0:
                continue
            defocus[y, x] = scale * (disparity[y, x] - focus_disparity)
            largest = np.float32(0)
            for c in range(3):
                code = pixels[c, y, x]
                largest = max(largest, code)
                light[y, x, c] = _decoded(code, decode_table) if cells > 0 else code
            if gain > 0 and largest > threshold:
                factor = raised(largest, gain * spread(abs(defocus[y, x])), threshold)
                for c in range(3):
                    light[y, x, c] *= factor


@compiled(nogil=True, inline="always")
def _decoded(code, decode_table):
    cells = decode_table.shape[0] - 1
    at = min(max(code, np.float32(0)), np.float32(1)) * np.float32(cells)
    cell = min(int(at), cells - 1)
    below = decode_table[cell]
    return below + (decode_table[cell + 1] - below) * (at - np.float32(cell))
