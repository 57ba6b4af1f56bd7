"""Edges without a network: ramps become steps, and colour says where they belong."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from any2bokeh.disparity.edges import colour, ramps, rings, thin
from any2bokeh.disparity.edges.bands import EdgeBands

_BAND_PX = 5.5  # how far from a step its true place may lie, with what is looked at beside it
_REACH_PX = 3.6  # farther from where it is expected no edge is
_SOFT_SHARE = 0.5  # of ramps that are wider than a clean step, above which a map is soft
_CLEAN_PX = 2  # width of a clean step
_LEAST_SHIFT_PX = 0.75  # clean steps that are less far off are in place
_MOST_SHIFT_PX = 4
_LEAST_AGREEMENT = 0.3  # of colours with the sides they lie on, below which they say nothing of the place
_LEAST_GAIN = 1.1  # in agreement over that of steps left in place, for which they are moved by a pixel or more
_SAMPLES = 4000  # pixels of a band that tell by how much all of it is off
_PLACE_ODDS_PER_PX, _PLACE_ODDS_MOST = 0.7, 2.5
_COLOUR_SAY = 0.8
_NEIGHBOURS_SAY = np.float32(5)
_ROUNDS = 2
_SPACING_PX, _ROUGH_SPACING_PX = 2, 4  # of the samples that a pixel is compared with


@dataclass(frozen=True, slots=True)
class ClassicalEdges:
    """An ``EdgeEstimator``: steps where ramps were, placed by colour.

    A ramp belongs to no surface; it is replaced by a step at its middle. Around each step, the pixels some way off tell
    the colours of both sides. How well the colours between agree with a step that is moved by a few pixels, over the
    whole frame, tells by how much the map's edges are grown or shrunk; then each pixel is given to a side by its
    colour, by its place, and by what its neighbours of like colour are.

    Attributes:
        always: also where the map's steps are clean and lie on the picture's edges; otherwise such a map is left to
            the bit.
    """

    always: bool = False

    def __call__(self, disparity: NDArray[np.float32], pixels: NDArray[np.float32]) -> EdgeBands:
        given = np.ascontiguousarray(disparity[0], np.float32)
        picture = np.ascontiguousarray(np.minimum(pixels, np.float32(1)).transpose(1, 2, 0), np.float32)
        stride = max(1, round(max(given.shape) / 1024))
        sharp, is_soft = _stepped(given, stride)
        step = _Steps.of(sharp, stride)
        if step.band.size == 0:
            return EdgeBands.none(disparity)
        shift_px = step.shift_px(picture)
        if not (self.always or is_soft or abs(shift_px) > _LEAST_SHIFT_PX * stride):
            return EdgeBands.none(disparity)
        return step.placed(picture, shift_px)


def _stepped(given: NDArray[np.float32], stride: int) -> tuple[NDArray[np.float32], bool]:
    """The map with steps in place of ramps, and whether most of them were ramps."""
    near, far, sharp = np.empty_like(given), np.empty_like(given), np.empty_like(given)
    width = np.empty(given.shape, np.uint8)
    ramps.find_ramps(given, stride, near, far, width)
    ramps.toggle(given, near, far, width, sharp)
    widths = width[width > 0]
    is_soft = bool(np.count_nonzero(widths > _CLEAN_PX * stride) > _SOFT_SHARE * widths.size)
    return (thin.lifted(sharp, round(float(widths.mean())), stride) if is_soft else sharp), is_soft


@dataclass(frozen=True, slots=True, eq=False)
class _Steps:
    """A map with clean steps and the band around them; see ``rings.find_band``."""

    disparity: NDArray[np.float32]
    stride: int
    band: NDArray[np.int32]
    distance: NDArray[np.float32]
    side: NDArray[np.int8]
    near: NDArray[np.float32]
    far: NDArray[np.float32]

    @classmethod
    def of(cls, disparity: NDArray[np.float32], stride: int) -> "_Steps":
        near, far, distance = (np.zeros_like(disparity) for _ in range(3))
        side = np.empty(disparity.shape, np.int8)
        least, most_px = np.float32(ramps.LEAST_STEP), np.float32(_BAND_PX * stride)
        rings.find_band(disparity, least, most_px, distance, side, near, far)
        band = np.flatnonzero(side).astype(np.int32)  # in order of memory
        return cls(disparity, stride, band, distance, side, near, far)

    def shift_px(self, pixels: NDArray[np.float32]) -> float:
        """How far into their near sides the steps of the picture lie from those of the map, over the frame."""
        looked_at = self.band[:: max(1, self.band.size // _SAMPLES)]
        odds, _ = self._odds(pixels, looked_at)
        says = np.tanh(odds.ravel()[looked_at] / 2)
        place = self._place_px(looked_at)
        shifts = np.arange(-_MOST_SHIFT_PX, _MOST_SHIFT_PX + 1)
        agreement = np.array([np.mean(says * np.sign(place - shift * self.stride)) for shift in shifts])
        best = int(agreement.argmax())
        in_place = max(float(agreement[_MOST_SHIFT_PX]), 0.0)
        if agreement[best] < max(_LEAST_AGREEMENT, _LEAST_GAIN * in_place) and best != _MOST_SHIFT_PX:
            return 0.0
        if not 0 < best < shifts.size - 1:
            return 0.0
        before, top, after = agreement[best - 1 : best + 2]
        bend = before - 2 * top + after
        return float(self.stride * (shifts[best] + (0.5 * (before - after) / bend if bend < 0 else 0.0)))

    def placed(self, pixels: NDArray[np.float32], shift_px: float) -> EdgeBands:
        """Each pixel of the band given to one of its two surfaces."""
        place = self._place_px(self.band) - np.float32(shift_px)
        is_sure = np.abs(place) > _REACH_PX * self.stride
        unsure, sure = self.band[~is_sure], self.band[is_sure]
        odds, clean = self._odds(pixels, unsure, sure)
        by_place = np.clip(place[~is_sure] * (_PLACE_ODDS_PER_PX / self.stride), -_PLACE_ODDS_MOST, _PLACE_ODDS_MOST)
        evidence = odds  # its memory
        evidence.ravel()[unsure] = by_place + _COLOUR_SAY * odds.ravel()[unsure]
        belief = np.zeros_like(evidence)
        belief.ravel()[unsure] = by_place / (1 + np.abs(by_place))
        belief.ravel()[sure] = np.sign(place[is_sure])
        settled = belief.copy()
        for _ in range(_ROUNDS):
            colour.settle(unsure, self.stride, evidence, belief, pixels, _NEIGHBOURS_SAY, settled)
            belief, settled = settled, belief
        near, far = clean
        believed = belief.ravel()[self.band]
        disparity, share = self.disparity.copy(), np.zeros_like(evidence)
        disparity.ravel()[self.band] = np.where(believed > 0, near.ravel()[self.band], far.ravel()[self.band])
        share.ravel()[self.band] = (believed + 1) / 2
        return EdgeBands(disparity[None], self.side != 0, near, far, share)

    def _place_px(self, of: NDArray[np.int32]) -> NDArray[np.float32]:
        """Signed distance to the step, positive on near sides."""
        return self.distance.ravel()[of] * self.side.ravel()[of]

    def _odds(
        self, pixels: NDArray[np.float32], of: NDArray[np.int32], roughly_of: NDArray[np.int32] | None = None
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Evidence of colour, and both surfaces without overshoot; see ``colour.find_odds``.

        Args:
            pixels: ``(H, W, 3)``.
            of: indices of pixels.
            roughly_of: others, of which fewer samples are looked at: the surfaces are all that is wanted of them.
        """
        odds, clean = np.zeros_like(self.disparity), np.zeros((2, *self.disparity.shape), np.float32)
        of_steps = (self.disparity, pixels, self.distance, self.near, self.far)
        colour.find_odds(of, _SPACING_PX * self.stride, self.stride, *of_steps, odds, clean)
        if roughly_of is not None:
            colour.find_odds(roughly_of, _ROUGH_SPACING_PX * self.stride, self.stride, *of_steps, odds, clean)
        return odds, clean
