"""Flicker taken out along the motion of the picture."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numba import njit
from numpy.typing import NDArray

from any2bokeh.disparity.stabilise.cuts import is_cut
from any2bokeh.disparity.stabilise.motion import (
    MotionFinder,
    Thumbnail,
    composed,
    followed,
    trust,
)

# Values within this many deviations of the flicker from the middle of all count as one.
_TOLERANCE_DEVIATIONS = 4.0
# The deviation is taken to be at least this share of the range of the map.
_DEVIATION_MIN_SHARE = 0.002
# A match that is believed less than this is left out.
_TRUST_MIN = 0.05
# Neighbouring pixels within this many deviations of one another are averaged, which takes out what grain is left.
_GRAIN_DEVIATIONS = 2.0
# A value further than this from the frame's own, as a share of the range, is another surface and has no say: where
# motion was found wrongly the neighbours would put holes into a limb.
_SURFACE_SHARE = 0.08
# A pixel with a step this high within this many pixels keeps the surface that its own frame gives it: there a match
# that is off by one pixel is another surface.
_STEP_SHARE = 0.03
_STEP_DEVIATIONS = 6.0
_STEP_WINDOW_PX = 9


@dataclass
class _Held:
    """One frame in the window, with the motion to its neighbours within the shot."""

    values: NDArray[np.float32]
    known: NDArray[np.bool_] | None  # None where all are
    picture: Thumbnail
    back: NDArray[np.float32] | None = None
    back_trust: NDArray[np.float32] | None = None
    onward: NDArray[np.float32] | None = None
    onward_trust: NDArray[np.float32] | None = None


def smoothed(
    frames: Iterable[tuple[NDArray[np.float32], NDArray[np.bool_], Thumbnail]], *, reach: int = 2
) -> Iterator[NDArray[np.float32]]:
    """Maps without flicker, in order, one for each that goes in.

    Every pixel is followed through the ``reach`` frames before and after its own by optical flow, as far as the way
    there and back agrees and the colours do; never across a cut. Of the disparities found there the weighted median is
    taken, and around it the mean of those that differ by no more than the flicker does. To which surface a pixel
    belongs is decided by its own frame, so that moving edges stay where they are and as sharp as they were, and motion
    that was found wrongly does no harm; a surface that one frame misses is therefore not put back.

    Args:
        frames: of each the map ``(h, w)`` float32, finite and on one scale within each shot; where its values are known
            and not filled in; and its picture.
        reach: frames that are looked at before and after each; 0 leaves the maps as they are.

    Source: after the flow-guided filter of Kopf et al., Robust Consistent Video Depth Estimation, CVPR 2021, sec. 3.4,
    with a median first and the surface taken from the frame itself.
    """
    motion = MotionFinder()
    window: list[_Held] = []  # oldest first
    centre = 0
    for values, known, picture in frames:
        if reach == 0:
            yield values[None]
            continue
        newest = _Held(values, None if known.all() else known, picture)
        if window:
            _tie(window[-1], newest, motion)
        window.append(newest)
        if len(window) - centre > reach:
            yield _smooth(window, centre, reach)[None]
            centre += 1
        if centre > reach:
            window.pop(0)
            centre -= 1
    for place in range(centre, len(window)):
        yield _smooth(window, place, reach)[None]


def _tie(before: _Held, after: _Held, motion: MotionFinder) -> None:
    """Find the motion between two neighbours, unless there is a cut between them."""
    if before.picture.shape != after.picture.shape:
        return
    back = motion(after.picture, before.picture)
    if is_cut(before.picture, after.picture, back):
        return
    onward = motion(before.picture, after.picture)
    after.back, before.onward = back, onward
    after.back_trust = trust(back, onward, after.picture, before.picture)
    before.onward_trust = trust(onward, back, before.picture, after.picture)


def _smooth(window: list[_Held], centre: int, reach: int) -> NDArray[np.float32]:
    here = window[centre]
    shape = here.values.shape
    ways = list(_ways(window, centre, reach))
    if not ways:
        return here.values
    stack = np.empty((len(ways) + 1, *shape), np.float32)
    says = np.empty_like(stack)
    stack[0], says[0] = here.values, 1
    for number, (other, way, sure) in enumerate(ways, 1):
        known = np.ones((1, 1), np.bool_) if other.known is None else other.known
        _bring(other.values, known, way, sure, stack[number], says[number])
    deviation, spread = _deviation(stack, says)
    says[0] += len(stack) * _beside_step(here.values, max(_STEP_SHARE * spread, _STEP_DEVIATIONS * deviation))
    tolerance = _TOLERANCE_DEVIATIONS * deviation
    result = np.empty_like(here.values)
    if here.known is not None:
        says[0][~here.known] = 0  # what was filled in gives way to what another frame knows
    surface = max(_SURFACE_SHARE * spread, _STEP_DEVIATIONS * deviation)
    _select_and_average(stack, says, np.float32(tolerance), np.float32(surface), result)
    return _average_around(result, np.float32(_GRAIN_DEVIATIONS * deviation))


def _beside_step(values: NDArray[np.float32], height: float) -> NDArray[np.bool_]:
    """Where values differ by more than ``height`` within some pixels."""
    calm = cv2.GaussianBlur(values, (0, 0), 1.0)
    window = np.ones((_STEP_WINDOW_PX, _STEP_WINDOW_PX), np.uint8)
    return np.asarray(cv2.dilate(calm, window) - cv2.erode(calm, window)) > height


def _ways(
    window: list[_Held], centre: int, reach: int
) -> Iterator[tuple[_Held, NDArray[np.float32], NDArray[np.float32]]]:
    """Neighbours of a frame within its shot, the motion to each, and how far that is believed; at thumbnail size."""
    for direction in (-1, 1):
        way: NDArray[np.float32] | None = None
        sure: NDArray[np.float32] | None = None
        for step in range(1, reach + 1):
            place = centre + direction * step
            if not 0 <= place < len(window):
                break
            start = window[place - direction]
            hop, hop_trust = (start.back, start.back_trust) if direction < 0 else (start.onward, start.onward_trust)
            if hop is None or hop_trust is None:
                break
            if way is None or sure is None:
                way, sure = hop, hop_trust
            else:
                sure = sure * followed(hop_trust, way)
                way = composed(way, hop)
            yield window[place], way, sure


def _deviation(values: NDArray[np.float32], weights: NDArray[np.float32]) -> tuple[float, float]:
    """Robust standard deviation of the flicker, from how the neighbours differ where they match, and the range."""
    sample = slice(None, None, 4)
    own = values[0, sample, sample]
    differences = np.abs(values[1:, sample, sample] - own)[weights[1:, sample, sample] > 0.5]
    low, high = np.quantile(own, (0.02, 0.98))
    spread = max(float(high - low), 1e-9)
    least = _DEVIATION_MIN_SHARE * spread
    if differences.size < 50:
        return least, spread
    return max(1.4826 * float(np.median(differences)) / float(np.sqrt(2)), least), spread


@njit(nogil=True, cache=True, fastmath=True)
def _bring(other, known, way, sure, values, weights):  # pragma: no cover (compiled)
    """What another frame's map holds where each pixel moves to, and how far that is believed.

    Motion and trust are interpolated from the size of the thumbnail. ``known`` is of one pixel where all are.
    """
    height, width = values.shape
    small_height, small_width = sure.shape
    scale_y, scale_x = small_height / height, small_width / width
    look = known.shape[0] == height
    for y in range(height):
        at_y = min(max((y + 0.5) * scale_y - 0.5, 0.0), small_height - 1.0)
        j = min(int(at_y), max(small_height - 2, 0))
        below = min(j + 1, small_height - 1)
        down = np.float32(at_y - j)
        for x in range(width):
            at_x = min(max((x + 0.5) * scale_x - 0.5, 0.0), small_width - 1.0)
            i = min(int(at_x), max(small_width - 2, 0))
            beside = min(i + 1, small_width - 1)
            right = np.float32(at_x - i)
            a, b = (1 - down) * (1 - right), (1 - down) * right
            c, d = down * (1 - right), down * right
            weight = a * sure[j, i] + b * sure[j, beside] + c * sure[below, i] + d * sure[below, beside]
            if weight < _TRUST_MIN:
                weights[y, x] = 0
                values[y, x] = 0
                continue
            move_x = a * way[j, i, 0] + b * way[j, beside, 0] + c * way[below, i, 0] + d * way[below, beside, 0]
            move_y = a * way[j, i, 1] + b * way[j, beside, 1] + c * way[below, i, 1] + d * way[below, beside, 1]
            to_x = min(max(x + move_x / scale_x, 0.0), width - 1.0)
            to_y = min(max(y + move_y / scale_y, 0.0), height - 1.0)
            k, m = int(to_y), int(to_x)
            k_next, m_next = min(k + 1, height - 1), min(m + 1, width - 1)
            share_y, share_x = np.float32(to_y - k), np.float32(to_x - m)
            top = other[k, m] + share_x * (other[k, m_next] - other[k, m])
            bottom = other[k_next, m] + share_x * (other[k_next, m_next] - other[k_next, m])
            values[y, x] = top + share_y * (bottom - top)
            if look and not (known[k, m] and known[k, m_next] and known[k_next, m] and known[k_next, m_next]):
                weight = np.float32(0)
            weights[y, x] = weight


@njit(nogil=True, cache=True, fastmath=True)
def _select_and_average(values, weights, tolerance, surface, result):  # pragma: no cover (compiled)
    """Weighted median over the first axis, then the mean around it with Cauchy weights."""
    count, height, width = values.shape
    near = np.empty(count, np.float32)
    say = np.empty(count, np.float32)
    for y in range(height):
        for x in range(width):
            kept = 0
            total = np.float32(0)
            own_counts = weights[0, y, x] > 0
            for k in range(count):
                weight = weights[k, y, x]
                if weight < _TRUST_MIN:
                    continue
                value = values[k, y, x]
                if own_counts and abs(value - values[0, y, x]) > surface:
                    continue
                place = kept
                while place > 0 and near[place - 1] > value:
                    near[place] = near[place - 1]
                    say[place] = say[place - 1]
                    place -= 1
                near[place] = value
                say[place] = weight
                kept += 1
                total += weight
            if kept == 0 or (kept == 1 and own_counts):
                result[y, x] = values[0, y, x]
                continue
            passed = np.float32(0)
            middle = near[0]
            for k in range(kept):
                passed += say[k]
                if passed * 2 >= total:
                    middle = near[k]
                    break
            sum_values = np.float32(0)
            sum_weights = np.float32(0)
            for k in range(kept):
                away = (near[k] - middle) / tolerance
                away *= away
                weight = say[k] / (1 + away * away)
                sum_values += weight * near[k]
                sum_weights += weight
            result[y, x] = sum_values / sum_weights


@njit(nogil=True, cache=True, fastmath=True)
def _average_around(values, tolerance):  # pragma: no cover (compiled)
    """Mean of 3x3 pixels with Cauchy weights: of one surface, never of two."""
    height, width = values.shape
    result = np.empty_like(values)
    scale = 1 / tolerance
    for y in range(height):
        top, bottom = max(y - 1, 0), min(y + 2, height)
        for x in range(width):
            own = values[y, x]
            sum_values = np.float32(0)
            sum_weights = np.float32(0)
            for j in range(top, bottom):
                for i in range(max(x - 1, 0), min(x + 2, width)):
                    away = (values[j, i] - own) * scale
                    away *= away
                    weight = 1 / (1 + away * away)
                    sum_values += weight * values[j, i]
                    sum_weights += weight
            result[y, x] = sum_values / sum_weights
    return result
