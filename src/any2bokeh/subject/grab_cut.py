"""From a point or a box to the matte of the subject in one frame."""

import cv2
import numpy as np
from numpy.typing import NDArray

from any2bokeh.subject.matte import colour_guided_filter, without_holes
from any2bokeh.subject.seed import ClipSeed

# Half axes, over the longer side, of where the subject of a point probably is, and of where it can be.
_PROBABLE = (0.14, 0.22)
_POSSIBLE = (0.35, 0.50)
# With nobody pointing, the subject is about the middle, and may be larger.
_PROBABLE_UNSEEN = (0.20, 0.30)
_MIDDLE = (0.5, 0.55)
# Radius, over the longer side, in which the pointed pixel's neighbours are certain.
_CERTAIN = 0.015
# What moves this much against the camera, and this share of the fastest, is probably the subject near its point.
_MOVES_PX, _MOVES_SHARE = 0.6, 0.25
_MOVES_WITHIN = (0.30, 0.45)
_ROUNDS = 3
# Holes up to this share of a cut are filled, and its rags are smoothed within this window, over the longer side.
_HOLE_SHARE = 0.06
_EDGE_WINDOW = 0.008
# The first guess decides much: it is made at these sizes, and the majority of the results counts.
_SIZES = (0.4, 0.65, 1.0)


def first_matte(
    pixels: NDArray[np.uint8], seed: ClipSeed, residual_px: NDArray[np.float32] | None
) -> NDArray[np.float32]:
    """Matte of the subject that a seed points at, in [0, 1] and never empty. See `voted_matte`."""
    return voted_matte(pixels, seed, residual_px)[0]


def voted_matte(
    pixels: NDArray[np.uint8], seed: ClipSeed, residual_px: NDArray[np.float32] | None
) -> tuple[NDArray[np.float32], float]:
    """Matte of the subject that a seed points at, never empty; and how far the guesses at it agree, 0 to 1.

    Args:
        pixels: ``(h, w, 3)`` RGB, reduced in size.
        seed: see ``ClipSeed``; its frame is this one.
        residual_px: ``(h, w)`` motion against the camera, None where there is no other frame.
    """
    if seed.box is not None:
        trimaps = [_box_trimap(pixels, seed.box, size) for size in _SIZES]
    else:
        trimaps = [_point_trimap(pixels, seed.point, residual_px, size) for size in _SIZES]
    votes = np.sum([grab_cut(pixels, trimap, rounds=_ROUNDS) for trimap in trimaps], axis=0)
    is_certain = trimaps[0] == cv2.GC_FGD
    cut = _held_together(np.asarray(votes > len(trimaps) / 2, np.uint8), certain=is_certain)
    smooth = colour_guided_filter(
        without_holes(cut, share=_HOLE_SHARE), pixels, radius_px=max(1, round(_EDGE_WINDOW * max(cut.shape)))
    )
    matte = np.where(is_certain, np.float32(1), np.clip((smooth - 0.5) * 2 + 0.5, 0, 1))
    return matte, float((votes == len(trimaps)).sum() / max(int((votes > 0).sum()), 1))


def grab_cut(pixels: NDArray[np.uint8], trimap: NDArray[np.uint8], *, rounds: int) -> NDArray[np.uint8]:
    """1 where the subject is found, 0 elsewhere.

    Args:
        pixels: ``(h, w, 3)`` RGB.
        trimap: ``(h, w)`` of OpenCV's ``GC_BGD``, ``GC_FGD``, ``GC_PR_BGD`` and ``GC_PR_FGD``.
        rounds: in which the colours and the cut are found from one another.

    Source: Rother, Kolmogorov and Blake, SIGGRAPH 2004.
    """
    if np.unique(trimap & 1).size < 2:  # all of one kind: there is nothing to tell apart
        return np.asarray(trimap & 1, np.uint8)
    models = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.setRNGSeed(0)  # its mixtures begin at random
    cut, *_ = cv2.grabCut(pixels, trimap.copy(), (0, 0, 1, 1), *models, rounds, cv2.GC_INIT_WITH_MASK)
    return np.asarray(np.asarray(cut, np.uint8) & 1, np.uint8)


def _point_trimap(
    pixels: NDArray[np.uint8],
    point: tuple[float, float] | None,
    residual_px: NDArray[np.float32] | None,
    size: float,
) -> NDArray[np.uint8]:
    height, width = pixels.shape[:2]
    x, y = point or _MIDDLE
    rows, columns = np.mgrid[0:height, 0:width]
    across = (columns + 0.5 - x * width) / max(height, width)
    down = (rows + 0.5 - y * height) / max(height, width)

    def within(axes: tuple[float, float]) -> NDArray[np.bool_]:
        return np.hypot(across / axes[0], down / axes[1]) < 1

    trimap = np.full((height, width), cv2.GC_PR_BGD, np.uint8)
    usual = _PROBABLE if point else _PROBABLE_UNSEEN
    probable = within((size * usual[0], size * usual[1]))
    trimap[probable] = cv2.GC_PR_FGD
    if residual_px is not None:
        moves = residual_px > max(_MOVES_PX, _MOVES_SHARE * float(np.percentile(residual_px, 99)))
        # The subject itself moves, so what does not is mostly not it.
        if probable.any() and moves[probable].mean() > 0.1:
            inner = np.hypot(across / _PROBABLE[0], down / _PROBABLE[1]) < 0.55
            trimap[~moves & ~inner] = cv2.GC_PR_BGD
            trimap[moves & within(_MOVES_WITHIN)] = cv2.GC_PR_FGD
    trimap[~within(_POSSIBLE)] = cv2.GC_BGD
    certain = max(_CERTAIN, 1.5 / max(height, width))
    trimap[np.hypot(across, down) < certain] = cv2.GC_FGD
    return trimap


def _box_trimap(pixels: NDArray[np.uint8], box: tuple[float, float, float, float], size: float) -> NDArray[np.uint8]:
    height, width = pixels.shape[:2]
    trimap = np.full((height, width), cv2.GC_BGD, np.uint8)
    x0, y0, x1, y1 = box

    def span(low: float, high: float, side: int) -> slice:
        begin = min(int(low * side), side - 1)
        return slice(begin, max(begin + 1, int(np.ceil(high * side))))

    inside = (span(y0, y1, height), span(x0, x1, width))
    # What fills a box is round rather than square: its corners show the surround.
    down = np.linspace(-1, 1, inside[0].stop - inside[0].start)[:, None]
    across = np.linspace(-1, 1, inside[1].stop - inside[1].start)
    reach = 0.5 + 0.6 * size
    trimap[inside] = np.where(np.hypot(across, down) <= reach, cv2.GC_PR_FGD, cv2.GC_PR_BGD)
    middle_x, middle_y, reach_x, reach_y = (x0 + x1) / 2, (y0 + y1) / 2, (x1 - x0) / 8, (y1 - y0) / 8
    core = (
        span(middle_y - reach_y, middle_y + reach_y, height),
        span(middle_x - reach_x, middle_x + reach_x, width),
    )
    trimap[core] = cv2.GC_FGD
    return trimap


def _held_together(cut: NDArray[np.uint8], *, certain: NDArray[np.bool_]) -> NDArray[np.float32]:
    """The parts that touch what is certain, and others of a fifth of their size."""
    cut = np.maximum(cut, certain.astype(np.uint8))
    _, found, stats, _ = cv2.connectedComponentsWithStats(cut, connectivity=8)
    labels = np.asarray(found, np.int32)
    area = stats[:, cv2.CC_STAT_AREA]
    sure = np.unique(labels[certain])
    keep = area > 0.2 * area[sure].sum()
    keep[sure] = True
    keep[0] = False
    return keep[labels].astype(np.float32)
