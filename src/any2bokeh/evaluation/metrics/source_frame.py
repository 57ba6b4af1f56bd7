"""One frame of a clip that is scored, with what every method's metrics need of it found once."""

from dataclasses import dataclass, field
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from any2bokeh.evaluation.metrics.blur_ruler import BlurRuler
from any2bokeh.evaluation.metrics.flow import DisFlow, FlowEstimator
from any2bokeh.evaluation.metrics.picture import Picture
from any2bokeh.optics.transfer import Transfer, decode, encode

MEASURED_LONG_SIDE_PX = 512
"""Blur is measured in pictures of this size at most: the ruler keeps the source at dozens of radii."""


@dataclass(eq=False, kw_only=True)
class SourceFrame:
    """An all-in-focus frame, and what the renderer was told; its ground truth need not be known.

    Attributes:
        source: the all-in-focus picture.
        disparity: ``(H, W)`` float32 in [0, 1], 1 = nearest: the best that is known, whatever the renderer was given.
        focus_disparity, blur_strength: d_f and K.
        source_before: the picture of the frame before; None for the first of a clip.
        subject: ``(H, W)``, where the subject that should be in focus is; None where nobody knows.
        transfer: in which the lens adds light.
        estimator: of optical flow.
    """

    source: Picture
    disparity: NDArray[np.float32]
    focus_disparity: float
    blur_strength: float
    source_before: Picture | None = None
    subject: NDArray[np.bool_] | None = None
    transfer: Transfer = "srgb"
    estimator: FlowEstimator = field(default_factory=DisFlow)

    @cached_property
    def source_flow(self) -> NDArray[np.float32]:
        """``(H, W, 2)`` motion in pixels of the source, from the frame before to this one."""
        if self.source_before is None:
            raise ValueError("the first frame of a clip has no flow")
        return self.estimator(self.source_before, self.source)

    @cached_property
    def ruler(self) -> BlurRuler:
        """To measure blur against the all-in-focus picture, ``reduced``."""
        return BlurRuler(self.reduced(self.source), self.transfer)

    def reduced(self, picture: Picture) -> Picture:
        """A picture of this frame at no more than 512 px on its longer side, light averaged; as it is where smaller."""
        size = self._reduced_size
        if size == picture.shape[1::-1]:
            return picture
        light = cv2.resize(decode(picture, self.transfer), size, interpolation=cv2.INTER_AREA)
        return encode(np.asarray(light, np.float32), self.transfer)

    @cached_property
    def reduced_disparity(self) -> NDArray[np.float32]:
        """The disparity at that size, without averages of two surfaces."""
        return np.asarray(cv2.resize(self.disparity, self._reduced_size, interpolation=cv2.INTER_NEAREST), np.float32)

    @property
    def _reduced_size(self) -> tuple[int, int]:
        height, width = self.disparity.shape
        share = min(1.0, MEASURED_LONG_SIDE_PX / max(height, width))
        return max(round(width * share), 1), max(round(height * share), 1)
