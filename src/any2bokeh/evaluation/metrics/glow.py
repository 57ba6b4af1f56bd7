"""Glow: the subject's light around it, where there should be none."""

import cv2
import numpy as np
from numpy.typing import NDArray

from any2bokeh.evaluation.metrics.misplaced_blur import distance_outside_px
from any2bokeh.evaluation.metrics.picture import Picture
from any2bokeh.evaluation.metrics.source_frame import SourceFrame
from any2bokeh.evaluation.metrics.truth import TruthFrame
from any2bokeh.optics.coc import REFERENCE_LONG_SIDE_PX, coc_radius_px
from any2bokeh.optics.transfer import decode

MARGIN_PX, REACH_PX = 2.0, 16.0
"""The band around the subject that is looked at: from the one to the other, in a frame of 1024 px on its longer side.
Nearer, pixels are partly the subject's own."""

Light = NDArray[np.float32]  # (H, W, 3)


def glow(result: Light, expected: Light, subject_light: Light, band: NDArray[np.bool_]) -> tuple[float, float]:
    """How much of the subject's light lies over the light that is expected.

    With ``result = expected + g (subject_light - expected)``, the share g that fits best: ``a / b`` with
    ``a = sum (result - expected) (subject_light - expected)`` and ``b = sum (subject_light - expected)^2``. 0 where the
    result is as expected, 1 where it shows nothing but the subject's colour, less than 0 where it is farther from it
    than expected.

    Args:
        result, expected, subject_light: linear light.
        band: ``(H, W)``, the pixels that are looked at.

    Returns:
        a and b, to be added up over frames.
    """
    towards = (subject_light - expected)[band].astype(np.float64)
    return float(((result - expected)[band] * towards).sum()), float(np.square(towards).sum())


class GlowMeter:
    """``glow``: share of the subject's light in the band around it, over all frames; 0 is best. See ``glow``.

    Expected is the truth where it is known. Where it is not, it is the background without the subject, blurred by as
    much as the background around the subject should be: only frames count then whose subject is in focus, the source
    has a glow of its own where the mask is too small, and that is to be compared with.

    The paper: nothing of the kind.
    """

    def __init__(self) -> None:
        self._sums = np.zeros(2)

    def add(self, prediction: Picture, frame: SourceFrame) -> None:
        """See ``Meter.add``."""
        if frame.subject is None or not frame.subject.any() or frame.subject.all():
            return
        scale = max(frame.subject.shape) / REFERENCE_LONG_SIDE_PX
        distance = distance_outside_px(frame.subject)
        band = (distance > MARGIN_PX * scale) & (distance <= REACH_PX * scale)
        source = decode(frame.source, frame.transfer)
        subject_light, is_lit = _spread(source, frame.subject, REACH_PX / 2 * scale)
        if isinstance(frame, TruthFrame):
            expected = decode(frame.truth, frame.transfer)
        else:
            radius = coc_radius_px(
                frame.disparity, frame.focus_disparity, frame.blur_strength, max(frame.subject.shape)
            )
            background = distance > MARGIN_PX * scale
            if not band.any() or np.median(radius[frame.subject]) > scale:
                return
            # A disc of radius r has the deviation r / 2 along an axis.
            expected, is_known = _spread(source, background, float(np.median(radius[band])) / 2)
            is_lit &= is_known
        result = decode(prediction, frame.transfer)
        self._sums += glow(result, expected, subject_light, band & is_lit)

    def scores(self) -> dict[str, float]:
        """See ``Meter.scores``. Left out where there is no subject, or it has the colours of what is around it."""
        ours, subject = self._sums
        return {"glow": float(ours / subject)} if subject > 1e-6 else {}


def _spread(light: Light, within: NDArray[np.bool_], sigma_px: float) -> tuple[Light, NDArray[np.bool_]]:
    """The light of some pixels alone, blurred; and where there is enough of it to know."""
    if sigma_px < 0.3:  # less than a pixel's own extent
        return light, within
    share = within.astype(np.float32)
    blurred, weight = (
        np.asarray(cv2.GaussianBlur(one, (0, 0), sigma_px, borderType=cv2.BORDER_REFLECT_101), np.float32)
        for one in (light * share[..., None], share)
    )
    return np.asarray(blurred / np.maximum(weight, 1e-4)[..., None], np.float32), weight > 1e-3
