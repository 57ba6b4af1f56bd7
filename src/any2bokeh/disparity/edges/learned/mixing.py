"""Shares and colours of mixed pixels, as a network corrects those of the classical estimator."""

import cv2
import numpy as np
from numpy.typing import NDArray

from any2bokeh.compiled import compiled
from any2bokeh.disparity.edges.bands import EdgeBands
from any2bokeh.disparity.edges.classical import Steps
from any2bokeh.disparity.edges.colour import SIGMA2
from any2bokeh.disparity.edges.learned.cells import CELL_PX, PIXELS
from any2bokeh.disparity.edges.learned.mixed_clues import BASES, MixedClues, logit_of, write_base
from any2bokeh.disparity.edges.matte import code_of

MIXED_CORRECTIONS = 8
"""Numbers that the network gives for a pixel: corrections of the logit of the nearer surface's share, of that of how
much of what is left the nearer surface takes, and of the light of the nearer and of the farther surface."""

LEAST_SHARE = 0.02
"""Less is not worth a layer."""

MOST_SHARE = 0.8
"""The centre of the pixel is background."""


_AROUND_CELLS = 9  # side of the square over which changes are averaged
# Of a corrected pixel: share (0 = not mixed, -1 = left as it is), code values of the farther and nearer surface.
_PARTS = 7


def correct(
    bands: EdgeBands,
    step: Steps,
    picture: NDArray[np.float32],
    clues: MixedClues,
    found: NDArray[np.float32],
    least_change: float = 0.0,
) -> None:
    """Correct the shares and colours of mixed pixels in place; nothing is written where nothing is corrected.

    Where the classical estimator is nearly right, the network is as far off as it is, but elsewhere. So it is heard
    only where it has much to say.

    Args:
        bands: with the shares of the classical estimator; its planes are written to.
        step, picture, clues: of the frame; see ``MixedClues.of``.
        found: ``(N, 4, MIXED_CORRECTIONS)``: what the network gives for its cells.
        least_change: how far, in code values, the colours of farther surfaces must change around a pixel, in the mean,
            for it to change.
    """
    at, said = (clues.cells.at, found) if clues.cells.stride == 1 else _said_between(bands, picture, clues, found)
    parts = np.empty((len(at), PIXELS, _PARTS), np.float32)
    change = np.zeros((*clues.cells.grid.shape, 2), np.float32)
    split = (bands.alpha, bands.foreground, bands.background)
    _split(at, said, clues.is_open, clues.cells.stride, picture, clues.sums, split, parts, change)
    if least_change > 0:
        change = cv2.blur(change, (_AROUND_CELLS, _AROUND_CELLS))
    surfaces = (step.near, step.far)
    _write(
        at, parts, clues.cells.stride, change, np.float32(least_change), surfaces,
        bands.near, bands.far, *split,
    )  # fmt: skip


def _said_between(
    bands: EdgeBands, picture: NDArray[np.float32], clues: MixedClues, found: NDArray[np.float32]
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Cells of pixels that lie side by side, and what the network says of these; see ``Cells``."""
    holds = np.zeros(tuple(-(-side // CELL_PX) for side in clues.is_open.shape), np.bool_)
    _mark(clues.is_open, holds)
    at = np.argwhere(holds).astype(np.int32)
    said = np.zeros((len(at), PIXELS, MIXED_CORRECTIONS), np.float32)
    _interpolate(at, clues.cells.stride, clues.cells.grid, clues.is_open, picture, bands.alpha, found, said)
    return at, said


@compiled(nogil=True)
def _mark(is_open, holds):
    height, width = is_open.shape
    for y in range(height):
        for x in range(width):
            if is_open[y, x]:
                holds[y // CELL_PX, x // CELL_PX] = True


@compiled(nogil=True, fastmath=True, error_model="numpy")
def _interpolate(at, stride, grid, is_open, picture, alpha, found, said):
    """What is said of each pixel: the mean of the four around that the network has seen.

    One counts the more, the nearer it is and the more alike its colour. Of shares, the corrected ones are averaged: the
    classical estimator's differ from pixel to pixel.
    """
    height, width = is_open.shape
    one, per_stride, per_sigma = np.float32(1), np.float32(1 / stride), np.float32(1 / SIGMA2)
    for n in range(at.shape[0]):
        for pixel in range(PIXELS):
            y, x = CELL_PX * at[n, 0] + pixel // CELL_PX, CELL_PX * at[n, 1] + pixel % CELL_PX
            if y >= height or x >= width or not is_open[y, x]:
                continue
            above, left = y - y % stride, x - x % stride
            weights, mean = np.float32(0), said[n, pixel]
            for j in (above, above + stride):
                for i in (left, left + stride):
                    near_by = (one - abs(y - j) * per_stride) * (one - abs(x - i) * per_stride)
                    if near_by <= 0 or j >= height or i >= width or not is_open[j, i]:
                        continue
                    unlike = np.float32(0)
                    for c in range(3):
                        unlike += (picture[y, x, c] - picture[j, i, c]) ** 2
                    weight = near_by / (one + unlike * per_sigma)
                    weights += weight
                    row, column = j // stride, i // stride
                    of_cell = found[grid[row // CELL_PX, column // CELL_PX]]
                    here = of_cell[row % CELL_PX * CELL_PX + column % CELL_PX]
                    is_corrected = False
                    for c in range(MIXED_CORRECTIONS):
                        mean[c] += weight * here[c]
                        is_corrected |= here[c] != 0
                    if is_corrected:
                        mean[0] += weight * (logit_of(alpha[j, i]) - logit_of(alpha[y, x]))
            if weights > 0:
                for c in range(MIXED_CORRECTIONS):
                    mean[c] /= weights


@compiled(nogil=True, fastmath=True, error_model="numpy")
def _split(at, said, is_open, stride, picture, sums, split, parts, change):
    """Find share and light of each pixel that is corrected, and how much the code values around each cell change.

    What the two corrected colours leave of the pixel's light is given to them in parts that the network chooses: both
    add up to the pixel, and are light that a pixel can have.
    """
    alpha, _, background = split
    height, width = is_open.shape
    base = np.empty(BASES, np.float32)
    one, third = np.float32(1), np.float32(1 / 3)
    for n in range(at.shape[0]):
        for pixel in range(PIXELS):
            y, x = CELL_PX * at[n, 0] + pixel // CELL_PX, CELL_PX * at[n, 1] + pixel % CELL_PX
            part, correction = parts[n, pixel], said[n, pixel]
            part[0] = -1
            if y >= height or x >= width or not is_open[y, x]:
                continue
            sum_around = change[y // stride // CELL_PX, x // stride // CELL_PX]
            sum_around[1] += one
            is_corrected = False
            for c in range(MIXED_CORRECTIONS):
                is_corrected |= correction[c] != 0
            if not is_corrected:
                continue
            write_base(y, x, stride, picture, sums, split, base)
            cover = np.float32(one / (one + np.exp(-(base[0] + correction[0]))))
            cover = min(cover, np.float32(MOST_SHARE))
            part[0] = 0
            if cover >= np.float32(LEAST_SHARE):
                part[0] = cover
                rest = one - cover
                to_far = np.float32(one / (one + np.exp(correction[1])))
                for c in range(3):
                    here = base[1 + c]
                    fore, back = base[4 + c] + correction[2 + c], base[7 + c] + correction[5 + c]
                    light = back + to_far * (here - cover * fore - rest * back) / rest
                    light = min(max(light, (here - cover) / rest, np.float32(0)), here / rest, one)
                    part[1 + c] = code_of(light)
                    part[4 + c] = code_of((here - rest * light) / cover)
            for c in range(3):  # a pixel that is not mixed shows the farther surface
                before = background[c, y, x] if alpha[y, x] > 0 else picture[y, x, c]
                after = part[1 + c] if cover >= np.float32(LEAST_SHARE) else picture[y, x, c]
                sum_around[0] += abs(after - before) * third


@compiled(nogil=True, fastmath=True, error_model="numpy")
def _write(at, parts, stride, change, least, surfaces, near, far, alpha, foreground, background):
    """Write what has been found, where enough changes around."""
    step_near, step_far = surfaces
    for n in range(at.shape[0]):
        for pixel in range(PIXELS):
            part = parts[n, pixel]
            if part[0] < 0:
                continue
            y, x = CELL_PX * at[n, 0] + pixel // CELL_PX, CELL_PX * at[n, 1] + pixel % CELL_PX
            around = change[y // stride // CELL_PX, x // stride // CELL_PX]
            if around[0] < least * around[1]:
                continue
            cover = part[0]
            alpha[y, x] = cover
            if cover == 0:
                foreground[:, y, x] = 0
                background[:, y, x] = 0
                continue
            near[y, x], far[y, x] = step_near[y, x], step_far[y, x]
            for c in range(3):
                background[c, y, x], foreground[c, y, x] = part[1 + c], part[4 + c]
