"""From what a depth model says to disparity on one scale for the clip."""

import numpy as np
from numpy.typing import NDArray

from any2bokeh.disparity.estimators.base import MapMeaning

# Ends of the scale, as shares of all values of the clip: single wild pixels do not stretch it.
_LOW_SHARE, _HIGH_SHARE = 0.001, 0.999
# Values taken of each frame, and of all frames together before they are thinned out.
_FRAME_SAMPLES = 4096
_CLIP_SAMPLES = 1 << 20
# Depth under this share of a frame's median is an error and not that near.
_NEAREST_SHARE = 1e-3


def raw_disparity(raw: NDArray[np.float32], meaning: MapMeaning) -> NDArray[np.float32]:
    """A model's map as disparity in units of its own: larger is nearer.

    Depth z becomes 1/z, infinite depth (sky) 0. Depth that is negative or 0 counts as missing.

    Args:
        raw: ``(1, h, w)``.
        meaning: what its values mean.

    Returns:
        ``(1, h, w)`` float32, finite or NaN where it is missing.
    """
    values = raw.astype(np.float32)
    if meaning.kind == "disparity":
        return np.where(np.isfinite(values), values, np.float32(np.nan))
    with np.errstate(divide="ignore", invalid="ignore"):
        known = values > 0
        finite = values[known & np.isfinite(values)]
        nearest = _NEAREST_SHARE * float(np.median(finite)) if finite.size else 0.0
        return np.where(known, 1 / np.maximum(values, nearest), np.float32(np.nan)).astype(np.float32)


class ClipRange:
    """The disparities that become 0 and 1, found from a sample of every frame; its memory is bounded."""

    def __init__(self) -> None:
        self._samples: list[NDArray[np.float32]] = []
        self._count = 0
        self._every = 1  # frames between those that are sampled
        self._frames = 0

    def add(self, disparity: NDArray[np.float32]) -> None:
        """Take a frame's map ``(1, h, w)`` in; values that are not finite are left out."""
        self._frames += 1
        if (self._frames - 1) % self._every:
            return
        values = disparity.ravel()
        values = values[:: max(1, values.size // _FRAME_SAMPLES)]
        values = values[np.isfinite(values)]
        self._samples.append(values)
        self._count += values.size
        if self._count > _CLIP_SAMPLES:
            self._samples = self._samples[::2]
            self._count = sum(part.size for part in self._samples)
            self._every *= 2

    def ends(self, meaning: MapMeaning) -> tuple[float, float]:
        """Values that become 0 and 1.

        0 stays 0 where the model knows what is infinitely far; otherwise the farthest of the clip becomes 0. A clip
        without any relief becomes 0 throughout, or 1 where it is known to be near.
        """
        values = np.concatenate(self._samples) if self._samples else np.zeros(0, np.float32)
        if not values.size:
            return 0.0, 1.0
        low, high = (float(value) for value in np.quantile(values, (_LOW_SHARE, _HIGH_SHARE)))
        if meaning.zero_is_infinitely_far:
            low = 0.0
        return (low, high) if high > low else (low, low + 1.0)


def on_scale(disparity: NDArray[np.float32], ends: tuple[float, float]) -> NDArray[np.float32]:
    """Disparity in [0, 1]: ``ends`` become 0 and 1, what lies beyond is clipped."""
    low, high = ends
    return np.clip((disparity - np.float32(low)) / np.float32(high - low), 0, 1).astype(np.float32)
