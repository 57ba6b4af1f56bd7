"""What the network for mixed pixels is told of those beside the steps of a map, and what it corrects."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from any2bokeh.compiled import compiled
from any2bokeh.disparity.edges.bands import EdgeBands
from any2bokeh.disparity.edges.classical import Steps
from any2bokeh.disparity.edges.learned.cells import CELL_PX, PIXELS, Cells
from any2bokeh.disparity.edges.learned.clues import PURE_LOGIT
from any2bokeh.disparity.edges.matte import light_of

MIXED_CLUES = 18
"""Numbers that the network is told of a pixel; see ``_gather``."""

MIXED_REACH_PX = 4.6
"""How far from a step, on its far side, pixels may be mixed: hair that is too fine for the map lies so far off."""

BASES = 10
"""Numbers of what is corrected in a pixel: logit of the share, light of the pixel, and of both surfaces."""

WHITE = 255
"""Code value in ``MixedClues.ranges``."""

LEAST_STEP = 0.1
"""Of disparity: the light of mixed pixels beside lower steps lands in nearly the right blur in any case."""

LEAST_CONTRAST = 0.08
"""Of the mean code values of both surfaces around, as a length of three: below, their shares can hardly be seen."""

_BEYOND_PX = (
    8  # how far a third surface is looked for, behind both: a renderer has one layer for what is behind a pixel
)
_PURE_PX = 1.0  # nearer to a step no pixel is pure
_IMPURE_SAY = 0.05  # of such a pixel in the mean of its surface: it counts where there is no other
_AROUND_CELLS = 5  # side of the square whose colours are averaged
_LEAST_MIXED, _MOST_MIXED = 0.02, 0.98


@dataclass(frozen=True, slots=True, eq=False)
class MixedClues:
    """The mixed pixels of one frame as the network sees them.

    Attributes:
        cells: where the network looks: those with a pixel whose share may change.
        values: ``(N, 4 * MIXED_CLUES)`` float32: of the pixels of each cell, row by row.
        is_open: ``(H, W)`` bool: the far-side pixels whose share may change; without those that are not mixed by the
            classical split and have a third surface near by that lies behind both of theirs.
        sums: ``(2, rows, columns, 4)``: code values of the nearer and of the farther surface around each cell, summed,
            and the weights of these sums.
        ranges: ``(rows, columns, 12)`` uint8: code values (255 = white) around each cell: the least of the nearer
            surface, and what its most lacks of white; then those of the farther one. All are 255 where there is none.
    """

    cells: Cells
    values: NDArray[np.float32]
    is_open: NDArray[np.bool_]
    sums: NDArray[np.float32]
    ranges: NDArray[np.uint8]

    @classmethod
    def of(cls, picture: NDArray[np.float32], step: Steps, classical: EdgeBands) -> "MixedClues":
        """Those of a frame.

        Args:
            picture: ``(H, W, 3)`` code values of at most 1.
            step: the bands of its steps; they reach as far as ``MIXED_REACH_PX``.
            classical: with the shares of the classical estimator.
        """
        stride = step.stride
        height, width = (-(-side // (CELL_PX * stride)) for side in step.side.shape)
        sums = np.zeros((2, height, width, 4), np.float32)
        ranges = np.full((height, width, 12), WHITE, np.uint8)
        _weigh(picture, step.side, step.distance, stride, sums, ranges)
        for each in sums:
            cv2.blur(each, (_AROUND_CELLS, _AROUND_CELLS), each)
        around = np.ones((_AROUND_CELLS, _AROUND_CELLS), np.uint8)
        ranges = np.asarray(cv2.erode(ranges, around), np.uint8)
        is_open, grid = np.zeros(step.side.shape, np.bool_), np.full((height, width), -1, np.int32)
        surfaces = (step.side, step.distance, step.near, step.far)
        beyond = np.ones((2 * _BEYOND_PX + 1, 2 * _BEYOND_PX + 1), np.uint8)
        lowest = np.asarray(cv2.erode(step.disparity[::stride, ::stride], beyond), np.float32)
        _find_open(stride, picture, sums, surfaces, lowest, classical.alpha, is_open, grid)
        at = np.argwhere(grid >= 0).astype(np.int32)
        grid[at[:, 0], at[:, 1]] = np.arange(len(at), dtype=np.int32)
        values = np.zeros((len(at), PIXELS * MIXED_CLUES), np.float32)
        _gather(at, stride, picture, sums, surfaces, (classical.alpha, classical.background), is_open, values)
        return cls(Cells(grid, at, stride), values, is_open, sums, ranges)

    def bases(self, picture: NDArray[np.float32], classical: EdgeBands) -> NDArray[np.float32]:
        """``(H, W, BASES)``: logit of the classical share; the pixel's light; light of the nearer and of the farther
        surface, the classical ones where the pixel has a classical share, else the means around. 0 elsewhere."""
        bases = np.zeros((*self.is_open.shape, BASES), np.float32)
        split = (classical.alpha, classical.foreground, classical.background)
        _find_bases(self.is_open, self.cells.stride, picture, self.sums, split, bases)
        return bases


@compiled(nogil=True)
def _weigh(picture, side, distance, stride, sums, ranges):
    """Sum the colours of both surfaces in each cell, and find the least of them and, taken from white, the most."""
    height, width = side.shape
    one, white = np.float32(1), np.float32(WHITE)
    pure = np.float32(_PURE_PX * stride)
    for y in range(0, height, stride):
        for x in range(0, width, stride):
            if side[y, x] == 0:
                continue
            is_pure, is_near = distance[y, x] >= pure, side[y, x] > 0
            weight = np.float32(1) if is_pure else np.float32(_IMPURE_SAY)
            row, column = y // stride // CELL_PX, x // stride // CELL_PX
            at, known = sums[0 if is_near else 1, row, column], ranges[row, column]
            for c in range(3):
                at[c] += weight * picture[y, x, c]
            at[3] += weight
            if is_near or is_pure:  # on near sides hardly any light is of the other surface
                least, most = (0, 3) if is_near else (6, 9)
                for c in range(3):
                    code = min(max(picture[y, x, c], np.float32(0)), one)
                    known[least + c] = min(known[least + c], np.uint8(code * white))
                    known[most + c] = min(known[most + c], np.uint8((one - code) * white))


@compiled(nogil=True, inline="always")
def mean_of(sums, c, own):
    """Of a channel; the pixel's own where there is none."""
    return sums[c] / sums[3] if sums[3] > np.float32(1e-3) else own


@compiled(nogil=True, fastmath=True, error_model="numpy")
def _find_open(stride, picture, sums, surfaces, lowest, alpha, is_open, grid):
    """Mark the pixels that may change, and 0 for each cell with one of them."""
    side, distance, near, far = surfaces
    height, width = side.shape
    reach, least2 = np.float32(MIXED_REACH_PX * stride), np.float32(LEAST_CONTRAST**2)
    for y in range(height):
        row = y // stride // CELL_PX
        for x in range(width):
            if not (alpha[y, x] > 0 or (side[y, x] < 0 and distance[y, x] <= reach)):
                continue
            if near[y, x] - far[y, x] <= np.float32(LEAST_STEP):
                continue
            if alpha[y, x] == 0 and far[y, x] - lowest[y // stride, x // stride] > np.float32(LEAST_STEP):
                continue
            column = x // stride // CELL_PX
            contrast2 = np.float32(0)
            for c in range(3):
                here = picture[y, x, c]
                contrast2 += (mean_of(sums[0, row, column], c, here) - mean_of(sums[1, row, column], c, here)) ** 2
            if contrast2 > least2:
                is_open[y, x], grid[row, column] = True, 0


@compiled(nogil=True, fastmath=True, error_model="numpy")
def _gather(at, stride, picture, sums, surfaces, split, is_open, values):
    """Write what the network is told of the pixels of each cell."""
    side, distance, near, far = surfaces
    alpha, background = split
    height, width = side.shape
    half, reach = np.float32(0.5), np.float32(MIXED_REACH_PX * stride)
    for n in range(at.shape[0]):
        of_near, of_far = sums[0, at[n, 0], at[n, 1]], sums[1, at[n, 0], at[n, 1]]
        for pixel in range(PIXELS):
            y = min((CELL_PX * at[n, 0] + pixel // CELL_PX) * stride, height - 1)
            x = min((CELL_PX * at[n, 1] + pixel % CELL_PX) * stride, width - 1)
            v = values[n, pixel * MIXED_CLUES : (pixel + 1) * MIXED_CLUES]
            along, contrast = np.float32(0), np.float32(1e-4)
            for c in range(3):
                here = picture[y, x, c]
                n_c, f_c = mean_of(of_near, c, here), mean_of(of_far, c, here)
                v[c] = here - half
                v[3 + c] = here - n_c
                v[6 + c] = here - f_c
                along += (here - f_c) * (n_c - f_c)
                contrast += (n_c - f_c) * (n_c - f_c)
            v[9] = min(max(along / contrast, np.float32(-1)), np.float32(2)) - half
            v[10] = np.sqrt(contrast)
            if side[y, x] != 0:
                v[11] = np.float32(side[y, x]) * min(distance[y, x] / reach, np.float32(1))
                v[12] = near[y, x] - far[y, x]
            if is_open[y, x]:
                v[13] = 1
            if alpha[y, x] > 0:
                v[14] = 2 * alpha[y, x]
                for c in range(3):
                    v[15 + c] = picture[y, x, c] - background[c, y, x]


@compiled(nogil=True)
def _find_bases(is_open, stride, picture, sums, split, bases):
    height, width = is_open.shape
    for y in range(height):
        for x in range(width):
            if is_open[y, x]:
                write_base(y, x, stride, picture, sums, split, bases[y, x])


@compiled(nogil=True, fastmath=True, error_model="numpy")
def logit_of(share):
    """Of a classical share; of none, that of a pure pixel."""
    if share <= 0:
        return np.float32(-PURE_LOGIT)
    share = min(max(share, np.float32(_LEAST_MIXED)), np.float32(_MOST_MIXED))
    return np.float32(np.log(share / (np.float32(1) - share)))


@compiled(nogil=True, fastmath=True, error_model="numpy", inline="always")
def write_base(y, x, stride, picture, sums, split, base):
    """What is corrected of a pixel; see ``MixedClues.bases``."""
    alpha, foreground, background = split
    row, column = y // stride // CELL_PX, x // stride // CELL_PX
    share = alpha[y, x]
    base[0] = logit_of(share)
    for c in range(3):
        here = picture[y, x, c]
        base[1 + c] = light_of(here)
        if share > 0:
            base[4 + c], base[7 + c] = light_of(foreground[c, y, x]), light_of(background[c, y, x])
        else:
            base[4 + c] = light_of(mean_of(sums[0, row, column], c, here))
            base[7 + c] = light_of(mean_of(sums[1, row, column], c, here))
