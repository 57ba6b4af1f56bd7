"""Whether a subject in focus stays as sharp as its source."""

import numpy as np
from numpy.typing import NDArray

from any2bokeh.evaluation.metrics.misplaced_blur import distance_outside_px
from any2bokeh.evaluation.metrics.picture import Picture, gradient
from any2bokeh.evaluation.metrics.source_frame import SourceFrame
from any2bokeh.optics.coc import REFERENCE_LONG_SIDE_PX

OUTLINE_PX = 3.0
"""The subject's border that is left out: what is beside it is blurred by right. Of 1024 px."""


def gradient_energy(picture: Picture, within: NDArray[np.bool_]) -> float:
    """Sum of the squared Sobel gradient of the luma over the pixels ``within``, ``(H, W)``."""
    across, down = gradient(picture)
    return float((np.square(across) + np.square(down))[within].sum(dtype=np.float64))


class SharpnessMeter:
    """``sharpness_kept``: root of the gradient energy inside the subject over that of the source, over all frames.

    1 where every detail is kept, 0 where the subject is flat; a blur that leaves the share m of the contrast of a wave
    gives m. Left out where there is no subject, or nothing to be seen on it.

    The paper: nothing of the kind; ``vepi`` forgives a loss of contrast, which this does not.
    """

    def __init__(self) -> None:
        self._energy = self._source_energy = 0.0

    def add(self, prediction: Picture, frame: SourceFrame) -> None:
        """See ``Meter.add``."""
        if frame.subject is None:
            return
        border_px = OUTLINE_PX * max(frame.subject.shape) / REFERENCE_LONG_SIDE_PX
        inner = distance_outside_px(~frame.subject) > border_px
        self._energy += gradient_energy(prediction, inner)
        self._source_energy += gradient_energy(frame.source, inner)

    def scores(self) -> dict[str, float]:
        """See ``Meter.scores``."""
        if self._source_energy <= 1e-9:
            return {}
        return {"sharpness_kept": float(np.sqrt(self._energy / self._source_energy))}
