"""Shares and colours of mixed pixels, as a network corrects those of the classical estimator."""

from dataclasses import replace

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


def corrected(
    bands: EdgeBands, step: Steps, picture: NDArray[np.float32], clues: MixedClues, found: NDArray[np.float32]
) -> EdgeBands:
    """Bands with the shares and colours of their mixed pixels corrected; to the bit the same where nothing is.

    Args:
        bands: with the shares of the classical estimator.
        step, picture, clues: of the frame; see ``MixedClues.of``.
        found: ``(N, 4, MIXED_CORRECTIONS)``: what the network gives for its cells.
    """
    logits = np.ascontiguousarray(clues.bases[..., 0])
    corrections = brought_to_pixels(clues.cells, clues.is_open, picture, logits, found)
    near, far, alpha = bands.near.copy(), bands.far.copy(), bands.alpha.copy()
    foreground, background = bands.foreground.copy(), bands.background.copy()
    _split(clues.is_open, clues.bases, corrections, (step.near, step.far), near, far, alpha, foreground, background)
    return replace(bands, near=near, far=far, alpha=alpha, foreground=foreground, background=background)


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
