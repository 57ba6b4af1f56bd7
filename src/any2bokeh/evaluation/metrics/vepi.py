"""Video edge preservation index (VEPI), as published: are the edges of a subject in focus those of the source?"""

import numpy as np
from numpy.typing import NDArray

from any2bokeh.evaluation.metrics.misplaced_blur import distance_outside_px
from any2bokeh.evaluation.metrics.picture import Picture, gradient
from any2bokeh.evaluation.metrics.source_frame import SourceFrame
from any2bokeh.optics.coc import REFERENCE_LONG_SIDE_PX

DILATION_PX = 10.0
"""By how much the subject's mask is dilated, in a frame of 1024 px on its longer side."""


def vepi(prediction: Picture, source: Picture, subject: NDArray[np.bool_]) -> float | None:
    """Correlation of the Sobel magnitudes of result and source inside the dilated mask of the subject.

    Pearson's, over the pixels of one frame, in [-1, 1]; 1 where all edges are kept, and also where their contrast alone
    is changed. No ground truth is needed. A clip's score is the mean over its frames.

    The paper: VEPI, so defined by its published code. By how much the mask is dilated there, and whether magnitudes or
    components are correlated, is not known here: it is 10 px of 1024, and magnitudes, of the luma.

    Args:
        prediction, source: of one size.
        subject: ``(H, W)``, undilated.

    Returns:
        None where there is no subject, or no edge in one of the two pictures.

    Source: Yang et al., Any-to-Bokeh, ICLR 2026.
    """
    reach_px = DILATION_PX * max(subject.shape) / REFERENCE_LONG_SIDE_PX
    within = distance_outside_px(subject) <= reach_px
    if not within.any():
        return None
    one, other = (np.hypot(*gradient(picture))[within].astype(np.float64) for picture in (prediction, source))
    one, other = one - one.mean(), other - other.mean()
    norm = np.sqrt((one @ one) * (other @ other))
    return float(one @ other / norm) if norm > 1e-9 * within.sum() else None


class VepiMeter:
    """``vepi``, the mean over the frames in which the subject is seen; left out where it never is."""

    def __init__(self) -> None:
        self._frames: list[float] = []

    def add(self, prediction: Picture, frame: SourceFrame) -> None:
        """See ``Meter.add``."""
        found = None if frame.subject is None else vepi(prediction, frame.source, frame.subject)
        if found is not None:
            self._frames.append(found)

    def scores(self) -> dict[str, float]:
        """See ``Meter.scores``."""
        return {"vepi": float(np.mean(self._frames))} if self._frames else {}
