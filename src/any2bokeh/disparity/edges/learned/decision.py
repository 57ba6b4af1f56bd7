"""What becomes of a frame's bands by what the network says of them."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from any2bokeh.compiled import compiled
from any2bokeh.disparity.edges.bands import EdgeBands
from any2bokeh.disparity.edges.learned.cells import PIXELS
from any2bokeh.disparity.edges.learned.clues import Clues
from any2bokeh.disparity.edges.matte import code_of, light_of

WRONG_LOGIT = np.float32(2)
"""Of a map that the classical estimator has moved; its negative of one that it has left."""

THIRD_LOGIT = np.float32(-5)
"""Of a third surface, for a network that knows nothing of it."""

_LEAST_SHARE, _MOST_SHARE = 0.02, 0.98  # less, and more, is a whole pixel
_OFF_SIDE = 0.75  # a pixel whose map is kept is mixed where at most so much of it is the surface that the map denies
_GATE_PX = 4  # how far around a pixel the map is judged


@dataclass(frozen=True, slots=True)
class Gates:
    """Where the network may change a map: calibrated on frames that its training never saw.

    Attributes:
        frame: mean probability of a wrong map in the bands of a frame, below which the map is left to the bit.
        pixel: the same around a pixel, below which the pixel is left.
    """

    frame: float = 0.5
    pixel: float = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Judgement:
    """What the network says of a frame, pixel by pixel; 0 outside the band.

    Attributes:
        corrections: ``(6, H, W)`` float32; see ``network.CORRECTIONS``.
        wrong: ``(H, W)`` float32: probability that the map is wrong there.
        frame_wrong: its mean over the band.
    """

    corrections: NDArray[np.float32]
    wrong: NDArray[np.float32]
    frame_wrong: float

    @classmethod
    def of(cls, clues: Clues, found: NDArray[np.float32]) -> "Judgement":
        """Of what the network gives for the cells of a frame."""
        planes = np.zeros((found.shape[2], *clues.band.shape), np.float32)
        _scatter(clues.cells.at, clues.cells.stride, clues.band, found, planes)
        base = WRONG_LOGIT if clues.is_moved else -WRONG_LOGIT
        wrong = np.where(clues.band, 1 / (1 + np.exp(-(base + planes[2]))), 0).astype(np.float32)
        return cls(planes, wrong, float(wrong[clues.band].mean()))


def decided(
    disparity: NDArray[np.float32], pixels: NDArray[np.float32], clues: Clues, judgement: Judgement, gates: Gates
) -> EdgeBands:
    """The bands of a frame.

    Args:
        disparity, pixels: as an ``EdgeEstimator`` takes them.
        clues, judgement, gates: of the frame.
    """
    classical = clues.classical
    is_moved = judgement.frame_wrong >= gates.frame
    side_px = 2 * _GATE_PX * clues.cells.stride + 1
    wrong, band = (
        np.asarray(cv2.boxFilter(plane, -1, (side_px, side_px)), np.float32)
        for plane in (judgement.wrong, clues.band.astype(np.float32))
    )
    may_move = clues.band & (wrong >= np.float32(gates.pixel) * band) & is_moved
    given = np.ascontiguousarray(disparity[0], np.float32)
    sharp = classical.disparity[0].copy() if is_moved else given.copy()
    share = np.zeros_like(given)
    alpha, foreground, background = (np.zeros_like(each) for each in (given, pixels, pixels))
    _decide(
        (clues.band, may_move), (clues.near, clues.far, clues.third), clues.share, clues.background,
        judgement.corrections, (given, clues.sharp), pixels, sharp, share, alpha, foreground, background,
    )  # fmt: skip
    mixed = alpha > 0
    kept = mixed & (classical.alpha > 0) & ~judgement.corrections[[0, 3, 4, 5]].any(axis=0)
    for mine, own in ((foreground, classical.foreground), (background, classical.background)):
        mine[:, kept] = own[:, kept]
    alpha[kept] = classical.alpha[kept]
    changed = may_move | classical.band if is_moved else np.zeros_like(clues.band)
    known = changed | mixed
    return EdgeBands(
        sharp[None] if bool((sharp != given).any()) else disparity,
        changed,
        np.where(known, clues.near, 0),
        np.where(known, clues.far, 0),
        np.where(changed, share, 0),
        alpha,
        foreground,
        background,
    )


@compiled(nogil=True)
def _scatter(at, stride, band, found, planes):
    """Corrections of cells, brought to their pixels."""
    height, width = band.shape
    for n in range(at.shape[0]):
        top, left = at[n, 0] // stride, at[n, 0] % stride
        for pixel in range(PIXELS):
            y = (2 * at[n, 1] + pixel // 2) * stride + top
            x = (2 * at[n, 2] + pixel % 2) * stride + left
            if y < height and x < width and band[y, x]:
                for c in range(planes.shape[0]):
                    planes[c, y, x] = found[n, pixel, c]


@compiled(nogil=True, fastmath=True)
def _decide(
    where, surfaces, shares, backgrounds, corrections, maps, pixels, sharp, share, alpha, foreground, background
):
    """Which surface each pixel of the band mostly shows, how much of it is the nearer one, and the light of both."""
    band, may_move = where
    near, far, third = surfaces
    given, stepped = maps
    height, width = band.shape
    for y in range(height):
        for x in range(width):
            if not band[y, x]:
                continue
            cover = np.float32(1 / (1 + np.exp(-(shares[y, x] + corrections[0, y, x]))))
            share[y, x] = cover
            if may_move[y, x]:
                if THIRD_LOGIT + corrections[1, y, x] > 0 and third[y, x] != far[y, x]:
                    sharp[y, x] = third[y, x]
                    continue
                sharp[y, x] = near[y, x] if cover > np.float32(0.5) else far[y, x]
            else:
                sharp[y, x] = given[y, x]
                is_near = 2 * stepped[y, x] > near[y, x] + far[y, x]
                off = np.float32(1) - cover if is_near else cover
                if off > np.float32(_OFF_SIDE):
                    continue
                cover = max(cover, np.float32(0.5)) if is_near else min(cover, np.float32(0.5))
            if cover < np.float32(_LEAST_SHARE) or cover > np.float32(_MOST_SHARE):
                continue
            alpha[y, x] = cover
            rest = np.float32(1) - cover
            for c in range(3):
                here = light_of(pixels[c, y, x])
                behind = backgrounds[y, x, c] + corrections[3 + c, y, x]
                # Both are light that a pixel can have, and add up to this one's.
                behind = min(max(behind, (here - cover) / rest, np.float32(0)), here / rest, np.float32(1))
                background[c, y, x] = code_of(behind)
                foreground[c, y, x] = code_of((here - rest * behind) / cover)
