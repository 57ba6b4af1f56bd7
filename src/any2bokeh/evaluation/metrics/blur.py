"""How much blur a picture got, measured without knowing what was asked for."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from any2bokeh.evaluation.metrics.blur_ruler import STEP_PX, WINDOW_PX
from any2bokeh.evaluation.metrics.edge_band import distance_to_edges_px
from any2bokeh.evaluation.metrics.picture import Picture
from any2bokeh.evaluation.metrics.source_frame import SourceFrame
from any2bokeh.optics.coc import coc_radius_px

_DEFOCUS = 0.1  # |d - d_f| above which a pixel counts as out of focus
_FEWEST_PIXELS = 200
_FOCUS_SPREAD = 0.2  # of disparity, from the 5th to the 95th percentile, below which focus is not measured


def k_blur_correlation(blur_strengths: Sequence[float], radii_px: Sequence[float]) -> float:
    """Pearson correlation of K with the measured blur of one scene, in [-1, 1], 1 is best.

    The measured blur is the mean radius that ``BlurRuler`` finds over fixed pixels: out of focus by more than 0.1 of
    disparity, textured, and farther from disparity edges than the greatest radius. It is the same pixels for every K.

    The paper: nothing of the kind was found; control over K is shown in pictures. 0 where the blur never changes.

    Raises:
        ValueError: fewer than three values.
    """
    if len(blur_strengths) != len(radii_px) or len(radii_px) < 3:
        raise ValueError(f"{len(blur_strengths)} K and {len(radii_px)} radii; give three or more of each")
    k, radius = np.asarray(blur_strengths, np.float64), np.asarray(radii_px, np.float64)
    k, radius = k - k.mean(), radius - radius.mean()
    norm = np.sqrt((k @ k) * (radius @ radius))
    return float(k @ radius / norm) if norm > 1e-12 else 0.0


def measured_focus(radius_px: NDArray[np.float32], disparity: NDArray[np.float32]) -> float:
    """Disparity of the focal plane that best explains measured radii as ``a |d - d_f|``, with a free slope a.

    Args:
        radius_px, disparity: ``(N,)`` at the same pixels.
    """
    candidates = np.linspace(0, 1, 201)
    errors = []
    for focus in candidates:
        away = np.abs(disparity - focus)
        slope = (away * radius_px).sum() / max(float((away * away).sum()), 1e-12)
        errors.append(np.abs(radius_px - slope * away).mean())
    return float(candidates[int(np.argmin(errors))])


class BlurMeter:
    """Of one frame of a clip: ``blur_px`` measured, ``blur_expected_px`` of the thin lens, ``focus_measured``.

    ``blur_px`` and ``blur_expected_px`` are means over the pixels that ``k_blur_correlation`` tells of;
    ``focus_measured`` is by all textured pixels away from edges. Scores whose pixels are too few are left out. Frames
    of more than 512 px are measured reduced; radii are in pixels of the frame.

    Args:
        index: which frame is measured: one is enough, and it costs as much as all else together.
    """

    def __init__(self, index: int) -> None:
        self._index = index
        self._seen = 0
        self._scores: dict[str, float] = {}

    def add(self, prediction: Picture, frame: SourceFrame) -> None:
        """See ``Meter.add``."""
        if self._seen == self._index:
            self._scores = _measured(prediction, frame)
        self._seen += 1

    def scores(self) -> dict[str, float]:
        """See ``Meter.scores``."""
        return self._scores


def _measured(prediction: Picture, frame: SourceFrame) -> dict[str, float]:
    ruler, disparity = frame.ruler, frame.reduced_disparity
    usable = ruler.is_textured & (distance_to_edges_px(disparity) > ruler.greatest_radius_px + WINDOW_PX / 2)
    if usable.sum() < _FEWEST_PIXELS:
        return {}
    radius = ruler.measure(frame.reduced(prediction))
    scores = {}
    spread = float(np.ptp(np.percentile(disparity[usable], (5, 95))))
    # A picture that is sharp all over has no focal plane, and of things at one depth nobody can tell where it is.
    if radius[usable].mean() >= STEP_PX and spread >= _FOCUS_SPREAD:
        scores["focus_measured"] = measured_focus(radius[usable], disparity[usable])
    blurred = usable & (np.abs(disparity - frame.focus_disparity) > _DEFOCUS)
    if blurred.sum() >= _FEWEST_PIXELS:
        expected = coc_radius_px(disparity, frame.focus_disparity, frame.blur_strength, max(disparity.shape))
        larger = max(frame.disparity.shape) / max(disparity.shape)
        scores["blur_px"] = float(radius[blurred].mean(dtype=np.float64)) * larger
        scores["blur_expected_px"] = float(expected[blurred].mean(dtype=np.float64)) * larger
    return scores
