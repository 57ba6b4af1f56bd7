"""What a keyframe focuses on."""

import math
from dataclasses import dataclass

from any2bokeh.errors import InputError


@dataclass(frozen=True, slots=True)
class DisparityTarget:
    """A focal plane at a given disparity, in [0, 1], 1 = nearest."""

    focus_disparity: float

    def __post_init__(self) -> None:
        require_in_unit_range("focus_disparity", self.focus_disparity)


@dataclass(frozen=True, slots=True)
class PointTarget:
    """Whatever is at a point, x and y in 0..1 of the displayed frame, from its top left corner.

    Attributes:
        track: whether the subject at the point is followed from the keyframe on; else the disparity there is held.
    """

    x: float
    y: float
    track: bool = False

    def __post_init__(self) -> None:
        require_in_unit_range("point x", self.x)
        require_in_unit_range("point y", self.y)
        _require_bool("track", self.track)


@dataclass(frozen=True, slots=True)
class BoxTarget:
    """The subject in a box, corners in 0..1 of the displayed frame, ``x0 < x1`` and ``y0 < y1``.

    Attributes:
        track: whether the subject is followed from the keyframe on; else its disparity there is held.
    """

    x0: float
    y0: float
    x1: float
    y1: float
    track: bool = False

    def __post_init__(self) -> None:
        _require_bool("track", self.track)
        for name in ("x0", "y0", "x1", "y1"):
            require_in_unit_range(f"box {name}", getattr(self, name))
        for low, high in (("x0", "x1"), ("y0", "y1")):
            if not getattr(self, low) < getattr(self, high):
                raise InputError(
                    f"box {low} is {getattr(self, low):g} and {high} is {getattr(self, high):g}; "
                    f"{low} must be less than {high}: give the top left corner first"
                )


@dataclass(frozen=True, slots=True)
class MaskTarget:
    """The subject of a mask, followed frame by frame.

    Attributes:
        path: folder or video of masks, one for each frame of the clip; a relative path counts from the script's folder.
    """

    path: str

    def __post_init__(self) -> None:
        if not isinstance(self.path, str) or not self.path or "\0" in self.path:
            raise InputError(f"mask is {self.path!r}; give the path of a mask folder or a mask video")


Target = DisparityTarget | PointTarget | BoxTarget | MaskTarget


def require_in_unit_range(name: str, value: object) -> None:
    """Refuse what is not a finite number in [0, 1]."""
    if not is_finite_number(value) or not 0 <= value <= 1:  # pyright: ignore[reportOperatorIssue]
        raise InputError(f"{name} is {shown(value)}; allowed is a number from 0 to 1")


def _require_bool(name: str, value: object) -> None:
    if not isinstance(value, bool):
        raise InputError(f"{name} is {shown(value)}; allowed is true or false")


def is_finite_number(value: object) -> bool:
    """True for an int or float that is finite as a float; bools are not numbers here."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return math.isfinite(float(value))
    except OverflowError:
        return False


def shown(value: object) -> str:
    """A value as a message shows it: short, on one line."""
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
