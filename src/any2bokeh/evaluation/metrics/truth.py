"""One frame of ground truth, with what every method's metrics need of it found once."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from any2bokeh.evaluation.metrics.blur_ruler import BlurRuler
from any2bokeh.evaluation.metrics.edge_band import edge_band
from any2bokeh.evaluation.metrics.flow import DisFlow, FlowEstimator
from any2bokeh.evaluation.metrics.picture import Picture, high_pass
from any2bokeh.optics.transfer import Transfer


@dataclass(eq=False)
class TruthFrame:
    """A frame through a real lens, and what the renderer was told.

    Attributes:
        truth: the picture to reach.
        source: the all-in-focus picture.
        disparity: ``(H, W)`` float32 in [0, 1], 1 = nearest: the true one, whatever the renderer was given.
        focus_disparity, blur_strength: d_f and K.
        before: the truth of the frame before; None for the first of a clip.
        transfer: in which the lens adds light.
        estimator: of optical flow.
    """

    truth: Picture
    source: Picture
    disparity: NDArray[np.float32]
    focus_disparity: float
    blur_strength: float
    before: Picture | None = None
    transfer: Transfer = "srgb"
    estimator: FlowEstimator = field(default_factory=DisFlow)

    @cached_property
    def edge_band(self) -> NDArray[np.bool_]:
        """``(H, W)``: near a disparity discontinuity."""
        return edge_band(self.disparity)

    @cached_property
    def flow(self) -> NDArray[np.float32]:
        """``(H, W, 2)`` motion in pixels of the truth, from the frame before to this one."""
        if self.before is None:
            raise ValueError("the first frame of a clip has no flow")
        return self.estimator(self.before, self.truth)

    @cached_property
    def ruler(self) -> BlurRuler:
        """To measure blur against the all-in-focus picture."""
        return BlurRuler(self.source, self.transfer)

    @cached_property
    def laplacian(self) -> NDArray[np.float32]:
        """``(H, W)`` high-pass of the truth; see ``high_pass``."""
        return high_pass(self.truth)
