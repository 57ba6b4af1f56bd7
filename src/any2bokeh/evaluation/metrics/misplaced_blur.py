"""Blur where there should be none, and none where there should be: what wrong disparity does to a subject in focus."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from any2bokeh.optics.coc import REFERENCE_LONG_SIDE_PX, coc_radius_px
from any2bokeh.renderers.base import RenderInput

SHARP_RADIUS_PX = 1.0
"""Radius of the circle of confusion up to which a pixel counts as sharp, in a frame of 1024 px on its longer side."""
OUTLINE_PX = 6.0
"""Pixels this near the outline of the mask are not judged: neither masks nor disparity are sure there. Of 1024 px."""


@dataclass(frozen=True, slots=True)
class MisplacedBlur:
    """Shares of a frame's pixels that are blurred, or sharp, by mistake.

    Attributes:
        subject_blurred: share in [0, 1] of the subject, away from its outline, that is blurred; None where no subject
            is seen, or nothing of it is left without its outline.
        background_sharp: the same of all that is not the subject and is sharp.
    """

    subject_blurred: float | None
    background_sharp: float | None


def misplaced_blur(radius_px: NDArray[np.float32], subject: NDArray[np.bool_]) -> MisplacedBlur:
    """How much of a subject in focus is blurred, and how much of what is not the subject is sharp; 0 and 0 are best.

    Radii are those that the renderer is told (``coc_radius_px`` of its disparity, focus and K, after a focus range),
    not measured in its pictures: blur cannot be seen where there is no texture, and the same maps must not score
    differently with another engine. Ground that the subject stands on, and whatever else is as far away as it, is sharp
    by right and counts as sharp all the same, as the mask does not tell it apart: compare with the share that good
    disparity has on the same clip.

    Args:
        radius_px: ``(H, W)`` in pixels of this frame.
        subject: ``(H, W)``, where the mask of the subject is on.

    Source: ours.
    """
    scale = max(radius_px.shape) / REFERENCE_LONG_SIDE_PX
    is_sharp = radius_px <= SHARP_RADIUS_PX * scale
    inner, outer = apart(subject, OUTLINE_PX * scale)
    return MisplacedBlur(_share(~is_sharp, inner), _share(is_sharp, outer))


class MisplacedBlurMeter:
    """``subject_blurred`` and ``background_sharp`` of a clip, of what its renderers are told: means over frames."""

    def __init__(self) -> None:
        self._frames: list[MisplacedBlur] = []

    def add(self, given: RenderInput, subject: NDArray[np.bool_]) -> None:
        """Take the next frame; one without blur says nothing.

        Args:
            given: what renderers are told.
            subject: ``(H, W)``, where the mask of the subject is on.
        """
        if given.blur_strength > 0:
            long_side_px = max(subject.shape)
            radius = coc_radius_px(given.disparity[0], given.focus_disparity, given.blur_strength, long_side_px)
            self._frames.append(misplaced_blur(radius, subject))

    def scores(self) -> dict[str, float]:
        """Name and share; what no frame allows is left out."""
        found = {name: [getattr(one, name) for one in self._frames] for name in ("subject_blurred", "background_sharp")}
        known = {name: [share for share in shares if share is not None] for name, shares in found.items()}
        return {name: float(np.mean(shares)) for name, shares in known.items() if shares}


def apart(subject: NDArray[np.bool_], outline_px: float) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """The subject and all else, both ``(H, W)``, without what is within ``outline_px`` of its outline."""
    return distance_outside_px(~subject) > outline_px, distance_outside_px(subject) > outline_px


def distance_outside_px(subject: NDArray[np.bool_]) -> NDArray[np.float32]:
    """``(H, W)`` distance from the nearest pixel of the subject, 0 on it; infinity where there is none."""
    if not subject.any():
        return np.full(subject.shape, np.inf, np.float32)
    return np.asarray(cv2.distanceTransform(np.asarray(~subject, np.uint8), cv2.DIST_L2, 5), np.float32)


def _share(of: NDArray[np.bool_], within: NDArray[np.bool_]) -> float | None:
    return float(of[within].mean()) if within.any() else None
