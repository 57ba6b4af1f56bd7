"""The scale and shift that every frame of a clip is given."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from any2bokeh.disparity.stabilise.links import REFERENCE_SPACING, REFERENCES, FrameStats

# How far back a link reaches at the usual spacing.
_REACH = REFERENCE_SPACING * REFERENCES

MEMORY_FRAMES = 300
"""Over shorter times frames are held together by what they have in common; over longer, each by its own range."""
# Links are weighted again this often, those that contradict the rest less (Huber).
_ROUNDS = 4
_HUBER = 1.5
# A single link may not outweigh the usual one by more.
_WEIGHT_RANGE = 10.0


@dataclass(frozen=True, slots=True)
class ScaleShift:
    """``aligned = scale * value + shift`` for one frame."""

    scale: float
    shift: float

    def __call__(self, disparity_map: NDArray[np.float32]) -> NDArray[np.float32]:
        """The map on the scale of its shot."""
        return disparity_map * np.float32(self.scale) + np.float32(self.shift)


@dataclass
class _Edges:
    """Links of one shot as arrays, frames counted from its first."""

    later: NDArray[np.int64]
    earlier: NDArray[np.int64]
    weights: NDArray[np.float64]


def solve_shot(sightings: Sequence[FrameStats], given: Mapping[int, ScaleShift] | None = None) -> list[ScaleShift]:
    """Scale and shift of all frames of one shot, found together.

    Each link says that two frames show the same surfaces; the logarithms of the scales, and then the shifts, are the
    least-squares answer to all links at once, robust against links that are wrong. Nothing is accumulated from frame to
    frame. What all links leave open, one scale and one shift for the shot, is chosen so that the geometric mean of the
    scales is 1 and the mean of the frames' medians stays.

    Over more than some 300 frames the links lose hold of one another. There a weak pull towards an equal range of
    values in every frame bounds the drift.

    Args:
        sightings: of the frames of the shot, in order.
        given: placements that frames should have, by index in the clip.

    Source: the same two steps, ratios and then offsets, by weighted least squares as in the joint alignment of
    depth snippets of Ke et al., RollingDepth, CVPR 2025.
    """
    count, first = len(sightings), sightings[0].index
    links = [(one.index - first, link.to - first, link.relation) for one in sightings for link in one.links]
    later = np.array([link[0] for link in links], np.int64)
    earlier = np.array([link[1] for link in links], np.int64)
    weights = np.array([link[2].weight for link in links], np.float64)
    if links:
        usual = float(np.median(weights))
        weights = np.clip(weights / usual, 1 / _WEIGHT_RANGE, _WEIGHT_RANGE)
    edges = _Edges(later, earlier, weights)
    spreads = np.array([one.spread for one in sightings])
    middles = np.array([one.middle for one in sightings])
    usual_spread = float(np.median(spreads[spreads > 0])) if (spreads > 0).any() else 1.0
    own = -np.log(np.where(spreads > 0, spreads, usual_spread))
    local = {index - first: placement for index, placement in (given or {}).items() if 0 <= index - first < count}
    given_logs = {index: float(np.log(placement.scale)) for index, placement in local.items()}
    log_scales = _solve(count, edges, np.array([np.log(link[2].scale) for link in links]), own, given_logs)
    if not local:
        log_scales -= log_scales.mean()
    scales = np.exp(log_scales)
    rises = np.array(
        [
            scales[before] * relation.centre_there - scales[after] * relation.centre_here
            for after, before, relation in links
        ]
    )
    given_shifts = {index: placement.shift for index, placement in local.items()}
    shifts = _solve(count, edges, rises, -scales * middles, given_shifts)
    if not local:
        shifts += np.mean(middles - (scales * middles + shifts))
    return [ScaleShift(float(scale), float(shift)) for scale, shift in zip(scales, shifts, strict=True)]


def _solve(
    count: int,
    edges: _Edges,
    rises: NDArray[np.float64],
    own: NDArray[np.float64],
    given: dict[int, float],
) -> NDArray[np.float64]:
    """Values, one a frame, whose differences along the edges are ``rises``, and that are weakly held to ``own``."""
    say = np.ones(len(edges.weights))
    values = own - own.mean()
    for _ in range(_ROUNDS if len(say) else 1):
        weights = edges.weights * say
        stiffness = float((weights * (edges.later - edges.earlier) ** 2).sum()) / count
        hold = np.full(count, max(stiffness / MEMORY_FRAMES**2, 1e-9))
        target = own - own.mean()
        if given:
            # The weak pull must not argue with what is given, which weighs as much as a good link does: where the two
            # disagree the difference is spread over the frames between, and no frame jumps.
            places = np.array(sorted(given))
            target = own + float(np.mean([given[int(place)] - own[place] for place in places]))
            hold[places] = 1.0
            target[places] = [given[int(place)] for place in places]
        values = _least_squares(count, edges, weights, rises, hold, target)
        if len(say):
            residual = np.sqrt(edges.weights) * np.abs(values[edges.later] - values[edges.earlier] - rises)
            deviation = max(1.4826 * float(np.median(residual)), 1e-12)
            say = np.minimum(1, _HUBER * deviation / np.maximum(residual, 1e-15))
    return values


def _least_squares(
    count: int,
    edges: _Edges,
    weights: NDArray[np.float64],
    rises: NDArray[np.float64],
    hold: NDArray[np.float64],
    target: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Normal equations of a chain with short-cuts: block tridiagonal, as no edge is longer than a block."""
    length = max(int((edges.later - edges.earlier).max(initial=1)), 16)
    blocks = -(-count // length)
    size = blocks * length
    diagonal = np.zeros((blocks, length, length))
    below = np.zeros((blocks, length, length))  # row block k, column block k - 1
    right = np.zeros(size)
    places = np.arange(size)
    held = np.ones(size)
    held[:count] = hold
    diagonal[places // length, places % length, places % length] = held
    right[:count] = hold * target
    for later, earlier, weight, rise in zip(edges.later, edges.earlier, weights, rises, strict=True):
        (row, i), (column, j) = divmod(int(later), length), divmod(int(earlier), length)
        diagonal[row, i, i] += weight
        diagonal[column, j, j] += weight
        if row == column:
            diagonal[row, i, j] -= weight
            diagonal[row, j, i] -= weight
        else:
            below[row, i, j] -= weight
        right[later] += weight * rise
        right[earlier] -= weight * rise
    parts = right.reshape(blocks, length)
    for block in range(1, blocks):
        factor = np.linalg.solve(diagonal[block - 1], below[block].T).T
        diagonal[block] -= factor @ below[block].T
        parts[block] -= factor @ parts[block - 1]
    values = np.zeros((blocks, length))
    for block in range(blocks - 1, -1, -1):
        known = parts[block] - (below[block + 1].T @ values[block + 1] if block + 1 < blocks else 0)
        values[block] = np.linalg.solve(diagonal[block], known)
    return values.ravel()[:count]


class RunningScaleShift:
    """Scale and shift of frames as they come, from what came before alone; the first frame of a shot keeps its own."""

    def __init__(self) -> None:
        self._scales: dict[int, float] = {}
        self._shifts: dict[int, float] = {}
        self._own_log = 0.0
        self._own_middle = 0.0

    def add(self, sighting: FrameStats) -> ScaleShift:
        """The next frame of the clip."""
        if sighting.begins_shot or not self._scales:
            self._scales.clear()
            self._shifts.clear()
            scale, shift = 1.0, 0.0
            self._own_log = float(np.log(sighting.spread)) if sighting.spread > 0 else 0.0
            self._own_middle = sighting.middle
        else:
            scale, shift = self._next(sighting)
        self._scales[sighting.index], self._shifts[sighting.index] = scale, shift
        for index in [index for index in self._scales if index < sighting.index - _REACH]:
            del self._scales[index], self._shifts[index]
        return ScaleShift(scale, shift)

    def _next(self, sighting: FrameStats) -> tuple[float, float]:
        own_log = self._own_log - np.log(sighting.spread) if sighting.spread > 0 else 0.0
        links = [link for link in sighting.links if link.to in self._scales]
        if not links:
            scale = float(np.exp(own_log))
            return scale, self._own_middle - scale * sighting.middle
        weights = np.array([link.relation.weight for link in links])
        logs = np.array([np.log(self._scales[link.to] * link.relation.scale) for link in links])
        log_scale = _weighted_median(logs, weights)
        log_scale += (own_log - log_scale) / MEMORY_FRAMES
        scale = float(np.exp(log_scale))
        shifts = np.array(
            [
                self._scales[link.to] * link.relation.centre_there
                + self._shifts[link.to]
                - scale * link.relation.centre_here
                for link in links
            ]
        )
        shift = _weighted_median(shifts, weights)
        shift += (self._own_middle - scale * sighting.middle - shift) / MEMORY_FRAMES
        return scale, float(shift)


def _weighted_median(values: NDArray[np.float64], weights: NDArray[np.float64]) -> float:
    """Interpolated, so that two values give their weighted mean."""
    order = np.argsort(values)
    values, weights = values[order], weights[order]
    places = (np.cumsum(weights) - weights / 2) / weights.sum()
    return float(np.interp(0.5, places, values))
