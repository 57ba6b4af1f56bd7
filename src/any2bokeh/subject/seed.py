"""Where a subject is, as far as anybody has said."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from any2bokeh.errors import InputError, require_in_unit_range


@dataclass(frozen=True, slots=True)
class PointSeed:
    """A point on the subject: x and y in 0..1 of the displayed frame, from its top left corner."""

    x: float
    y: float

    def __post_init__(self) -> None:
        require_in_unit_range("point x", self.x)
        require_in_unit_range("point y", self.y)


@dataclass(frozen=True, slots=True)
class BoxSeed:
    """A box around the subject: corners in 0..1 of the displayed frame, ``x0 < x1`` and ``y0 < y1``."""

    x0: float
    y0: float
    x1: float
    y1: float

    def __post_init__(self) -> None:
        for name in ("x0", "y0", "x1", "y1"):
            require_in_unit_range(f"box {name}", getattr(self, name))
        for low, high in (("x0", "x1"), ("y0", "y1")):
            if not getattr(self, low) < getattr(self, high):
                raise InputError(
                    f"box {low} is {getattr(self, low):g} and {high} is {getattr(self, high):g}; "
                    f"{low} must be less than {high}: give the top left corner first"
                )


@dataclass(frozen=True, slots=True, eq=False)
class MaskSeed:
    """A subject painted by hand.

    Attributes:
        mask: ``(h, w)``, any size of the frame's aspect; on where it is at least half of its largest value.

    Raises:
        InputError: the mask is empty.
    """

    mask: NDArray[np.generic]

    def __post_init__(self) -> None:
        if self.mask.ndim != 2 or not self.mask.any():
            raise InputError(
                f"the mask that the subject is followed from has shape {self.mask.shape} and shows nothing; "
                f"paint the subject"
            )


Seed = PointSeed | BoxSeed | MaskSeed
"""Where the subject is in the first frame that a tracker sees."""


@dataclass(frozen=True, slots=True)
class ClipSeed:
    """Where the subject of a clip is: a point on it or a box around it; the middle where neither is given.

    Attributes:
        frame: of the clip, counted from 0.
        point: ``(x, y)`` in 0..1 of the displayed frame.
        box: ``(x0, y0, x1, y1)`` in 0..1, ``x0 < x1`` and ``y0 < y1``.
    """

    frame: int = 0
    point: tuple[float, float] | None = None
    box: tuple[float, float, float, float] | None = None
