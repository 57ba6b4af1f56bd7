"""Correlation of edges with those of the truth: an index of ours."""

import numpy as np
from numpy.typing import NDArray

from any2bokeh.evaluation.metrics.picture import Picture, high_pass
from any2bokeh.evaluation.metrics.truth import TruthFrame


def edge_correlation(prediction: Picture, truth: Picture) -> float:
    """Edge preservation index, in [-1, 1], 1 where all edges are as in the truth; see ``EdgeCorrelationMeter``."""
    meter = EdgeCorrelationMeter()
    meter.add_high_pass(high_pass(prediction), high_pass(truth))
    return meter.scores().get("edge_correlation", 1.0)


class EdgeCorrelationMeter:
    """``edge_correlation``: correlation of the high-pass of result and truth over all pixels of all frames of a clip.

    ``sum(a b) / sqrt(sum(a a) sum(b b))`` with a and b the Laplacians of the lumas, each less its mean over the clip.
    In [-1, 1], higher is better: it falls where sharp regions were blurred, and where blurred ones stayed sharp.

    Ours, over all of the picture and with ground truth; the paper's VEPI is ``vepi``. Left out where the truth has no
    edge at all.

    Source: the edge preservation index of Sattar et al., Image enhancement based on a nonlinear multiscale method, TIP
    1997, over a clip instead of a picture.
    """

    def __init__(self) -> None:
        self._sums = np.zeros(6)  # pixels, a, b, a a, b b, a b

    def add(self, prediction: Picture, frame: TruthFrame) -> None:
        """See ``Meter.add``."""
        self.add_high_pass(high_pass(prediction), frame.laplacian)

    def add_high_pass(self, prediction: NDArray[np.float32], truth: NDArray[np.float32]) -> None:
        """Take a frame whose Laplacians are known."""
        a, b = prediction.astype(np.float64), truth.astype(np.float64)
        self._sums += (a.size, a.sum(), b.sum(), (a * a).sum(), (b * b).sum(), (a * b).sum())

    def scores(self) -> dict[str, float]:
        """See ``Meter.scores``."""
        count, a, b, aa, bb, ab = self._sums
        if count == 0:
            return {}
        energy, truth_energy = aa - a * a / count, bb - b * b / count
        if truth_energy <= 1e-12 * count:
            return {}
        return {"edge_correlation": float((ab - a * b / count) / np.sqrt(truth_energy * max(energy, 1e-12 * count)))}
