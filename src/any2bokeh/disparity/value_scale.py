"""From the values of files to disparity on one scale for the clip."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from any2bokeh.disparity.grey_frames import GreyFrames
from any2bokeh.disparity.reading import Polarity
from any2bokeh.errors import InputError

Values = NDArray[np.float32]

SKY_DEPTH = 1e9
"""Depth from which on a number stands for infinity: renderers write 1e10 (Blender), 1e30 or the largest float."""

# The near end of the scale is the nearest thing that covers more than this share of a frame ...
_STRAY_SHARE = 0.001
# ... unless what is nearer still would at most halve the scale: then it is kept as it is.
_STRAY_RATIO = 2.0
# Values of a frame that its end is found from.
_FRAME_SAMPLES = 1 << 17
# An end that a single frame has is an error of that frame.
_WINDOW = 3


@dataclass(frozen=True, slots=True)
class DisparityScale:
    """Values that are disparity: ``lowest`` and ``highest`` become 0 and 1, or 1 and 0 with ``near-black``."""

    polarity: Polarity
    lowest: float = 0.0
    highest: float = 1.0

    @property
    def inverse_metres_per_unit(self) -> None:
        """Unknown."""
        return None

    def disparity(self, values: Values) -> Values:
        """``(h, w)`` in [0, 1], 1 = nearest."""
        if (self.lowest, self.highest) != (0.0, 1.0):
            values = np.clip((values - np.float32(self.lowest)) / np.float32(self.highest - self.lowest), 0, 1)
        return values if self.polarity == "near-white" else 1 - values


@dataclass(frozen=True, slots=True)
class DepthScale:
    """Values that are depth z: disparity is ``z_nearest / z``, 0 at infinity, holes filled from beside them.

    Attributes:
        nearest: 1/z that becomes 1, in the unit of the values.
        metres_per_value: what a value of 1 stands for; None where the unit is unknown.
    """

    nearest: float
    metres_per_value: float | None

    @property
    def inverse_metres_per_unit(self) -> float | None:
        """1/metres that disparity 1 stands for; None where the unit is unknown."""
        return None if self.metres_per_value is None else self.nearest / self.metres_per_value

    def disparity(self, values: Values) -> Values:
        """``(h, w)`` in [0, 1], 1 = nearest."""
        from any2bokeh.disparity.stabilise.missing import filled

        inverse = inverse_depth(values)
        scaled = np.minimum(inverse / np.float32(self.nearest), 1, dtype=np.float32)
        return filled(scaled, np.isfinite(inverse))


def inverse_depth(values: Values) -> Values:
    """1/z ``(h, w)`` of depth: 0 at infinity, NaN where depth is 0, negative or not a number."""
    with np.errstate(divide="ignore", invalid="ignore"):
        inverse = np.where(values > 0, 1 / values, np.float32(np.nan))
    return np.where(values >= SKY_DEPTH, 0, inverse).astype(np.float32)


def disparity_scale(frames: GreyFrames, polarity: Polarity) -> DisparityScale:
    """The scale of disparity: integers as they are, floats from one pass over the clip.

    Raises:
        InputError: a value that is not finite.
    """
    if frames.normalised:
        return DisparityScale(polarity)
    lowest, highest = 0.0, 0.0
    for index, values in enumerate(frames.frames(0, frames.frame_count)):
        low, high = float(values.min()), float(values.max())
        if not np.isfinite((low, high)).all():
            count = int(np.count_nonzero(~np.isfinite(values)))
            raise InputError(
                f"disparity {frames.label(index)} has {count} NaN or infinite values of {values.size}; "
                f"fill them and export it again, or, if it is depth, pass --disparity-kind depth"
            )
        lowest, highest = min(lowest, low), max(highest, high)
    return DisparityScale(polarity) if lowest >= 0 and highest <= 1 else DisparityScale(polarity, lowest, highest)


def depth_scale(frames: GreyFrames, *, is_millimetres: bool) -> DepthScale:
    """The scale of depth, from one pass over the clip.

    Floats are metres, integers of an unknown unit, unless they are millimetres.

    Raises:
        InputError: a map without any depth, or integers that are no millimetres any more.
    """
    full_scale = frames.full_scale
    if is_millimetres and full_scale is None:
        raise InputError(
            f"{frames.title} is of limited range, whose values are no millimetres; export 16-bit grey pictures, or "
            f"pass --disparity-kind depth for distances without a unit"
        )
    nearest = _near_end(_near_ends(frames))
    if is_millimetres and full_scale is not None:
        return DepthScale(nearest, full_scale / 1000)
    return DepthScale(nearest, None if frames.normalised else 1.0)


def _near_ends(frames: GreyFrames) -> Iterator[tuple[float, float]]:
    """Of each frame the largest 1/z, and the largest without strays; 0 where all is infinitely far."""
    for index, values in enumerate(frames.frames(0, frames.frame_count)):
        inverse = inverse_depth(values)
        known = inverse[np.isfinite(inverse)]
        if not known.size:
            negative = bool(np.any(values < 0))
            what = "only negative depth" if negative else "no depth: all of it is 0 or not a number"
            remedy = "export distances above 0" if negative else "export it again, or leave the frame out of the clip"
            raise InputError(f"disparity {frames.label(index)} has {what}; {remedy}")
        sampled = known[:: max(1, known.size // _FRAME_SAMPLES)]
        place = max(0, sampled.size - 1 - int(_STRAY_SHARE * sampled.size))
        yield float(known.max()), float(np.partition(sampled, place)[place])


def _near_end(ends: Iterable[tuple[float, float]]) -> float:
    """1/z that becomes 1; what only one frame of three has does not count."""
    of_frames = np.array(list(ends), np.float64)  # (T, 2)
    if len(of_frames) >= _WINDOW:
        windows = np.stack([of_frames[at : len(of_frames) - _WINDOW + 1 + at] for at in range(_WINDOW)])
        of_frames = np.median(windows, axis=0)
    nearest, without_strays = of_frames.max(axis=0).tolist()
    chosen = nearest if nearest <= _STRAY_RATIO * without_strays else without_strays
    return chosen if chosen > 0 else 1.0
