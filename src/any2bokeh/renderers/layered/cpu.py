"""The fast path of the layered engine on the CPU.

Every sample of the layered depth image spreads its light over the aperture's shape, scaled by its circle of
confusion. A shape is written as the steps of its rows, differences that a running sum along the row turns into
filled spans, so that the cost grows with the radius and not with the area. Samples are kept apart by bins of defocus;
each bin sums to a picture premultiplied by its coverage of the aperture. A pixel then takes the bins front to back,
adding coverage until the aperture is full: parts of one continuous surface add up to full coverage without a seam,
and what lies behind gets only what is left over.

``reference.py`` is the slow twin.
"""

import numpy as np

from any2bokeh.compiled import compiled
from any2bokeh.optics.radii import radius_index
from any2bokeh.optics.vignetting import FINE_UP_TO_PX, cut, fine_row_opening, row_opening
from any2bokeh.renderers.layered.bins import BIN_COUNT, FOCUS_BIN, bin_table, bins_away
from any2bokeh.renderers.layered.blocks import BLOCK
from any2bokeh.renderers.layered.border import repeated
from any2bokeh.renderers.layered.lamps import glow_of
from any2bokeh.renderers.layered.layers import BEHIND, FRONT, HIDDEN, PATCH, SPLIT
from any2bokeh.renderers.layered.rows import CUT, PLAIN
from any2bokeh.renderers.layered.simd import (
    LANES,
    add_rows,
    add_run,
    add_two_pairs,
    add_two_pixels,
    prefetch,
    scale_pixels,
    take_bin,
)

TILE_HEIGHT = 64
TILE_WIDTH = 256

LEAST_COVERAGE = 1e-4
"""Coverage below this is rounding left over by the running sums."""

LEAST_TO_FILL = 0.1
"""Coverage by what is in front of a pixel's backstop, from which on that is brought to full coverage."""

UNTOUCHED = 2.0
"""Stands for a coverage that only the pixel itself, in focus, contributes to."""

ROW_PIXELS = TILE_WIDTH + BLOCK + 4
"""Of the sums: a row of neighbouring samples may run over the tile's right border."""

SLOT_PIXELS = TILE_HEIGHT * ROW_PIXELS


_RUN_FLOATS = 4 * (BLOCK + 2) + 2 * LANES


def new_accumulator(slots: int):
    """Zeroed sums for ``slots`` bins of one tile. Tiles leave it zeroed."""
    return np.zeros(slots * SLOT_PIXELS * 4, np.float32)


def render_tile(tile, source, samples, rows, transfer, channel, shift_px, accumulator, result):
    """Render one tile of ``TILE_HEIGHT`` x ``TILE_WIDTH`` pixels.

    Args:
        tile: index of the tile, in rows from the top left.
        source: ``(3, H, W)`` code values of the all-in-focus frame. What is in focus and not covered stays as it is.
        samples: of the layered depth image; see ``layered_image.Samples``.
        rows: of the shape; see ``rows.py``.
        transfer: ``(encode_table, peak)``: code values at evenly spaced square roots of light up to ``peak``;
            an empty table: light is written as it is.
        channel: -1 for the picture, or the one channel that is rendered.
        shift_px: added to the defocus of every sample; 0 for the picture.
        accumulator: from :func:`new_accumulator`, with a slot for every bin that occurs in the frame.
        result: ``(3, H, W)`` code values; the tile's part is written.
    """
    # Not one kernel: a run compiles only what it comes to.
    window, slot_of_bin, extents = sum_tile(tile, samples, rows, channel, shift_px, accumulator)
    glow = glow_of(window, samples, rows, shift_px, np.float32(-1))
    if channel < 0:
        _compose(window, source, samples, glow, slot_of_bin, extents, accumulator, transfer, result)
    else:
        _compose_channel(window, channel, samples.backstop, glow, slot_of_bin, extents, accumulator, transfer, result)


def sum_tile(tile, samples, rows, channel, shift_px, accumulator):
    """Add the shapes of all samples that reach a tile to the sums of their bins; arguments as for ``render_tile``.

    Returns:
        ``(window, slot_of_bin, extents)``: the tile's first and last row and column in the frame, the ends exclusive;
        the slot of each bin, or -1; and what each slot touches.
    """
    widest_px = int(np.ceil(samples.block_reach.max())) + 1
    return _sum_tile(tile, samples, rows, channel, shift_px, widest_px, bin_table(), accumulator)


@compiled(nogil=True, fastmath=True)
def _sum_tile(tile, samples, rows, channel, shift_px, widest, table, accumulator):
    block_reach = samples.block_reach
    first_row, end_row, first_column, end_column = samples.window
    tiles_across = (end_column - first_column + TILE_WIDTH - 1) // TILE_WIDTH
    top = first_row + tile // tiles_across * TILE_HEIGHT
    left = first_column + tile % tiles_across * TILE_WIDTH
    bottom, right = min(top + TILE_HEIGHT, end_row), min(left + TILE_WIDTH, end_column)
    window = (top, bottom, left, right)
    slot_of_bin = np.full(BIN_COUNT, -1, np.int32)
    # Of a slot: first and last row, first and last column that it touches, in the tile; and the end of what it wrote.
    extents = np.empty((BIN_COUNT, 5), np.int32)
    slots = np.int64(0)  # not a literal, for which _splat would be compiled once more
    room = np.zeros(2 * _RUN_FLOATS, np.float32), np.empty(BLOCK + 1, np.int32)
    last_block_row, last_block = block_reach.shape[0] - 1, block_reach.shape[1] - 1
    for block_row in range((top - widest) // BLOCK, (bottom + widest - 1) // BLOCK + 1):
        for block in range((left - widest) // BLOCK, (right + widest - 1) // BLOCK + 1):
            # Beyond the frame its outermost pixels repeat, so that borders do not darken.
            reach_px = block_reach[min(max(block_row, 0), last_block_row), min(max(block, 0), last_block)]
            near = np.int64(reach_px) + 1
            first_y, last_y = max(block_row * BLOCK, top - near), min(block_row * BLOCK + BLOCK, bottom + near)
            first_x, last_x = max(block * BLOCK, left - near), min(block * BLOCK + BLOCK, right + near)
            if first_y < last_y and first_x < last_x:
                part = (first_y, last_y, first_x, last_x)
                slots = _splat(
                    part,
                    window,
                    samples,
                    rows,
                    channel,
                    shift_px,
                    table,
                    accumulator,
                    slot_of_bin,
                    extents,
                    room,
                    slots,
                )
    return window, slot_of_bin, extents


_NO_SAMPLE, _END = np.int32(-1), np.int32(-2)
"""In place of what ``_find_codes`` tells of a sample: there is none; the part ends."""


@compiled(nogil=True, fastmath=True, inline="always")
def _find_codes(hidden, y, first_x, last_x, kind, defocus, shift_px, table, codes):
    """Tell of each sample in a part of a row its radius, side, bin and layer, all in one number: neighbours of one
    number go as one. Returns whether there is hidden background."""
    width = kind.shape[1]
    found = np.uint8(0)
    for around_x in range(first_x, last_x):
        x = np.uint64(min(max(around_x, 0), width - 1))
        what = kind[y, x]
        found |= what
        at = np.uint64(around_x - first_x)
        if hidden == 1 and not what & HIDDEN:
            codes[at] = _NO_SAMPLE
            continue
        layer = np.uint64(BEHIND if hidden == 1 else PATCH if what & SPLIT else FRONT)
        own = defocus[layer, y, x]
        signed = own + shift_px
        index = np.int64(radius_index(abs(signed)))
        away = bins_away(abs(own), np.int64(radius_index(abs(own))) if shift_px != 0 else index, table)
        bin_ = FOCUS_BIN + away if own > 0 else FOCUS_BIN - away
        codes[at] = index << 11 | bin_ << 3 | np.int64(layer) << 1 | (1 if signed > 0 else 0)
    codes[np.uint64(last_x - first_x)] = _END
    return found & HIDDEN != 0


@compiled(nogil=True, fastmath=True)
def _splat(part, window, samples, rows, channel, shift_px, table, accumulator, slot_of_bin, extents, room, slots):
    """Add the shapes of all samples in a part of a block to the sums of their bins; slots in use then.

    Neighbours with the same shape go as one: a row of them is a row of colours, added where the shape begins and where
    it ends. What is seen goes first, hidden background after it.
    """
    light, defocus, kind = samples.light, samples.defocus, samples.kind
    surroundings = samples.surroundings
    # Unpacked once: what is passed on in tuples has its references counted at each call.
    mode, first, reach, inverse_area, row_first, places, heights, cells, shares, vignetting, kept = rows
    run, codes = room
    all_light, all_cells, all_shares = light.reshape(-1), cells.reshape(-1), shares.reshape(-1)
    lanes = 4 if channel < 0 else 2
    top, bottom, left, right = window
    first_y, last_y, first_x, last_x = part
    height, width = kind.shape
    width_here = right - left
    for around_y in range(first_y, last_y):
        y = np.uint64(min(max(around_y, 0), height - 1))
        hides = True
        for hidden in range(2):
            if not hides:
                break
            hides = _find_codes(hidden, y, first_x, last_x, kind, defocus, shift_px, table, codes)
            # Rows of a part lie far from one another: without this a fifth of the time went on waiting for memory.
            if hidden == 0:
                ahead = (np.int64(y) + 1) * width + first_x
                prefetch(kind, ahead)
                for _layer in range(3 if hides else 1):
                    prefetch(defocus, ahead)
                    for pixel in range(0, BLOCK, 4):
                        prefetch(light, 4 * (ahead + pixel))
                    ahead += height * width
            begin = first_x
            while begin < last_x:
                code = codes[np.uint64(begin - first_x)]
                end = begin + 1
                if code == _NO_SAMPLE:
                    begin = end
                    continue
                while codes[np.uint64(end - first_x)] == code and mode != CUT:
                    end += 1
                index, side = np.uint64(code >> 11), np.uint64(code & 1)
                layer, bin_ = np.uint64(code >> 1 & 3), np.uint64(code >> 3 & 255)
                x = np.uint64(min(max(begin, 0), width - 1))
                signed = defocus[layer, y, x] + shift_px
                rows_off = np.int64(reach[index])
                row_low, row_high = max(-rows_off, top - around_y), min(rows_off, bottom - 1 - around_y)
                across = np.int64(abs(signed) + np.float32(1.5))
                column, count = begin - left, end - begin
                column_low = max(column - across, 0)
                column_high = min(column + count + across, width_here)
                if row_low <= row_high and column_low < column_high:
                    slot = np.uint64(slot_of_bin[bin_])  # a surface is one surface in all its colours
                    if slot_of_bin[bin_] < 0:
                        slot = np.uint64(slots)
                        slots += 1
                        slot_of_bin[bin_] = slot
                        extents[slot, 0], extents[slot, 1] = TILE_HEIGHT, -1
                        extents[slot, 2], extents[slot, 3], extents[slot, 4] = TILE_WIDTH, -1, 0
                    extents[slot, 0] = min(extents[slot, 0], around_y + row_low - top)
                    extents[slot, 1] = max(extents[slot, 1], around_y + row_high - top)
                    extents[slot, 2] = min(extents[slot, 2], column_low)
                    extents[slot, 3] = max(extents[slot, 3], column_high)
                    wrote_to = min(max(column + count + across, 0) + 5, ROW_PIXELS)
                    extents[slot, 4] = max(extents[slot, 4], wrote_to)
                    # In front of the focal plane the image of the aperture is upside down and mirrored.
                    conserve = inverse_area[side, index]
                    if channel < 0 and around_y == y and begin >= 0 and end <= width:
                        scale_pixels(run, 4, all_light, ((layer * height + y) * width + begin) * 4, count, conserve)
                    else:
                        _gather(light, surroundings, layer, y, around_y, begin, end, width, channel, conserve, run)
                    line = (np.int64(slot) * SLOT_PIXELS + (around_y + row_low - top) * ROW_PIXELS) * lanes
                    at = np.uint64(first[side, index] + rows_off + row_low)
                    if mode == CUT:
                        opening = cut(vignetting, kept, signed, around_y, begin)
                        _add_cut(
                            row_low,
                            row_high,
                            line,
                            column,
                            width_here,
                            row_first,
                            places,
                            heights,
                            at,
                            opening,
                            abs(signed),
                            lanes,
                            run,
                            accumulator,
                        )
                    elif column >= across and column + across + 1 < width_here:
                        steps = (lanes * (count + 1) + LANES - 1) // LANES
                        if mode == PLAIN:
                            place, stride, many = line + lanes * column, ROW_PIXELS * lanes, row_high - row_low + 1
                            add_rows(accumulator, place, stride, run, lanes, steps, all_cells, all_shares, at, many)
                        else:
                            step = np.uint64(row_first[at])
                            for _row in range(row_low, row_high + 1):
                                at += np.uint64(1)
                                end_step = np.uint64(row_first[at])
                                while step < end_step:
                                    start = line + lanes * (column + cells[step, 0])
                                    add_run(accumulator, start, run, 0, lanes, steps, shares[step, 0], shares[step, 1])
                                    step += np.uint64(1)
                                line += ROW_PIXELS * lanes
                    else:
                        _add_clipped(
                            row_low,
                            row_high,
                            line,
                            column,
                            count,
                            width_here,
                            mode,
                            row_first,
                            cells,
                            shares,
                            at,
                            lanes,
                            run,
                            accumulator,
                        )
                begin = end
    return slots


@compiled(nogil=True, fastmath=True)
def _gather(light, surroundings, layer, y, around_y, begin, end, width, channel, conserve, run):
    """Write the colours and weights of neighbouring samples, over the area of their shape, to ``run``.

    They begin at its second pixel; there are zeros before and after them.
    """
    at = 4 if channel < 0 else 2
    for around_x in range(begin, end):
        x = min(max(around_x, 0), width - 1)
        share = conserve
        if around_y != y or around_x != x:  # repeated: neither lamps nor what is like them
            beyond_px = max(abs(around_y - y), abs(around_x - x))
            share = np.float32(share * repeated(light, layer, surroundings, y, x, beyond_px))
        weight = light[layer, y, x, 3] * conserve
        if channel < 0:
            run[at], run[at + 1] = light[layer, y, x, 0] * share, light[layer, y, x, 1] * share
            run[at + 2], run[at + 3] = light[layer, y, x, 2] * share, weight
            at += 4
        else:
            run[at], run[at + 1] = light[layer, y, x, channel] * share, weight
            at += 2
    for rest in range(at, at + LANES + 4):
        run[rest] = 0


@compiled(nogil=True, fastmath=True)
def _add_clipped(
    row_low, row_high, line, column, count, width_here, mode, row_first, cells, shares, at, lanes, run, accumulator
):
    """Add the rows of neighbouring shapes as far as the tile goes.

    Args:
        row_low, row_high: first and last row, from the samples'.
        line: where the first one stands in the sums.
        column, count: of the first sample, and how many there are.
        width_here: of the tile.
        mode, row_first, cells, shares: see ``rows.py``.
        at: the first row among all.
        lanes: of a pixel's sums.
        run: see ``_gather``.
        accumulator: the sums.
    """
    of_row = np.int64(at)
    # Sums of the colours of the first samples: what begins beyond the left border has stepped up before it.
    for place in range(lanes):
        run[_RUN_FLOATS + place] = 0
    for place in range(lanes, lanes * (count + 1)):
        run[_RUN_FLOATS + place] = run[_RUN_FLOATS + place - lanes] + run[place]
    for _row in range(row_low, row_high + 1):
        first_step, end_step = 2 * of_row, 2 * of_row + 2
        if mode != PLAIN:
            first_step, end_step = np.int64(row_first[of_row]), np.int64(row_first[of_row + 1])
        for step in range(first_step, end_step):
            if mode == PLAIN:
                side = step & 1
                start, up, after = column + cells[of_row, side], shares[of_row, 2 * side], shares[of_row, 2 * side + 1]
            else:
                start, up, after = column + cells[step, 0], shares[step, 0], shares[step, 1]
            if start >= width_here:
                continue
            over = min(max(-start, 0), count)
            if over > 0:
                before, last = _RUN_FLOATS + lanes * over, _RUN_FLOATS + lanes * (over - 1 if over < count else over)
                for lane in range(lanes):
                    accumulator[line + lane] += up * run[before + lane] + after * run[last + lane]
            if over < count:
                # The sample before the first of these has its second share here, too.
                left = (lanes * (count + 1 - over) + LANES - 1) // LANES
                add_run(accumulator, line + lanes * (start + over), run, lanes * over, lanes, left, up, after)
        of_row += 1
        line += ROW_PIXELS * lanes


@compiled(nogil=True, fastmath=True)
def _add_cut(
    row_low,
    row_high,
    line,
    column,
    width_here,
    row_first,
    places,
    heights,
    at,
    opening,
    radius_px,
    lanes,
    run,
    accumulator,
):
    """Add the rows of one shape that is cut. Arguments as for ``_add_clipped``.

    Args:
        places, heights: see ``rows.py``.
        opening: from ``vignetting.cut``.
        radius_px: of the shape.
    """
    whole = np.float32(1) / opening[0]
    red, green, blue, weight = run[lanes] * whole, run[lanes + 1] * whole, np.float32(0), run[2 * lanes - 1] * whole
    if lanes == 4:
        blue = run[6] * whole
    for row in range(row_low, row_high + 1):
        if radius_px < FINE_UP_TO_PX:
            low, high, share = fine_row_opening(opening, np.float32(row))
        else:
            low, high = row_opening(opening, np.float32(row))
            share = np.float32(1)
        low, high = low + np.float32(0.5), high + np.float32(0.5)
        step, end_step = np.uint64(row_first[at]), np.uint64(row_first[at + np.uint64(1)])
        while step < end_step and high > low:
            # What lies outside the opening is moved to its ends.
            place = min(max(places[step], low), high)
            cell = np.floor(place)
            up = heights[step] * share
            after = (place - cell) * up
            up -= after
            target = column + np.int64(cell)
            if target < 0:
                target, up, after = 0, up + after, np.float32(0)
            if target < width_here:
                if lanes == 4:
                    add_two_pixels(accumulator, line + 4 * target, red, green, blue, weight, up, after)
                else:
                    add_two_pairs(accumulator, line + 2 * target, red, weight, up, after)
            step += np.uint64(1)
        at += np.uint64(1)
        line += ROW_PIXELS * lanes


@compiled(nogil=True, fastmath=True, inline="always")
def share_taken(bin_, coverage, full, backstop):
    """Share of what a bin holds for a pixel that is seen: all of it as far as the aperture has room, 0 to 1.

    Args:
        bin_: bins are taken front to back.
        coverage: of the aperture, by the bin.
        full: coverage of what was taken before.
        backstop: of the pixel; see ``backstop.py``.
    """
    room = np.float32(1) - full
    if (
        coverage <= np.float32(LEAST_COVERAGE)
        or room <= np.float32(0)
        or (bin_ < backstop and full > np.float32(LEAST_TO_FILL))
    ):
        return np.float32(0)
    return np.float32(1) if coverage <= room else room / coverage


@compiled(nogil=True, fastmath=True)
def _compose(window, source, samples, glow, slot_of_bin, extents, accumulator, transfer, result):
    """Sum up the differences, take the bins front to back until the aperture is full, encode; zero the sums."""
    top, bottom, left, right = window
    encode_table, peak = transfer
    backstop = samples.backstop
    cells = encode_table.shape[0] - 1
    picture = np.empty((TILE_WIDTH, 4), np.float32)
    all_picture = picture.reshape(-1)
    for y in range(bottom - top):
        picture[:] = 0
        for bin_ in range(BIN_COUNT - 1, -1, -1):
            slot = slot_of_bin[bin_]
            if slot < 0 or y < extents[slot, 0] or y > extents[slot, 1]:
                continue
            first, end = np.int64(extents[slot, 2]), np.int64(min(extents[slot, 3] + 1, right - left))
            begin = np.int64(slot) * SLOT_PIXELS * 4 + y * ROW_PIXELS * 4
            if bin_ == FOCUS_BIN:
                _take_focus(accumulator, begin, first, end, picture, backstop[top + y, left:right])
            elif first < end:
                take_bin(
                    accumulator,
                    begin + 4 * first,
                    end - first,
                    all_picture,
                    backstop[top + y, left:right],
                    first,
                    bin_,
                    np.float32(LEAST_COVERAGE),
                    np.float32(LEAST_TO_FILL),
                )
            accumulator[begin + 4 * end : begin + 4 * extents[slot, 4]] = 0
        if glow.shape[0]:
            _add_glow(glow[0, y], samples.light[FRONT, top + y, left:right], picture)
        for c in range(3):
            for x in range(right - left):
                if picture[x, 3] == np.float32(UNTOUCHED):
                    result[c, top + y, left + x] = source[c, top + y, left + x]
                    continue
                value = max(picture[x, c] / max(picture[x, 3], np.float32(LEAST_COVERAGE)), np.float32(0))
                result[c, top + y, left + x] = _encoded(value, encode_table, peak) if cells > 0 else value


@compiled(nogil=True, fastmath=True)
def _take_focus(accumulator, begin, first, end, picture, backstop):
    """``take_bin`` of what is in focus: a pixel that nothing covers but itself is ``UNTOUCHED``."""
    red, green, blue, coverage = np.float32(0), np.float32(0), np.float32(0), np.float32(0)
    for x in range(first, end):
        at = np.uint64(begin + 4 * x)
        red += accumulator[at]
        green += accumulator[at + np.uint64(1)]
        blue += accumulator[at + np.uint64(2)]
        coverage += accumulator[at + np.uint64(3)]
        for lane in range(4):
            accumulator[at + np.uint64(lane)] = 0
        if picture[x, 3] == 0 and coverage > np.float32(1 - LEAST_COVERAGE):
            picture[x, 3] = UNTOUCHED
            continue
        part = share_taken(FOCUS_BIN, coverage, picture[x, 3], backstop[x])
        if part > 0:
            picture[x, 0] += part * red
            picture[x, 1] += part * green
            picture[x, 2] += part * blue
            picture[x, 3] += part * coverage


@compiled(nogil=True, fastmath=True)
def _add_glow(glow, front, picture):
    """Add the light of lamps, ``(W, 3)``, to a row of the picture, brought to full coverage where any falls."""
    for x in range(glow.shape[0]):
        if max(glow[x, 0], glow[x, 1], glow[x, 2]) > 0:
            is_untouched, whole = picture[x, 3] == UNTOUCHED, max(picture[x, 3], np.float32(LEAST_COVERAGE))
            for c in range(3):
                picture[x, c] = (front[x, c] if is_untouched else picture[x, c] / whole) + glow[x, c]
            picture[x, 3] = 1


@compiled(nogil=True, fastmath=True, inline="always")
def _encoded(value, encode_table, peak):
    cells = encode_table.shape[0] - 1
    place = np.sqrt(min(value / peak, np.float32(1))) * np.float32(cells)
    cell = min(np.int64(place), cells - 1)
    below = encode_table[cell]
    return below + (encode_table[cell + 1] - below) * (place - np.float32(cell))


@compiled(nogil=True, fastmath=True)
def _compose_channel(window, channel, backstop, glow, slot_of_bin, extents, accumulator, transfer, result):
    """``_compose`` for one channel, of sums of pairs. What is in focus for one colour may not be for another, so
    nothing is taken from the source."""
    top, bottom, left, right = window
    encode_table, peak = transfer
    cells = encode_table.shape[0] - 1
    picture = np.empty((TILE_WIDTH, 2), np.float32)
    for y in range(bottom - top):
        picture[:] = 0
        for bin_ in range(BIN_COUNT - 1, -1, -1):
            slot = slot_of_bin[bin_]
            if slot < 0 or y < extents[slot, 0] or y > extents[slot, 1]:
                continue
            value, coverage = np.float32(0), np.float32(0)
            begin = (slot * SLOT_PIXELS + y * ROW_PIXELS + extents[slot, 2]) * 2
            at = begin
            for x in range(extents[slot, 2], min(extents[slot, 3] + 1, right - left)):
                value += accumulator[at]
                coverage += accumulator[at + 1]
                at += 2
                part = share_taken(bin_, coverage, picture[x, 1], backstop[top + y, left + x])
                if part > 0:
                    picture[x, 0] += part * value
                    picture[x, 1] += part * coverage
            accumulator[begin : (slot * SLOT_PIXELS + y * ROW_PIXELS + extents[slot, 4]) * 2] = 0
        for x in range(right - left):
            value = max(picture[x, 0] / max(picture[x, 1], np.float32(LEAST_COVERAGE)), np.float32(0))
            if glow.shape[0]:
                value += glow[0, y, x, channel]
            result[channel, top + y, left + x] = _encoded(value, encode_table, peak) if cells > 0 else value
