"""How much blur a picture got, measured without knowing what was asked for."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from any2bokeh.evaluation.metrics.edge_band import STEP
from any2bokeh.evaluation.metrics.truth import Picture, TruthFrame, grey
from any2bokeh.optics.coc import coc_radius_px
from any2bokeh.optics.transfer import Transfer, decode

STEP_PX = 0.5
"""Between the radii that are tried; the best is refined by a parabola."""
LONG_SIDE_OVER_RADIUS = 32
"""The greatest radius that is tried is the longer side over this: 16 px of 512, K = 32 over all of disparity."""
_WINDOW_PX = 15
_TEXTURE = 1e-3  # local variance of linear luma, below which blur cannot be seen
_DEFOCUS = 0.1  # |d - d_f| above which a pixel counts as out of focus
_FEWEST_PIXELS = 200
_FOCUS_SPREAD = 0.2  # of disparity, from the 5th to the 95th percentile, below which focus is not measured
_SAMPLES = 8  # along a pixel's side


@dataclass(eq=False)
class BlurRuler:
    """An all-in-focus picture blurred by discs of growing radius, to hold other pictures against.

    Args:
        source: the all-in-focus picture.
        transfer: in which light is added.
    """

    source: Picture
    transfer: Transfer = "srgb"

    @cached_property
    def radii_px(self) -> NDArray[np.float32]:
        """The radii that are tried, from 0."""
        return np.arange(0, self.greatest_radius_px + STEP_PX / 2, STEP_PX, dtype=np.float32)

    @property
    def greatest_radius_px(self) -> float:
        """The largest of them."""
        return max(4.0, max(self.source.shape[:2]) / LONG_SIDE_OVER_RADIUS)

    def measure(self, picture: Picture) -> NDArray[np.float32]:
        """``(H, W)`` radius in pixels of the disc that, in a window of 15x15, best makes the picture of the source."""
        light = decode(picture, self.transfer)
        errors = np.stack([_local_mean(np.square(light - blurred).sum(axis=2)) for blurred in self._blurred])
        best = errors.argmin(axis=0)
        inner = np.clip(best, 1, len(errors) - 2)
        below, here, above = (np.take_along_axis(errors, (inner + k)[None], axis=0)[0] for k in (-1, 0, 1))
        bend = below - 2 * here + above
        shift = np.where(bend > 0, (below - above) / np.maximum(2 * bend, 1e-20), 0)
        # The parabola is of the three around the minimum; at the ends there are not three.
        refined = np.where(inner == best, best + np.clip(shift, -0.5, 0.5), best)
        return (refined * STEP_PX).astype(np.float32)

    @cached_property
    def is_textured(self) -> NDArray[np.bool_]:
        """``(H, W)``: where blur can be seen."""
        luma = grey(decode(self.source, self.transfer))
        return _local_mean(luma * luma) - _local_mean(luma) ** 2 > _TEXTURE

    @cached_property
    def _blurred(self) -> list[NDArray[np.float32]]:
        light = decode(self.source, self.transfer)
        return [_disc_blur(light, float(radius)) for radius in self.radii_px]


def blur_radius_px(picture: Picture, source: Picture, *, transfer: Transfer = "srgb") -> NDArray[np.float32]:
    """``(H, W)`` local blur radius of a picture, measured against its all-in-focus source; see ``BlurRuler``."""
    return BlurRuler(source, transfer).measure(picture)


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
    ``focus_measured`` is by all textured pixels away from edges. Scores whose pixels are too few are left out.

    Args:
        index: which frame is measured: one is enough, and it costs as much as all else together.
    """

    def __init__(self, index: int) -> None:
        self._index = index
        self._seen = 0
        self._scores: dict[str, float] = {}

    def add(self, prediction: Picture, frame: TruthFrame) -> None:
        """See ``Meter.add``."""
        if self._seen == self._index:
            self._scores = _measured(prediction, frame)
        self._seen += 1

    def scores(self) -> dict[str, float]:
        """See ``Meter.scores``."""
        return self._scores


def _measured(prediction: Picture, frame: TruthFrame) -> dict[str, float]:
    ruler = frame.ruler
    usable = ruler.is_textured & _is_far_from_edges(frame.disparity, ruler.greatest_radius_px + _WINDOW_PX / 2)
    if usable.sum() < _FEWEST_PIXELS:
        return {}
    radius = ruler.measure(prediction)
    scores = {}
    spread = float(np.ptp(np.percentile(frame.disparity[usable], (5, 95))))
    # A picture that is sharp all over has no focal plane, and of things at one depth nobody can tell where it is.
    if radius[usable].mean() >= STEP_PX and spread >= _FOCUS_SPREAD:
        scores["focus_measured"] = measured_focus(radius[usable], frame.disparity[usable])
    blurred = usable & (np.abs(frame.disparity - frame.focus_disparity) > _DEFOCUS)
    if blurred.sum() >= _FEWEST_PIXELS:
        expected = coc_radius_px(
            frame.disparity, frame.focus_disparity, frame.blur_strength, max(frame.disparity.shape)
        )
        scores["blur_px"] = float(radius[blurred].mean(dtype=np.float64))
        scores["blur_expected_px"] = float(expected[blurred].mean(dtype=np.float64))
    return scores


def _is_far_from_edges(disparity: NDArray[np.float32], reach_px: float) -> NDArray[np.bool_]:
    window = np.ones((3, 3), np.uint8)
    is_edge = cv2.dilate(disparity, window) - cv2.erode(disparity, window) > STEP
    if not is_edge.any():
        return np.ones(disparity.shape, np.bool_)
    return np.asarray(cv2.distanceTransform(np.asarray(~is_edge, np.uint8), cv2.DIST_L2, 5)) > reach_px


def _disc_blur(light: NDArray[np.float32], radius_px: float) -> NDArray[np.float32]:
    if radius_px <= 0:
        return light
    reach = int(np.ceil(radius_px))
    # Each pixel's share of the disc, by samples on a fine grid.
    fine = (np.arange((2 * reach + 1) * _SAMPLES) + 0.5) / _SAMPLES - reach - 0.5
    inside = fine[:, None] ** 2 + fine**2 <= radius_px**2
    disc = inside.reshape(2 * reach + 1, _SAMPLES, 2 * reach + 1, _SAMPLES).mean(axis=(1, 3), dtype=np.float32)
    return np.asarray(cv2.filter2D(light, -1, disc / disc.sum(), borderType=cv2.BORDER_REFLECT_101), np.float32)


def _local_mean(values: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(cv2.blur(values, (_WINDOW_PX, _WINDOW_PX), borderType=cv2.BORDER_REFLECT_101), np.float32)
