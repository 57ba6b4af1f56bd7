"""How files of disparity or depth are read."""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from any2bokeh.disparity.estimators.base import ScaleAlignment
from any2bokeh.errors import InputError, require_choice

DisparityKind = Literal[
    "disparity",  # inverse depth
    "depth",  # distances: metres in floats, of unknown unit in integers; 1/z is their disparity
    "depth-mm",  # distances in millimetres, as depth cameras write them into 16-bit pictures
]

Polarity = Literal[
    "near-white",  # large values are near: disparity, inverse depth
    "near-black",  # large values are far: turned over, d = 1 - value
]

# A curve steeper than this leaves a handful of the levels of a 16-bit file.
_GAMMA_MAX = 10.0


@dataclass(frozen=True, slots=True)
class Levels:
    """A curve over disparity: ``clip((d - low) / (high - low), 0, 1) ** gamma``.

    Attributes:
        low: disparity that becomes 0, in [0, 1).
        high: disparity that becomes 1, in (0, 1], above ``low``.
        gamma: exponent, in (0, 10]; above 1 it moves the middle away from the camera, below 1 towards it.

    Raises:
        InputError: a number outside its range.
    """

    low: float = 0.0
    high: float = 1.0
    gamma: float = 1.0

    def __post_init__(self) -> None:
        if not 0 <= self.low < self.high <= 1:
            raise InputError(
                f"disparity levels are {self.low:g} to {self.high:g}; give LOW and HIGH with 0 <= LOW < HIGH <= 1"
            )
        if not 0 < self.gamma <= _GAMMA_MAX:
            raise InputError(
                f"gamma of the disparity levels is {self.gamma:g}; give a number above 0, at most {_GAMMA_MAX:g}"
            )

    @property
    def keeps_ratios(self) -> bool:
        """Whether ratios of disparities, and so distances, mean the same afterwards (below ``high``)."""
        return self.low == 0 and self.gamma == 1

    def applied(self, disparity: NDArray[np.float32]) -> NDArray[np.float32]:
        """The curve over disparity in [0, 1], any shape."""
        if self == Levels():
            return disparity
        stretched = np.clip((disparity - np.float32(self.low)) / np.float32(self.high - self.low), 0, 1)
        return stretched if self.gamma == 1 else np.power(stretched, np.float32(self.gamma))


@dataclass(frozen=True, slots=True)
class DisparityReading:
    """What the values of given files mean, and what is done to them.

    Attributes:
        kind: None = depth where an EXR channel is called so (``Z``, ``Depth.Z``) and no polarity is given, otherwise
            disparity.
        polarity: of disparity; None = ``near-white``. Depth has none.
        levels: a curve over the disparity on the scale of the clip; None = left as it is.
        scale_alignment: how flicker between frames is taken out; None = not at all.

    Raises:
        InputError: an unknown word, or a polarity of depth.
    """

    kind: DisparityKind | None = None
    polarity: Polarity | None = None
    levels: Levels | None = None
    scale_alignment: ScaleAlignment | None = None

    def __post_init__(self) -> None:
        for noun, value, allowed in (
            ("polarity", self.polarity, get_args(Polarity)),
            ("kind", self.kind, get_args(DisparityKind)),
            ("scale_alignment", self.scale_alignment, get_args(ScaleAlignment)),
        ):
            if value is not None:
                require_choice(f"disparity {noun}", value, allowed)
        if self.polarity is not None and self.kind in ("depth", "depth-mm"):
            raise InputError(
                f"disparity polarity {self.polarity} and disparity kind {self.kind} contradict each other: large "
                f"depth is always far; give one of them"
            )
