"""Flicker taken out along the motion of the picture."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from any2bokeh.disparity.stabilise.one_surface import average_around, select_and_average
from any2bokeh.motion.flow import FlowFinder
from any2bokeh.motion.shots import is_cut
from any2bokeh.motion.thumbnail import Thumbnail
from any2bokeh.motion.trust import brought, trust
from any2bokeh.motion.warp import composed, warp

# Values within this many deviations of the flicker from the middle of all count as one.
_TOLERANCE_DEVIATIONS = 4.0
# The deviation is taken to be at least this share of the range of the map.
_DEVIATION_MIN_SHARE = 0.002
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
    flow = FlowFinder()
    window: list[_Held] = []  # oldest first
    centre = 0
    for values, known, picture in frames:
        if reach == 0:
            yield values[None]
            continue
        newest = _Held(values, None if known.all() else known, picture)
        if window:
            _tie(window[-1], newest, flow)
        window.append(newest)
        if len(window) - centre > reach:
            yield _smooth(window, centre, reach)[None]
            centre += 1
        if centre > reach:
            window.pop(0)
            centre -= 1
    for place in range(centre, len(window)):
        yield _smooth(window, place, reach)[None]


def _tie(before: _Held, after: _Held, flow: FlowFinder) -> None:
    """Find the motion between two neighbours, unless there is a cut between them."""
    if before.picture.shape != after.picture.shape:
        return
    back = flow(after.picture.grey, before.picture.grey)
    if is_cut(before.picture, after.picture, back):
        return
    onward = flow(before.picture.grey, after.picture.grey)
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
        brought(other.values, known, way, sure, stack[number], says[number])
    deviation, spread = _deviation(stack, says)
    says[0] += len(stack) * _beside_step(here.values, max(_STEP_SHARE * spread, _STEP_DEVIATIONS * deviation))
    tolerance = _TOLERANCE_DEVIATIONS * deviation
    result = np.empty_like(here.values)
    if here.known is not None:
        says[0][~here.known] = 0  # what was filled in gives way to what another frame knows
    surface = max(_SURFACE_SHARE * spread, _STEP_DEVIATIONS * deviation)
    select_and_average(stack, says, np.float32(tolerance), np.float32(surface), result)
    return average_around(result, np.float32(_GRAIN_DEVIATIONS * deviation))


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
                sure = sure * warp(hop_trust, way)
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
