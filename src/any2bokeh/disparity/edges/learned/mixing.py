"""Shares and colours of mixed pixels, as a network corrects those of the classical estimator."""

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from any2bokeh.compiled import compiled
from any2bokeh.disparity.edges.bands import EdgeBands
from any2bokeh.disparity.edges.classical import Steps
from any2bokeh.disparity.edges.learned.decision import brought_to_pixels
from any2bokeh.disparity.edges.learned.mixed_clues import MixedClues
from any2bokeh.disparity.edges.matte import code_of

MIXED_CORRECTIONS = 8
"""Numbers that the network gives for a pixel: corrections of the logit of the nearer surface's share, of that of how
much of what is left the nearer surface takes, and of the light of the nearer and of the farther surface."""

LEAST_SHARE = 0.02
"""Less is not worth a layer."""

MOST_SHARE = 0.8
"""The centre of the pixel is background."""


_AROUND_PX = 17  # side of the square over which changes are averaged


def corrected(
    bands: EdgeBands,
    step: Steps,
    picture: NDArray[np.float32],
    clues: MixedClues,
    found: NDArray[np.float32],
    least_change: float = 0.0,
) -> EdgeBands:
    """Bands with the shares and colours of their mixed pixels corrected; to the bit the same where nothing is.

    Where the classical estimator is nearly right, the network is as far off as it is, but elsewhere. So it is heard
    only where it has much to say.

    Args:
        bands: with the shares of the classical estimator.
        step, picture, clues: of the frame; see ``MixedClues.of``.
        found: ``(N, 4, MIXED_CORRECTIONS)``: what the network gives for its cells.
        least_change: how far, in code values, the colours of farther surfaces must change around a pixel, in the mean,
            for it to change.
    """
    logits = np.ascontiguousarray(clues.bases[..., 0])
    corrections = brought_to_pixels(clues.cells, clues.is_open, picture, logits, found)
    names = ("near", "far", "alpha", "foreground", "background")
    given = tuple(getattr(bands, name) for name in names)
    changed = tuple(each.copy() for each in given)
    _split(clues.is_open, clues.bases, corrections, (step.near, step.far), *changed)
    if least_change > 0:
        change = np.zeros_like(step.near)
        _find_change(clues.is_open, picture, given, changed, change)
        around = (_AROUND_PX * step.stride,) * 2
        mean = cv2.blur(change, around), cv2.blur(clues.is_open.astype(np.float32), around)
        _take_back(clues.is_open, mean, np.float32(least_change), given, changed)
    return replace(bands, **dict(zip(names, changed, strict=True)))


@compiled(nogil=True, error_model="numpy")
def _split(is_open, bases, corrections, surfaces, near, far, alpha, foreground, background):
    """Write share and code values of each pixel that is corrected.

    What the two corrected colours leave of the pixel's light is given to them in parts that the network chooses: both
    add up to the pixel, and are light that a pixel can have.
    """
    step_near, step_far = surfaces
    height, width = is_open.shape
    one = np.float32(1)
    for y in range(height):
        for x in range(width):
            if not is_open[y, x]:
                continue
            is_corrected = False
            for c in range(MIXED_CORRECTIONS):
                is_corrected |= corrections[c, y, x] != 0
            if not is_corrected:
                continue
            base = bases[y, x]
            cover = np.float32(one / (one + np.exp(-(base[0] + corrections[0, y, x]))))
            cover = min(cover, np.float32(MOST_SHARE))
            if cover < np.float32(LEAST_SHARE):
                alpha[y, x] = 0
                foreground[:, y, x] = 0
                background[:, y, x] = 0
                continue
            alpha[y, x] = cover
            near[y, x], far[y, x] = step_near[y, x], step_far[y, x]
            rest = one - cover
            to_far = np.float32(one / (one + np.exp(corrections[1, y, x])))
            for c in range(3):
                here = base[1 + c]
                fore, back = base[4 + c] + corrections[2 + c, y, x], base[7 + c] + corrections[5 + c, y, x]
                left = here - cover * fore - rest * back
                light = back + to_far * left / rest
                light = min(max(light, (here - cover) / rest, np.float32(0)), here / rest, one)
                background[c, y, x] = code_of(light)
                foreground[c, y, x] = code_of((here - rest * light) / cover)


@compiled(nogil=True)
def _find_change(is_open, picture, given, changed, change):
    """How far the colour of the farther surface has changed, in code values; a pixel that is not mixed shows it."""
    _, _, alpha, _, background = given
    _, _, new_alpha, _, new_background = changed
    height, width = is_open.shape
    for y in range(height):
        for x in range(width):
            if not is_open[y, x]:
                continue
            for c in range(3):
                before = background[c, y, x] if alpha[y, x] > 0 else picture[y, x, c]
                after = new_background[c, y, x] if new_alpha[y, x] > 0 else picture[y, x, c]
                change[y, x] += abs(after - before) / np.float32(3)


@compiled(nogil=True)
def _take_back(is_open, mean, least, given, changed):
    """Leave the pixels around which little changes as they were."""
    change, share = mean
    near, far, alpha, foreground, background = given
    new_near, new_far, new_alpha, new_foreground, new_background = changed
    height, width = is_open.shape
    for y in range(height):
        for x in range(width):
            if is_open[y, x] and change[y, x] < least * share[y, x]:
                new_near[y, x], new_far[y, x], new_alpha[y, x] = near[y, x], far[y, x], alpha[y, x]
                new_foreground[:, y, x] = foreground[:, y, x]
                new_background[:, y, x] = background[:, y, x]
