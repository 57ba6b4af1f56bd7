"""The blur that one frame has already."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from any2bokeh.optics.source_blur import SourceLens, without_source_blur

_BINS = 64


@dataclass(frozen=True, slots=True, eq=False)
class FrameBlur:
    """Radii of the blur in a frame, in pixels of a frame of 1024 px on its longer side.

    Attributes:
        seen: ``(1, H, W)``, of each pixel.
        at: of surfaces that are not seen, or share a pixel: takes their disparity, gives its shape.
    """

    seen: NDArray[np.float32]
    at: Callable[[NDArray[np.float32]], NDArray[np.float32]]

    @classmethod
    def of_lens(cls, lens: SourceLens, disparity: NDArray[np.float32]) -> Self:
        """Through a lens, with the disparity ``(1, H, W)`` of what is seen."""
        return cls(lens.radius(disparity), lens.radius)

    def lacking(
        self,
        wanted: NDArray[np.float32],
        *,
        focus_disparity: float,
        blur_strength: float,
        seen: NDArray[np.float32] | None = None,
    ) -> NDArray[np.float32]:
        """``without_source_blur`` where these radii are there: ``seen``, else those at the disparity that is wanted."""
        return without_source_blur(wanted, self.at(wanted) if seen is None else seen, focus_disparity, blur_strength)

    @classmethod
    def of_map(cls, radius: NDArray[np.float32], disparity: NDArray[np.float32]) -> Self:
        """From a map; surfaces that are not seen have the mean radius of what is seen at their disparity.

        Args:
            radius: ``(1, H, W)``.
            disparity: ``(1, H, W)`` in [0, 1].
        """
        bins = np.clip((disparity * _BINS).astype(np.int32), 0, _BINS - 1).ravel()
        counts = np.bincount(bins, minlength=_BINS)
        sums = np.bincount(bins, weights=radius.ravel(), minlength=_BINS)
        known = counts > 0
        centres = (np.flatnonzero(known) + 0.5) / _BINS
        means = sums[known] / counts[known]

        def at(values: NDArray[np.float32]) -> NDArray[np.float32]:
            return np.interp(values, centres, means).astype(np.float32)

        return cls(radius, at)
