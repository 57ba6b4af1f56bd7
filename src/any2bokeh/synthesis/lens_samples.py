"""Points on the aperture and in the pixel, of low discrepancy, through which rays are sent."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from any2bokeh.optics.aperture import ConvexAperture

PATTERN_COUNT = 64
"""Patterns that the pixels of a frame share by chance, so that what error is left is noise and no structure."""

_OUTLINE_VERTICES = 1440


@lru_cache(maxsize=8)
def lens_patterns(aperture: ConvexAperture, sample_count: int, seed: int = 0) -> NDArray[np.float32]:
    """Sets of samples, each spread evenly over the aperture and, independently, over the pixel.

    Each is a (0, 2)-sequence with scrambled digits on the lens and another, in random order, in the pixel. The error
    then falls faster than that of independent samples; see docs/synthesis.md for what was measured.

    Returns:
        ``(PATTERN_COUNT, sample_count, 4)`` of (lens x, lens y, pixel x, pixel y); the lens within the unit disc, y
        downwards, the pixel in [0, 1). Read only.

    Source: Kollig & Keller, Efficient Multidimensional Sampling, Eurographics 2002.
    """
    rng = np.random.default_rng((seed, sample_count))
    patterns = np.empty((PATTERN_COUNT, sample_count, 4), np.float32)
    for pattern in patterns:
        pattern[:, :2] = _on_aperture(aperture, _square(sample_count, rng))
        pattern[:, 2:] = rng.permutation(_square(sample_count, rng))
    patterns.flags.writeable = False
    return patterns


def _square(count: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """The first points of a randomly scrambled (0, 2)-sequence, ``(count, 2)`` in [0, 1)."""
    index = np.arange(count, dtype=np.uint32)
    points = np.zeros((2, count), np.uint32)
    direction = [np.uint32(1 << 31), np.uint32(1 << 31)]
    for bit in range(32):
        chosen = (index >> np.uint32(bit)) & np.uint32(1) == 1
        points[0, chosen] ^= direction[0]
        points[1, chosen] ^= direction[1]
        direction[0] >>= np.uint32(1)
        direction[1] ^= direction[1] >> np.uint32(1)  # Sobol's second dimension
    scramble = rng.integers(0, 1 << 32, (2, 1), dtype=np.uint32)
    # Half a step of the last digits that are free, so that no point lies on 0.
    return (((points ^ scramble).astype(np.float64) + 0.5) / 2.0**32).T


def _on_aperture(aperture: ConvexAperture, square: NDArray[np.float64]) -> NDArray[np.float64]:
    """Map the unit square evenly to the aperture, as a fan of triangles around its centre."""
    outline = aperture.outline(_OUTLINE_VERTICES)
    following = np.roll(outline, -1, axis=0)
    area = outline[:, 0] * following[:, 1] - outline[:, 1] * following[:, 0]
    share = np.concatenate([[0], np.cumsum(np.abs(area))])
    place = square[:, 0] * share[-1]
    triangle = np.clip(np.searchsorted(share, place, side="right") - 1, 0, len(area) - 1)
    along = ((place - share[triangle]) / np.diff(share)[triangle])[:, None]
    return np.sqrt(square[:, 1:]) * (outline[triangle] * (1 - along) + following[triangle] * along)
