"""One frame of ground truth, with what every method's metrics need of it found once."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from any2bokeh.evaluation.metrics.edge_band import edge_band
from any2bokeh.evaluation.metrics.picture import Picture, high_pass
from any2bokeh.evaluation.metrics.source_frame import SourceFrame


@dataclass(eq=False, kw_only=True)
class TruthFrame(SourceFrame):
    """A frame through a real lens, and what the renderer was told; its disparity is the true one.

    Attributes:
        truth: the picture to reach.
        before: the truth of the frame before; None for the first of a clip.
    """

    truth: Picture
    before: Picture | None = None

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
    def laplacian(self) -> NDArray[np.float32]:
        """``(H, W)`` high-pass of the truth; see ``high_pass``."""
        return high_pass(self.truth)
