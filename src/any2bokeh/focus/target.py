"""What a keyframe focuses on."""

from dataclasses import dataclass

from any2bokeh.errors import InputError, require_in_unit_range, shown
from any2bokeh.subject.seed import BoxSeed, PointSeed


@dataclass(frozen=True, slots=True)
class DisparityTarget:
    """A focal plane at a given disparity, in [0, 1], 1 = nearest."""

    focus_disparity: float

    def __post_init__(self) -> None:
        require_in_unit_range("focus_disparity", self.focus_disparity)


@dataclass(frozen=True, slots=True)
class PointTarget(PointSeed):
    """Whatever is at a point, x and y in 0..1 of the displayed frame, from its top left corner.

    Attributes:
        track: whether the subject at the point is followed from the keyframe on; else the disparity there is held.
    """

    track: bool = False

    def __post_init__(self) -> None:
        PointSeed.__post_init__(self)
        _require_bool("track", self.track)


@dataclass(frozen=True, slots=True)
class BoxTarget(BoxSeed):
    """The subject in a box, corners in 0..1 of the displayed frame, ``x0 < x1`` and ``y0 < y1``.

    Attributes:
        track: whether the subject is followed from the keyframe on; else its disparity there is held.
    """

    track: bool = False

    def __post_init__(self) -> None:
        _require_bool("track", self.track)
        BoxSeed.__post_init__(self)


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


def _require_bool(name: str, value: object) -> None:
    if not isinstance(value, bool):
        raise InputError(f"{name} is {shown(value)}; allowed is true or false")
