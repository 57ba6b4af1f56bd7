"""What the network is told of each pixel of the band, and what the classical estimator makes of it."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from any2bokeh.compiled import compiled
from any2bokeh.disparity.edges import matte
from any2bokeh.disparity.edges.bands import EdgeBands
from any2bokeh.disparity.edges.classical import FirstLook, Steps, matted
from any2bokeh.disparity.edges.learned.cells import PIXELS, Cells
from any2bokeh.disparity.edges.ramps import LEAST_STEP
from any2bokeh.optics.transfer import srgb_decode

CLUES = 25
"""Numbers that the network is told of a pixel; see ``_gather``."""

BAND_PX = 8.5
"""How far from a step of the given map the network may change anything; maps that the classical estimator moves are
left beyond its own band, which is narrower: what is wrong with them lies closer."""

PURE_LOGIT = np.float32(4.5)
"""Logit of the share of a pixel that the classical estimator counts as whole."""

_MOST_MIXED, _LEAST_MIXED = 0.98, 0.02
_PURE_PX = 2.0  # nearer to a step, a pixel tells nothing of the colour of its surface
_AROUND_PX = 11  # side of the square whose colours are averaged
_THIRD_PX = 8  # how far away a third surface may lie


@dataclass(frozen=True, slots=True, eq=False)
class Clues:
    """One frame as the network sees it.

    Attributes:
        classical: what the classical estimator gives where it is not told to move all edges.
        is_moved: whether it has moved edges.
        is_soft: whether it has because the map is soft; else because all its edges lie off by as much.
        cells: where the network looks.
        values: ``(N, 4 * CLUES)`` float32: of the pixels of each cell, row by row.
        picture: ``(H, W, 3)`` code values of at most 1.
        band: ``(H, W)`` bool: where anything may change.
        sharp: ``(H, W)`` float32: the given map with steps in place of ramps.
        near, far, third: ``(H, W)`` float32: the disparities that a pixel of the band may have. ``third`` is that of
            another surface around; ``far`` where there is none.
        share: ``(H, W)`` float32: logit of the share of the nearer surface, as the classical estimator has it.
        placed: bands as the classical estimator places them.
        sums_far: ``(rows, columns, 4)`` float32: code values of the farther surface around every ``stride``-th pixel,
            and the weight of these; see ``_mean``.
    """

    classical: EdgeBands
    is_moved: bool
    is_soft: bool
    cells: Cells
    values: NDArray[np.float32]
    picture: NDArray[np.float32]
    band: NDArray[np.bool_]
    sharp: NDArray[np.float32]
    near: NDArray[np.float32]
    far: NDArray[np.float32]
    third: NDArray[np.float32]
    share: NDArray[np.float32]
    placed: EdgeBands
    sums_far: NDArray[np.float32]

    @property
    def background(self) -> NDArray[np.float32]:
        """``(H, W, 3)`` float32: linear light of the farther surface: the classical estimator's in its mixed pixels,
        elsewhere the mean of that surface around. Needs ``classical`` with its colours."""
        background = np.zeros_like(self.picture)
        _find_means(self.band, self.picture, self.sums_far, self.cells.stride, background)
        background[self.band] = srgb_decode(background[self.band])
        mixed = self.classical.alpha > 0
        background[mixed] = srgb_decode(self.classical.background[:, mixed].T)
        return background

    @classmethod
    def of(cls, disparity: NDArray[np.float32], pixels: NDArray[np.float32], *, enlarged: bool) -> "Clues | None":
        """Those of a frame; None where it has no steps. Arguments are those of an ``EdgeEstimator``."""
        look = FirstLook.of(disparity, pixels, enlarged)
        return None if look is None else cls.of_look(disparity, look, enlarged=enlarged)

    @classmethod
    def of_look(
        cls, disparity: NDArray[np.float32], look: FirstLook, *, enlarged: bool, colours: bool = True
    ) -> "Clues":
        """Those of a frame that has been looked at; without ``colours``, ``classical`` has none where edges move."""
        pixels, stepped, step, shift_px = look.pixels, look.stepped, look.step, look.shift_px
        stride, is_moved = stepped.stride, look.is_off
        placed = step.placed(pixels, shift_px)
        classical = (
            matted(placed, pixels, Steps.of(placed.disparity[0], stride, matte.REACH_PX), colours=colours)
            if is_moved
            else matted(EdgeBands.none(disparity), pixels, step)
        )
        wide = step if is_moved else Steps.of(stepped.sharp, stride, BAND_PX)
        band = (wide.side != 0) | (classical.alpha > 0)
        near, far, third, share, belief = _surfaces(band, wide, placed, classical, is_moved)
        picture = interleaved(pixels)
        of_near, of_far = _colours_around(picture, wide)
        cells = Cells.of(band, stride)
        values = np.zeros((len(cells.at), PIXELS * CLUES), np.float32)
        widths = stepped.width[stepped.width > 0]
        of_frame = (
            float(stepped.is_soft),
            min(float(widths.mean()) / (8 * stride), 2.0) if widths.size else 0.0,
            min(max(shift_px / (4 * stride), -1.5), 1.5),
            float(enlarged),
            float(is_moved),
        )
        given = np.ascontiguousarray(disparity[0], np.float32)
        _gather(
            cells.at, stride, band, picture, (of_near, of_far), (given, near, far, third),
            (wide.distance, wide.side, belief, share, stepped.width), np.array(of_frame, np.float32), values,
        )  # fmt: skip
        return cls(
            classical, is_moved, stepped.is_soft, cells, values, picture,
            band, stepped.sharp, near, far, third, share, placed if is_moved else classical, of_far,
        )  # fmt: skip


def interleaved(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    """``(H, W, 3)`` code values of at most 1, of ``(3, H, W)``."""
    whole = np.empty((*pixels.shape[1:], 3), np.float32)
    _interleave(pixels, whole)
    return whole


@compiled(nogil=True)
def _interleave(pixels, whole):
    one = np.float32(1)
    for y in range(whole.shape[0]):
        red, green, blue, row = pixels[0, y], pixels[1, y], pixels[2, y], whole[y]
        for x in range(whole.shape[1]):
            row[x, 0], row[x, 1], row[x, 2] = min(red[x], one), min(green[x], one), min(blue[x], one)


def _surfaces(
    band: NDArray[np.bool_], wide: Steps, placed: EdgeBands, classical: EdgeBands, is_moved: bool
) -> tuple[NDArray[np.float32], ...]:
    """The two disparities that each pixel of the band may have, and a third; logit of the share of the nearer surface;
    which of the two the classical estimator believes in, in [-1, 1]. 0 outside the band.
    """
    around = np.ones((2 * _THIRD_PX * wide.stride + 1,) * 2, np.uint8)
    nearest, farthest = cv2.dilate(wide.disparity, around), cv2.erode(wide.disparity, around)
    near, far, third, share, belief = found = tuple(np.zeros_like(wide.disparity) for _ in range(5))
    _find_surfaces(
        band, (wide.side, wide.near, wide.far), (placed.band, placed.near, placed.far, placed.near_share),
        (classical.alpha, classical.near, classical.far), (nearest, farthest), is_moved,
        near, far, third, share, belief,
    )  # fmt: skip
    return found


def _colours_around(picture: NDArray[np.float32], wide: Steps) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Code values of both surfaces around every ``stride``-th pixel, and their weights; see ``_mean``."""
    rows, columns = wide.side[:: wide.stride, :: wide.stride].shape  # samples as far apart as lengths are long
    weighted = np.empty((rows, columns, 4), np.float32)
    found = []
    for side in (1, -1):
        _weigh(picture, (wide.side, wide.distance), wide.stride, side, weighted)
        found.append(np.asarray(cv2.boxFilter(weighted, -1, (_AROUND_PX, _AROUND_PX)), np.float32))
    return found[0], found[1]


@compiled(nogil=True)
def _find_surfaces(
    band, of_wide, of_placed, of_classical, extremes, is_moved, near, far, third, share, belief
):  # fmt: skip
    """See ``_surfaces``."""
    side, wide_near, wide_far = of_wide
    is_placed, placed_near, placed_far, near_share = of_placed
    alpha, classical_near, classical_far = of_classical
    nearest, farthest = extremes
    height, width = band.shape
    for y in range(height):
        for x in range(width):
            if not band[y, x]:
                continue
            is_near = side[y, x] > 0
            near[y, x], far[y, x], belief[y, x] = wide_near[y, x], wide_far[y, x], side[y, x]
            if is_placed[y, x]:
                near[y, x], far[y, x] = placed_near[y, x], placed_far[y, x]
                belief[y, x] = 2 * near_share[y, x] - 1
                if is_moved:
                    is_near = near_share[y, x] > np.float32(0.5)
            share[y, x] = PURE_LOGIT if is_near else -PURE_LOGIT
            if alpha[y, x] > 0:
                near[y, x], far[y, x] = classical_near[y, x], classical_far[y, x]
                cover = min(max(alpha[y, x], np.float32(_LEAST_MIXED)), np.float32(_MOST_MIXED))
                share[y, x] = np.log(cover / (np.float32(1) - cover))
            # One farther than both, else one nearer.
            third[y, x] = far[y, x]
            if farthest[y, x] < far[y, x] - np.float32(LEAST_STEP):
                third[y, x] = farthest[y, x]
            elif nearest[y, x] > near[y, x] + np.float32(LEAST_STEP):
                third[y, x] = nearest[y, x]


@compiled(nogil=True)
def _weigh(picture, places, stride, wanted, weighted):
    """Colours of the pure pixels of one side, and a weight of 1; 0 for all others."""
    side, distance = places
    for row in range(weighted.shape[0]):
        for column in range(weighted.shape[1]):
            y, x = row * stride, column * stride
            is_pure = side[y, x] == wanted and distance[y, x] > np.float32(_PURE_PX * stride)
            for c in range(3):
                weighted[row, column, c] = picture[y, x, c] if is_pure else np.float32(0)
            weighted[row, column, 3] = np.float32(1) if is_pure else np.float32(0)


@compiled(nogil=True)
def _mean(picture, sums, stride, row, column, c):
    """Mean code value of a surface around a sample; the sample's own where there is none of it."""
    weight = sums[row, column, 3]
    if weight > np.float32(0.5 / _AROUND_PX**2):
        return sums[row, column, c] / weight
    return picture[row * stride, column * stride, c]


@compiled(nogil=True)
def _find_means(band, picture, sums, stride, means):
    """The mean around each pixel of the band, which is that of its sample."""
    height, width = band.shape
    for y in range(height):
        for x in range(width):
            if band[y, x]:
                for c in range(3):
                    means[y, x, c] = _mean(picture, sums, stride, y // stride, x // stride, c)


@compiled(nogil=True, fastmath=True, error_model="numpy")
def _gather(at, stride, band, picture, colours, surfaces, places, of_frame, values):
    """Write what the network is told of the pixels of each cell."""
    height, width = band.shape
    of_near, of_far = colours
    given, near, far, third = surfaces
    distance, side, belief, share, ramp = places
    half, reach = np.float32(0.5), np.float32(BAND_PX * stride)
    for n in range(at.shape[0]):
        for pixel in range(PIXELS):
            y = min((2 * at[n, 0] + pixel // 2) * stride, height - 1)
            x = min((2 * at[n, 1] + pixel % 2) * stride, width - 1)
            v = values[n, pixel * CLUES : (pixel + 1) * CLUES]
            for c in range(3):
                v[c] = picture[y, x, c] - half
            for k in range(5):
                v[19 + k] = of_frame[k]
            v[24] = np.float32(ramp[y, x]) / np.float32(8 * stride)
            if not band[y, x]:
                continue
            step = max(near[y, x] - far[y, x], np.float32(1e-3))
            v[3] = min(max((given[y, x] - far[y, x]) / step, np.float32(-1)), np.float32(2)) - half
            v[4] = np.float32(side[y, x]) * min(distance[y, x] / reach, np.float32(1))
            v[5] = belief[y, x]
            v[6] = share[y, x] / PURE_LOGIT
            along, contrast = np.float32(0), np.float32(1e-4)
            row, column = y // stride, x // stride
            for c in range(3):
                here = picture[y, x, c]
                n_c = _mean(picture, of_near, stride, row, column, c)
                f_c = _mean(picture, of_far, stride, row, column, c)
                v[7 + c] = here - n_c
                v[10 + c] = here - f_c
                along += (here - f_c) * (n_c - f_c)
                contrast += (n_c - f_c) * (n_c - f_c)
            v[13] = min(max(along / contrast, np.float32(-1)), np.float32(2)) - half
            v[14] = np.float32(np.sqrt(contrast))
            v[15] = step
            if third[y, x] != far[y, x]:
                v[16] = 1
                v[17] = min(max((third[y, x] - far[y, x]) / step, np.float32(-2)), np.float32(2)) * half
            v[18] = 1
