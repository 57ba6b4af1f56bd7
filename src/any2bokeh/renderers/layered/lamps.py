"""Lamps: samples so much brighter than their surroundings that one sees the shape of their discs.

Bins know how much of the aperture is left for what lies behind, not which part: a disc behind a leaf would be dimmed by
the leaf's average instead of cut by its edge. What a lamp has more than its surroundings is therefore taken out of its
sample, and visibility is traced across the aperture: a ray from q to q + defocus * u passes a surface of defocus d at
q + (defocus - d) * u. Lamps are few, so every ray starts at a lamp. And one lamp is a pinhole: instead of marching each
ray, each nearer sample around is projected through the lamp onto the lamp's disc, on which it covers a square. That
costs one look a sample, however many rays pass.

How much a sample has of a lamp, and whether the lamp is among those that can be afforded, changes smoothly with
brightness and blur, so that nothing jumps from frame to frame.

Source: Lee, Eisemann and Seidel, "Real-Time Lens Blur Effects and Focus Control", SIGGRAPH 2010, section 4.
"""

import numpy as np
from numpy.typing import NDArray

from any2bokeh.compiled import compiled
from any2bokeh.optics.radii import radius_index
from any2bokeh.optics.vignetting import FINE_UP_TO_PX, cut, fine_row_opening, row_opening
from any2bokeh.renderers.layered.bins import depth_bin
from any2bokeh.renderers.layered.blocks import BLOCK
from any2bokeh.renderers.layered.layers import BEHIND, FRONT, HIDDEN, PATCH, SPLIT, STEP_PX
from any2bokeh.renderers.layered.rows import CUT
from any2bokeh.renderers.layered.surroundings import TIMES_SURROUNDINGS, brightness, least_to_shine, surroundings_at

IN_FOCUS_PX = 0.5
"""A surface of less defocus is in focus."""

LEAST_VISIBLE = 1e-3
"""A lamp of which less than this passes at a pixel does not show there."""

_BLURRED_PX = np.float32(1.5), np.float32(2.5)  # radii between which a lamp comes to be followed
_LEAST_BRIGHTNESS = 5e-4  # of a disc, in linear light: a code of 8 bits where it is dark is 3e-4
_ALIKE = 0.01  # of the distance from a lamp: samples that differ by less are cast as one
_MOST_LOOKS = 2.5e6  # a frame, at samples and pixels of discs: some 30 ms on one core

Lamps = tuple[NDArray[np.int32], NDArray[np.float32]]
"""``(N, 3)`` layer, row and column; ``(N, 3)`` light, taken out of the samples."""


def no_lamps() -> Lamps:
    return np.empty((0, 3), np.int32), np.empty((0, 3), np.float32)


@compiled(nogil=True)
def find_lamps(rows, hidden, light, defocus, kind, block_high, nearest, brightest, surroundings):
    """The lamps of one row of blocks before which there is a nearer surface that may cut them.

    Args:
        rows: index of the row of blocks.
        hidden: whether those among hidden background are wanted, or those that are seen.
        light, defocus, kind: of the layered depth image.
        block_high: ``(rows, columns)`` of blocks: largest defocus.
        nearest: the largest of all.
        brightest, surroundings: the same; see ``surroundings.py``.

    Returns:
        ``(N, 3)`` layer, row and column; ``(N, 3)`` the light that they have more than their surroundings; and
        ``(N,)`` the looks that it takes to follow them.
    """
    height, width = kind.shape
    where, more, looks = np.empty((64, 3), np.int32), np.empty((64, 3), np.float32), np.empty(64, np.float32)
    count = 0
    for block in range(block_high.shape[1]):
        least_around = least_to_shine(surroundings, rows, block)
        if not hidden and brightest[rows, block] <= least_around:
            continue
        for y in range(rows * BLOCK, min((rows + 1) * BLOCK, height)):
            for x in range(block * BLOCK, min((block + 1) * BLOCK, width)):
                if hidden and not kind[y, x] & HIDDEN:
                    continue
                layer = BEHIND if hidden or kind[y, x] & SPLIT else FRONT
                bright = brightness(light[layer], y, x)
                if bright <= least_around:
                    continue
                own = defocus[layer, y, x]
                bound = np.float32(TIMES_SURROUNDINGS) * surroundings_at(surroundings, y, x)
                bound += np.float32(_LEAST_BRIGHTNESS * np.pi) * own * own
                if bright <= bound or abs(own) <= _BLURRED_PX[0]:
                    continue
                cost = _looks(block_high, nearest, y, x, own)
                if cost > 0:
                    if count == looks.shape[0]:
                        where, more = np.concatenate((where, where)), np.concatenate((more, more))
                        looks = np.concatenate((looks, looks))
                    share = min((abs(own) - _BLURRED_PX[0]) / (_BLURRED_PX[1] - _BLURRED_PX[0]), np.float32(1))
                    share *= 1 - bound / bright
                    where[count, 0], where[count, 1], where[count, 2] = layer, y, x
                    for c in range(3):
                        more[count, c] = light[layer, y, x, c] * share
                    looks[count] = cost + np.float32(np.pi) * own * own
                    count += 1
    return where[:count], more[:count], looks[:count]


@compiled(nogil=True)
def _looks(block_high, nearest, y, x, own):
    """How many samples lie in blocks that may cut a sample's disc; 0 where none does."""
    away = int(nearest - own + 1) // BLOCK + 1
    row, column = y // BLOCK, x // BLOCK
    looks = 0
    for j in range(max(row - away, 0), min(row + away + 1, block_high.shape[0])):
        for i in range(max(column - away, 0), min(column + away + 1, block_high.shape[1])):
            if _may_cut(block_high[j, i] - own, j, i, y, x):
                looks += BLOCK * BLOCK
    return looks


@compiled(nogil=True, inline="always")
def _may_cut(apart, row, column, y, x):
    """Whether a block, ``apart`` nearer at most, is no farther from (y, x) than the two shift across the aperture."""
    apart_y = max(row * BLOCK - y, y - row * BLOCK - BLOCK + 1, 0)
    apart_x = max(column * BLOCK - x, x - column * BLOCK - BLOCK + 1, 0)
    return apart > STEP_PX and apart_y * apart_y + apart_x * apart_x <= (apart + 1) * (apart + 1)


def affordable(
    more: NDArray[np.float32], looks: NDArray[np.float32], radius_px: NDArray[np.float32]
) -> NDArray[np.float32]:
    """How much of each lamp is followed, so that all can be in bounded time: 1 for the brightest, less and less below.

    Args:
        more: ``(N, 3)`` light.
        looks: ``(N,)`` what it costs to follow each.
        radius_px: ``(N,)`` of their discs.

    Returns:
        ``(N,)`` float32 in [0, 1].
    """
    if looks.sum() <= _MOST_LOOKS:
        return np.ones(len(looks), np.float32)
    bright = more.max(axis=1) / radius_px**2  # of the disc: what is seen
    low, high = 0.0, float(bright.max())
    # A lamp counts fully from the level on and in part from half of it: the level moves smoothly with every lamp, and
    # what is above it never costs more than can be afforded.
    for _ in range(40):
        level = (low + high) / 2
        counted = (looks * np.clip(2 * bright / level - 1, 0, 1)).sum()
        low, high = (level, high) if counted > _MOST_LOOKS else (low, level)
    return np.clip(bright / high - 1, 0, 1).astype(np.float32)


def take_out(lamps: Lamps, light: NDArray[np.float32]) -> None:
    """Leave of each lamp's sample what is like its surroundings."""
    where, more = lamps
    light[where[:, 0], where[:, 1], where[:, 2], :3] -= more


def give_back(lamps: Lamps, share: NDArray[np.float32], light: NDArray[np.float32]) -> Lamps:
    """The lamps with this share of their light; their samples have the rest again."""
    where, more = lamps
    rest = more * (1 - share[:, None])
    np.add.at(light[..., :3], tuple(where.T), rest)  # a sample may have been found twice
    kept = share > 0
    return where[kept], (more - rest)[kept].astype(np.float32)


def glow_of(window, samples, rows, shift_px, focus_px):
    """The light of all lamps that falls on one tile, after what is in front of it; arguments as for ``_shine``.

    Args:
        focus_px: up to this radius a lamp is in focus; below 0: the picture is not taken apart.

    Returns:
        ``(parts, height, width, 3)`` linear light of what is near, in focus and far, or of all; no parts where none
        falls.
    """
    if len(samples.lamps[0]) == 0:
        return np.zeros((0, 0, 0, 3), np.float32)
    return _glow_of(window, samples, rows, shift_px, focus_px, 2 * int(samples.block_reach.max()) + 16)


@compiled(nogil=True, fastmath=True)
def _glow_of(window, samples, rows, shift_px, focus_px, across):
    top, bottom, left, right = window
    glow = np.zeros((0, 0, 0, 3), np.float32)
    count = samples.lamps[0].shape[0]
    line = np.empty(across, np.float32)
    shadow = np.empty((min(bottom - top, across), across), np.float32)
    nearest_far, farthest_near = depth_bin(-focus_px), depth_bin(focus_px)
    for number in range(count):
        where = samples.lamps[0][number]
        own = samples.defocus[where[0], where[1], where[2]]
        away = np.int64(abs(own + shift_px) + np.float32(2.5))
        if where[1] + away < top or where[1] - away >= bottom or where[2] + away < left or where[2] - away >= right:
            continue
        if glow.shape[0] == 0:
            glow = np.zeros((1 if focus_px < 0 else 3, bottom - top, right - left, 3), np.float32)
        bin_ = depth_bin(own)
        part = 0 if focus_px < 0 or bin_ > farthest_near else 2 if bin_ < nearest_far else 1
        _shine(number, window, samples, rows, shift_px, part, line, shadow, glow)
    return glow


@compiled(nogil=True, fastmath=True)
def _shine(number, window, samples, rows, shift_px, part, line, shadow, glow):
    """Add the disc of a lamp to what falls on one tile.

    Args:
        number: of the lamp.
        window: first and last row and column of the tile, the ends exclusive.
        samples: of the layered depth image.
        rows: of the shape; see ``rows.py``.
        shift_px: added to the defocus of the lamp, not to that of what it passes: both shift alike.
        part: of the picture that the lamp belongs to.
        line: room for a row of the shape.
        shadow: room for what is cut off it.
        glow: ``(parts, height, width, 3)`` of the tile, linear light; added to.
    """
    where, more = samples.lamps
    mode, first, reach, inverse_area, row_first, places, heights, _, _, vignetting, kept = rows
    layer, y, x = where[number, 0], where[number, 1], where[number, 2]
    own = samples.defocus[layer, y, x]
    signed = own + shift_px
    bin_ = depth_bin(own)
    index = radius_index(abs(signed))
    side = 1 if signed > 0 else 0
    top, bottom, left, right = window
    across = np.int64(abs(signed) + np.float32(2.5))
    first_row, last_row = max(y - reach[index], top), min(y + reach[index], bottom - 1)
    first_x, last_x = max(x - across, left), min(x + across, right - 1)
    if first_row > last_row or first_x > last_x:
        return
    _cast((first_row, last_row, first_x, last_x), samples, y, x, own, signed, shadow)
    opening = cut(vignetting, kept, signed if mode == CUT else np.float32(0), np.int64(y), np.int64(x))
    conserve = inverse_area[side, index]
    if mode == CUT:
        conserve /= opening[0]
    for row in range(first_row, last_row + 1):
        at = first[side, index] + reach[index] + row - y
        line[: 2 * across + 3] = 0
        low, high, share = np.float32(-np.inf), np.float32(np.inf), np.float32(1)
        if mode == CUT:
            if abs(signed) < FINE_UP_TO_PX:
                low, high, share = fine_row_opening(opening, np.float32(row - y))
            else:
                low, high = row_opening(opening, np.float32(row - y))
            low, high = low + np.float32(0.5), high + np.float32(0.5)
        if high > low:
            for step in range(row_first[at], row_first[at + 1]):
                place = min(max(places[step], low), high)
                cell = np.floor(place)
                after = (place - cell) * heights[step] * share
                column = min(max(np.int64(cell) + across, 0), 2 * across + 1)
                line[column] += heights[step] * share - after
                line[column + 1] += after
        level = np.float32(0)
        for column in range(x - across, last_x + 1):
            level += line[column - x + across]
            if column < first_x or level <= np.float32(1e-6) or bin_ < samples.backstop[row, column]:
                continue
            passing = 1 - shadow[row - first_row, column - first_x]
            if passing > np.float32(LEAST_VISIBLE):
                passing *= level * conserve
                for c in range(3):
                    glow[part, row - top, column - left, c] += passing * more[number, c]


@compiled(nogil=True, fastmath=True)
def _cast(window, samples, y, x, own, signed, shadow):
    """Project what is nearer than a lamp onto the lamp's disc.

    Args:
        window: first and last row and column of the disc that are wanted.
        samples: of the layered depth image.
        y, x: of the lamp.
        own: its defocus.
        signed: the same in the channel that is rendered: by this a point of the aperture is met on the disc.
        shadow: written: how much of each pixel of the window is covered, from 0 up.
    """
    first_row, last_row, first_x, last_x = window
    for j in range(last_row - first_row + 1):
        shadow[j, : last_x - first_x + 1] = 0
    block_high, (height, width) = samples.block_high, samples.kind.shape
    away = np.int64(samples.nearest_px - own + 1) // BLOCK + 1
    # A square lies in the window only if its sample does, seen from the lamp at one distance or another.
    side = np.float32(-1) if signed > 0 else np.float32(1)
    upper = min(side * np.float32(first_row - y), side * np.float32(last_row - y)) - 1
    lower = max(side * np.float32(first_row - y), side * np.float32(last_row - y)) + 1
    least = np.float32(STEP_PX) / max(abs(signed), np.float32(STEP_PX))
    for j in range(max(y // BLOCK - away, 0), min(y // BLOCK + away + 1, block_high.shape[0])):
        for i in range(max(x // BLOCK - away, 0), min(x // BLOCK + away + 1, block_high.shape[1])):
            most = block_high[j, i] - own
            if not _may_cut(most, j, i, y, x):
                continue
            # A lamp among hidden background may have come to lie in the focal plane since it was found.
            reach, larger = most + 1, max(most / max(abs(signed), np.float32(1e-6)), np.float32(1))
            first_y = y + np.int64(np.floor(max(min(upper * larger, upper * least) - 1, -reach)))
            last_y = y + np.int64(np.ceil(min(max(lower * larger, lower * least) + 1, reach))) + 1
            first_y, last_y = max(j * BLOCK, first_y), min((j + 1) * BLOCK, height, last_y)
            for near_y in range(first_y, last_y):
                down = np.float32(near_y - y)
                wide = np.int64(np.sqrt(max(reach * reach - down * down, np.float32(0)))) + 1
                first_x, last_x = max(i * BLOCK, x - wide), min((i + 1) * BLOCK, width, x + wide + 1)
                if first_x < last_x:
                    _cast_row(samples, near_y, first_x, last_x, y, x, own, signed, window, shadow)


@compiled(nogil=True, fastmath=True)
def _cast_row(samples, near_y, first_x, last_x, y, x, own, signed, window, shadow):
    """Project a part of a row of samples; neighbours that are as near as one another go as one."""
    defocus, kind, light = samples.defocus, samples.kind, samples.light
    down = np.float32(near_y - y)
    begin, of_run = first_x, np.float32(0)
    for near_x in range(first_x, last_x):
        what, apart = kind[near_y, near_x], np.float32(0)
        if not what & SPLIT:
            apart = _apart(defocus[FRONT, near_y, near_x], own)
        if abs(apart - of_run) > np.float32(_ALIKE) * of_run:
            if of_run > 0:
                _cover(down, begin - x, near_x - 1 - x, -signed / of_run, np.float32(1), y, x, window, shadow)
            begin, of_run = near_x, apart
        if what & SPLIT:
            apart = _apart(defocus[PATCH, near_y, near_x], own)
            if apart > 0:
                alpha = light[PATCH, near_y, near_x, 3]
                _cover(down, near_x - x, near_x - x, -signed / apart, alpha, y, x, window, shadow)
        if what & HIDDEN:
            apart = _apart(defocus[BEHIND, near_y, near_x], own)
            if apart > 0:
                _cover(down, near_x - x, near_x - x, -signed / apart, np.float32(1), y, x, window, shadow)
    if of_run > 0:
        _cover(down, begin - x, last_x - 1 - x, -signed / of_run, np.float32(1), y, x, window, shadow)


@compiled(nogil=True, fastmath=True, inline="always")
def _apart(near, own):
    """By how much a surface is nearer than a lamp, as far as it cuts it; 0 where it does not."""
    apart = (np.float32(0) if abs(near) < np.float32(IN_FOCUS_PX) else near) - own
    return apart if apart > np.float32(STEP_PX) else np.float32(0)


@compiled(nogil=True, fastmath=True)
def _cover(down, first, last, scale, alpha, y, x, window, shadow):
    """Cover what samples take on the disc, ``scale`` times as large: those of a row, ``down`` from the lamp's, from
    ``first`` to ``last`` beside it."""
    first_row, last_row, first_x, last_x = window
    # Whole numbers are borders of pixels.
    one, other = scale * (down - np.float32(0.5)), scale * (down + np.float32(0.5))
    upper, lower = np.float32(y + 0.5) + min(one, other), np.float32(y + 0.5) + max(one, other)
    one, other = scale * (np.float32(first) - np.float32(0.5)), scale * (np.float32(last) + np.float32(0.5))
    before, after = np.float32(x + 0.5) + min(one, other), np.float32(x + 0.5) + max(one, other)
    if lower <= first_row or upper >= last_row + 1 or after <= first_x or before >= last_x + 1:
        return
    left, right = max(np.int64(np.floor(before)), first_x), min(np.int64(np.ceil(after)), last_x + 1)
    for row in range(max(np.int64(np.floor(upper)), first_row), min(np.int64(np.ceil(lower)), last_row + 1)):
        tall = alpha * (min(lower, np.float32(row + 1)) - max(upper, np.float32(row)))
        for column in range(left, right):
            wide = min(after, np.float32(column + 1)) - max(before, np.float32(column))
            shadow[row - first_row, column - first_x] += tall * wide
