"""A subject's matte propagated from frame to frame by flow, colour and speed, where there is no disparity."""

import cv2
import numpy as np
from numpy.typing import NDArray

from any2bokeh.motion.camera import Motion
from any2bokeh.motion.warp import warp
from any2bokeh.subject.appearance import colour_bins, colour_evidence, colour_histogram, speed_evidence
from any2bokeh.subject.matte import (
    colour_guided_filter,
    hanging_together,
    outside_distance_px,
    without_holes,
)

# What the matte of the frame before, colour and speed each count for.
_KEEP, _COLOUR, _SPEED = 0.6, 1.0, 0.8
_LIMIT = 4.0
# How colours are learnt and weighed; see `colour_histogram` and `colour_evidence`.
_NEIGHBOUR, _EVEN_SHARE, _COLOUR_LIMIT = 0.35, 0.1, 3.0
# What has stood still against the camera for about this many frames is not a subject that moves.
_STILL_FRAMES = 10
_STILL_PX = 0.6
_STILL_WEIGHT = 6.0
# How far the outline can go from one frame to the next, over the longer side, before it costs.
_REACH = 0.02
_EDGE_WINDOW = 0.012
# What is farther from the rest than this, over the longer side, does not belong to it; what is smaller than this share
# of it is a speck, or a hole.
_APART = 0.02
_SPECK_SHARE, _HOLE_SHARE = 0.004, 0.06
# How fast doubts come and go, and the width that they are spread over, over the longer side.
_LEARN_DOUBT = 0.5
_DOUBT_FROM, _DOUBT_OVER = 0.04, 0.2
_DOUBT_SIGMA = 0.008
# How fast the colours of subject and surround are learnt anew.
_LEARN_SUBJECT, _LEARN_SURROUND = 0.05, 0.1


class PropagatedMatte:
    """What is known of a subject after some frames; ``advance`` takes in the next.

    Attributes:
        share: ``(h, w)`` in [0, 1], the newest frame's matte.
        doubt: ``(h, w)`` in [0, 1], how likely what is outside the matte is the subject's after all; 0 inside.
    """

    def __init__(
        self, pixels: NDArray[np.uint8], share: NDArray[np.float32], residual_px: NDArray[np.float32] | None
    ) -> None:
        bins = colour_bins(pixels)
        self.share = share
        self.doubt = np.zeros_like(share)
        self._odds = ((share * 2 - 1) * 3).astype(np.float32)
        self._subject = _colours(bins, share)
        self._surround = _colours(bins, 1 - share)
        self._still = np.zeros(share.shape, np.float32)
        if residual_px is not None:
            self._still += _stillness(residual_px) / _STILL_FRAMES
        self._frames = 1

    def advance(self, pixels: NDArray[np.uint8], motion: Motion) -> NDArray[np.float32]:
        """The matte in the next frame.

        Args:
            pixels: ``(h, w, 3)`` RGB.
            motion: from this frame to the one before.
        """
        before, odds = warp(self.share, motion.flow), warp(self._odds, motion.flow, outside=-2)
        bins = colour_bins(pixels)
        odds = _KEEP * np.clip(odds, -_LIMIT, _LIMIT)
        looks = colour_evidence(bins, self._subject, self._surround, even_share=_EVEN_SHARE, limit=_COLOUR_LIMIT)
        odds += _COLOUR * looks
        odds += _SPEED * speed_evidence(motion.residual_px, before)
        # A part that stands still and is plainly of the subject's colours is a part that stands still, and no surround.
        odds += self._against_what_stands_still(before, motion) * np.clip(1 - looks, 0, 1)
        odds += np.clip(1 - outside_distance_px(before > 0.5) / (_REACH * max(before.shape)), -6, 0)
        likely = (1 / (1 + np.exp(-odds))).astype(np.float32)
        smooth = colour_guided_filter(likely, pixels, radius_px=max(1, round(_EDGE_WINDOW * max(before.shape))))
        matte = hanging_together(np.clip((smooth - 0.5) * 2 + 0.5, 0, 1), before, reach=_APART, share=_SPECK_SHARE)
        self.share = without_holes(matte, share=_HOLE_SHARE)
        self.doubt = self._doubted(likely, warp(self.doubt, motion.flow))
        # What was cut away shall not come back by itself, and what was filled in shall not go.
        odds = np.where((self.share < 0.5) & (odds > 0), np.float32(-0.5), odds)
        self._odds = np.where((self.share > 0.5) & (odds < 0), np.float32(0.5), odds).astype(np.float32)
        self._learn(bins)
        return self.share

    def _doubted(self, likely: NDArray[np.float32], before: NDArray[np.float32]) -> NDArray[np.float32]:
        """Doubt of a frame, which what is inside the matte says nothing of, and that of the frames before."""
        outside = 1 - self.share
        sigma = _DOUBT_SIGMA * max(likely.shape)
        weight = np.maximum(cv2.GaussianBlur(outside, (0, 0), sigma), np.float32(1e-3))
        around = cv2.GaussianBlur(likely * outside, (0, 0), sigma) / weight
        seen = np.clip((around - np.float32(_DOUBT_FROM)) / np.float32(_DOUBT_OVER), 0, 1)
        learnt = before + np.float32(_LEARN_DOUBT) * (seen - before)
        return np.asarray(learnt * outside, np.float32)

    def _against_what_stands_still(self, before: NDArray[np.float32], motion: Motion) -> NDArray[np.float32]:
        """Log-odds against pixels that have long stood still, as far as the subject itself is one that moves."""
        height, width = before.shape
        still = cv2.warpAffine(
            self._still, motion.camera, (width, height), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        )
        kept = 1 - 1 / _STILL_FRAMES
        still = kept * still + (1 - kept) * _stillness(motion.residual_px)
        self._still = np.where(motion.residual_px > 1, np.float32(0), still).astype(np.float32)
        self._frames += 1
        share = self._still / np.float32(1 - kept**self._frames)
        core = cv2.erode((before > 0.5).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
        moves = min(1.0, 2 * float((share[core] < 0.5).mean())) if core.any() else 0.0
        certainty = min(1.0, self._frames / 6)
        return -np.float32(_STILL_WEIGHT * moves * certainty) * np.clip((share - 0.4) / 0.5, 0, 1)

    def _learn(self, bins: NDArray[np.int32]) -> None:
        inside, outside = (self.share > 0.8).astype(np.float32), (self.share < 0.2).astype(np.float32)
        if inside.any():
            seen = _colours(bins, inside)
            self._subject += np.float32(_LEARN_SUBJECT) * (seen - self._subject)
        if outside.any():
            seen = _colours(bins, outside)
            self._surround += np.float32(_LEARN_SURROUND) * (seen - self._surround)


def _colours(bins: NDArray[np.int32], weights: NDArray[np.float32]) -> NDArray[np.float32]:
    return colour_histogram(bins, weights, neighbour=_NEIGHBOUR, wraps=True)


def _stillness(residual_px: NDArray[np.float32]) -> NDArray[np.float32]:
    return 1 - np.clip(residual_px / np.float32(_STILL_PX) - np.float32(0.5), 0, 1)
