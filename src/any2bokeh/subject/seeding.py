"""From a point, a box or a painted mask to the matte of the subject in the seed's frame."""

from typing import assert_never

import cv2
import numpy as np
from numpy.typing import NDArray

from any2bokeh.subject.appearance import DisparityModel, colour_bins, colour_evidence, colour_histogram
from any2bokeh.subject.grab_cut import first_matte
from any2bokeh.subject.ground import disparity_spread, ground
from any2bokeh.subject.matte import connected_to, matte_from, outside_distance_px
from any2bokeh.subject.point import disparity_at_point
from any2bokeh.subject.seed import BoxSeed, ClipSeed, MaskSeed, PointSeed, Seed
from any2bokeh.subject.tracker import View

# A surface goes on from pixel to pixel while its disparity changes by no more than this, and ends where it is this
# far from that of the seed; both over the range of disparities in the frame, of which maps use more or less.
_STEP = 0.012
_REACH = 0.16
# How often subject and surround are learnt from one another.
_ROUNDS = 4
# How far a subject may reach beyond the last guess, over the longer side, before the reach counts against it.
_GROWTH = 0.02
# What the seed is worth, as log-odds.
_CERTAIN = 6.0
# Width of the border that tells what goes on beyond a box, over the longer side, and steps of disparity that are told
# apart in it.
_BOX_BORDER = 0.04
_LEVELS = 64
_NO_SMALLER = 9


def seed_matte(view: View, seed: Seed, residual_px: NDArray[np.float32] | None = None) -> NDArray[np.float32]:
    """Matte of the subject that a seed points at; never empty.

    A painted mask is taken as it is. Where there is disparity, the surface that a point or box lies on is the first
    guess, and colours and disparities of subject and surround are learnt from one another in turn. Where there is none,
    colour and what moves have to do; see `first_matte`.

    Args:
        view: the frame of the seed.
        seed: where the subject is in it.
        residual_px: ``(h, w)`` motion against the camera, for a view without disparity; None where it is unknown.
    """
    if isinstance(seed, MaskSeed):
        return _painted(view, seed)
    if view.disparity is None:
        return first_matte(view.pixels, _clip_seed(seed), residual_px)
    core = _core(view, seed)
    found = ground(view.disparity)
    is_ground = found[core].mean() > 0.5
    # Where a subject touches the ground, neither goes on in the other.
    allowed = _allowed(view, seed) & (found if is_ground else ~found)
    guess = _surface(view.disparity, seed, core, allowed)
    if np.count_nonzero(guess) < _NO_SMALLER:
        guess = _within(core, 1.5)
    if is_ground:  # it has no look of its own to be learnt
        return guess.astype(np.float32)
    matte = _refined(view.pixels, view.disparity, guess, core, allowed)
    return matte if np.count_nonzero(matte > 0.5) >= _NO_SMALLER else guess.astype(np.float32)


def _clip_seed(seed: PointSeed | BoxSeed) -> ClipSeed:
    if isinstance(seed, PointSeed):
        return ClipSeed(point=(seed.x, seed.y))
    return ClipSeed(box=(seed.x0, seed.y0, seed.x1, seed.y1))


def _painted(view: View, seed: MaskSeed) -> NDArray[np.float32]:
    height, width = view.shape
    mask = seed.mask.astype(np.float32) / float(seed.mask.max())
    return np.asarray(cv2.resize(mask, (width, height), interpolation=cv2.INTER_AREA), np.float32)


def _surface(
    disparity: NDArray[np.float32], seed: PointSeed | BoxSeed, core: NDArray[np.bool_], allowed: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """The connected surface of like disparity that the seed lies on."""
    match seed:
        case PointSeed():
            level = disparity_at_point(disparity[None], seed.x, seed.y)
        case BoxSeed():
            level = _level_in_box(disparity, allowed, core)
        case _:
            assert_never(seed)
    spread = disparity_spread(disparity)
    like = (np.abs(disparity - level) < _REACH * spread) & allowed
    from_rows = np.abs(np.diff(disparity, axis=0, prepend=disparity[:1])) < _STEP * spread
    from_columns = np.abs(np.diff(disparity, axis=1, prepend=disparity[:, :1])) < _STEP * spread
    like &= from_rows & from_columns
    _, labels = cv2.connectedComponents(like.astype(np.uint8), connectivity=4)
    inside = labels[core & like]
    if not inside.size:
        return core & like
    return labels == np.bincount(inside).argmax()


def _level_in_box(disparity: NDArray[np.float32], inside: NDArray[np.bool_], core: NDArray[np.bool_]) -> float:
    """Disparity of the surface that a box was drawn around: one that fills the box and does not go on beyond it."""
    height, width = disparity.shape
    reach = max(2, round(_BOX_BORDER * max(height, width)))
    grown = cv2.dilate(inside.astype(np.uint8), np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)) > 0
    border = grown & ~inside
    # Beside the box, not below it: the ground that a subject stands on goes on there at its disparity.
    bottom = int(np.flatnonzero(inside.any(axis=1))[-1])
    border[bottom - reach :] = False
    edges = np.linspace(0, 1, _LEVELS + 1)
    weights = np.where(core, 2.0, 1.0) * inside
    filled = np.histogram(disparity, edges, weights=weights)[0] / max(float(weights.sum()), 1.0)
    beyond = np.histogram(disparity[border], edges)[0] / max(int(border.sum()), 1)
    kernel = np.ones(2 * round(_REACH * disparity_spread(disparity) / 2 * _LEVELS) + 1)
    filled, beyond = (np.convolve(share, kernel, mode="same") for share in (filled, beyond))
    return float(edges[int(np.argmax(filled - beyond))] + 0.5 / _LEVELS)


def _refined(
    pixels: NDArray[np.uint8],
    disparity: NDArray[np.float32],
    guess: NDArray[np.bool_],
    core: NDArray[np.bool_],
    allowed: NDArray[np.bool_],
) -> NDArray[np.float32]:
    """Colours and disparities of subject and surround, learnt from one another in turn."""
    bins = colour_bins(pixels)
    matte = guess.astype(np.float32)
    limits = np.where(core, _CERTAIN, 0) + np.where(allowed, 0, -2 * _CERTAIN)
    for _ in range(_ROUNDS):
        colour = colour_evidence(bins, colour_histogram(bins, matte), colour_histogram(bins, 1 - matte))
        surface = DisparityModel.learn(disparity, matte).evidence(disparity)
        near = 1.5 - outside_distance_px(matte > 0.5) / (_GROWTH * max(disparity.shape))
        evidence = 0.5 * colour + surface + np.clip(near, -_CERTAIN, 1.0) + limits
        refined = connected_to(matte_from(evidence.astype(np.float32), disparity), core)
        if np.count_nonzero(refined > 0.5) < _NO_SMALLER:
            break
        matte = refined
    return matte


def _within(core: NDArray[np.bool_], distance_px: float) -> NDArray[np.bool_]:
    return outside_distance_px(core) <= distance_px


def _core(view: View, seed: PointSeed | BoxSeed) -> NDArray[np.bool_]:
    """Where the subject certainly is: about the point, or the middle of the box."""
    height, width = view.shape
    rows, columns = (np.arange(height)[:, None] + 0.5), (np.arange(width)[None] + 0.5)
    if isinstance(seed, PointSeed):
        return np.hypot(rows - seed.y * height, columns - seed.x * width) <= 1.5
    return (np.abs(rows - (seed.y0 + seed.y1) / 2 * height) <= 0.125 * (seed.y1 - seed.y0) * height + 1) & (
        np.abs(columns - (seed.x0 + seed.x1) / 2 * width) <= 0.125 * (seed.x1 - seed.x0) * width + 1
    )


def _allowed(view: View, seed: PointSeed | BoxSeed) -> NDArray[np.bool_]:
    """Where the subject may be: in the box, or anywhere."""
    height, width = view.shape
    rows, columns = (np.arange(height)[:, None] + 0.5), (np.arange(width)[None] + 0.5)
    if isinstance(seed, BoxSeed):
        across = (columns > seed.x0 * width - 1) & (columns < seed.x1 * width + 1)
        return across & (rows > seed.y0 * height - 1) & (rows < seed.y1 * height + 1)
    return np.ones((height, width), bool)
