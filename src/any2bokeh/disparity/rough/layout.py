"""Where things stand in a plain picture: what is low is near, the subject stands before what surrounds it."""

import cv2
import numpy as np
from numpy.typing import NDArray

from any2bokeh.subject.matte import outside_distance_px

# Disparities of the parts. They are a convention, not a measurement: portrait-like, the subject well before the rest.
_FARTHEST, _BACKDROP = 0.05, 0.32
_SUBJECT = 0.75
_NEAREST = 0.95
# Rows, over the height, from which the backdrop begins to come nearer.
_BACKDROP_FROM = 0.3
# The ground comes up to the subject's feet within this share of the height.
_GROUND = 0.10
# A matte that goes this near to the lower border, over the height, shows no ground.
_CUT_OFF = 0.02
# What moves against the camera is nearer by up to this.
_PARALLAX = 0.2
# The smallest step between the subject and what is behind it.
_STEP = 0.2
# Where it is not sure of the subject, what is about it is this much of the way to it, and so blurs less. By the width
# that this is spread over, over the longer side, where all of the matte is in question.
_DOUBTED = 0.8
_ABOUT = 0.2
# How fast the ground follows the subject's feet, as the share of a frame.
_FOLLOW = 0.08


class Layout:
    """Disparity of each frame from its matte; the ground follows the subject's feet without jumps."""

    def __init__(self) -> None:
        self._feet: float | None = None

    def disparity(
        self,
        matte: NDArray[np.float32],
        parallax: NDArray[np.float32] | None,
        doubt: NDArray[np.float32] | None = None,
        certainty: float = 1.0,
    ) -> NDArray[np.float32]:
        """Disparity of one frame.

        Args:
            matte: ``(h, w)`` in [0, 1] of the subject.
            doubt: ``(h, w)`` in [0, 1], how likely what is outside of it is the subject's after all; None = nowhere.
            certainty: that the matte is a subject's at all, 0 to 1.
            parallax: ``(h, w)`` in [0, 1], how much of the motion a pixel has that near things have; None = unknown.

        Returns:
            ``(h, w)`` float32 in [0, 1].
        """
        height = matte.shape[0]
        rows = ((np.arange(height) + 0.5) / height).astype(np.float32)[:, None]
        rise = np.clip((rows - _BACKDROP_FROM) / (1 - _BACKDROP_FROM), 0, 1) ** 2
        behind = np.broadcast_to(_FARTHEST + (_BACKDROP - _FARTHEST) * rise, matte.shape)
        if parallax is not None:
            behind = np.minimum(behind + _PARALLAX * parallax, _SUBJECT - _STEP)
        behind = self._with_ground(behind, rows, matte)
        behind = _less_blurred(behind, matte, doubt, certainty)
        # Nearly hard: a disparity between the two belongs to nothing in the scene.
        share = np.clip((matte - 0.5) * 4 + 0.5, 0, 1)
        return (behind + share * (np.maximum(_SUBJECT, behind) - behind)).astype(np.float32)

    def _with_ground(
        self, behind: NDArray[np.float32], rows: NDArray[np.float32], matte: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        feet = _lowest(matte)
        if feet is None:
            return behind
        # Someone cut off by the lower border stands on ground that is out of view.
        target = 1 + _GROUND if feet > 1 - _CUT_OFF else feet
        self._feet = target if self._feet is None else self._feet + _FOLLOW * (target - self._feet)
        rise = np.clip((rows - (self._feet - _GROUND)) / _GROUND, 0, 1)
        below = np.clip((rows - self._feet) / max(1 - self._feet, 0.05), 0, 1)
        ground = rise**2 * (3 - 2 * rise) * _SUBJECT + below * (_NEAREST - _SUBJECT)
        return np.maximum(behind, ground)


def _less_blurred(
    behind: NDArray[np.float32], matte: NDArray[np.float32], doubt: NDArray[np.float32] | None, certainty: float
) -> NDArray[np.float32]:
    """What is behind, nearer to the subject where it may be a part of it: blur that is wrong is worse than little."""
    if doubt is None and certainty >= 1:
        return behind
    question = np.zeros_like(matte) if doubt is None else doubt
    if certainty < 1:
        away = outside_distance_px(matte > 0.5) / np.float32(_ABOUT * max(matte.shape))
        question = np.maximum(question, np.float32(1 - certainty) * np.exp(-0.5 * away**2))
    return behind + np.float32(_DOUBTED) * question * np.maximum(_SUBJECT - behind, 0)


def _lowest(matte: NDArray[np.float32]) -> float | None:
    """Row, over the height, above which 98% of the matte lies; None for an empty matte."""
    mass = np.cumsum((matte > 0.5).sum(axis=1))
    if mass[-1] == 0:
        return None
    return float(np.searchsorted(mass, 0.98 * mass[-1]) + 1) / len(mass)


def backdrop_edges(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """A field of parallax without its noise: the median over a few pixels."""
    return np.asarray(cv2.medianBlur(values, 5), np.float32)
