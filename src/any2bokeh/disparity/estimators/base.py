"""What a depth model is to the rest of the package."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

Device = Literal["auto", "cpu", "cuda", "mps"]

RawKind = Literal[
    "disparity",  # large values are near
    "depth",  # large values are far; infinite in the sky
]


ScaleAlignment = Literal["none", "blend", "whole-clip", "anchors"]
"""How maps are brought to one scale in each shot; see ``any2bokeh.disparity.stabilise.stabilised``."""


@dataclass(frozen=True, slots=True)
class MapMeaning:
    """What the values of a raw map mean.

    Attributes:
        kind: disparity (inverse depth) or depth.
        is_metric: whether the unit is metres (depth) or 1/metres (disparity). Relative depth is known up to a scale;
            relative disparity up to a scale and a shift.
    """

    kind: RawKind
    is_metric: bool = False

    @property
    def zero_is_infinitely_far(self) -> bool:
        """Whether disparity 0 is known to be infinity; otherwise it is the farthest thing in the clip."""
        return self.is_metric or self.kind == "depth"

    def __str__(self) -> str:
        return f"{'metric' if self.is_metric else 'relative'} {self.kind}"


class DepthEstimator(Protocol):
    """A source of raw maps. It holds no state of a run, and takes up its weights when maps are first asked for."""

    @property
    def name(self) -> str:
        """What messages call it."""
        ...

    @property
    def licence(self) -> str:
        """Licence of the weights, as an SPDX name where there is one."""
        ...

    @property
    def meaning(self) -> MapMeaning:
        """What its values mean."""
        ...

    @property
    def scale_alignment(self) -> ScaleAlignment:
        """What its maps need: ``whole-clip`` where each frame has a scale of its own, ``none`` where all share one."""
        ...

    @property
    def caveat(self) -> str | None:
        """What a user must be told of its maps, in one line; None where there is nothing."""
        ...

    @property
    def settings(self) -> Mapping[str, object]:
        """All that its maps depend on besides the frames, as JSON can hold it: the key of the cache."""
        ...

    def maps(self, frames: Iterable[NDArray[np.float32]]) -> Iterator[NDArray[np.float32]]:
        """Yield a raw map for every frame, in order, reading a bounded number of frames ahead.

        Args:
            frames: ``(3, H, W)`` float32 RGB, display-referred in [0, 1], of one clip in order, all of one size.

        Yields:
            ``(1, h, w)`` float32 in the aspect of the frames, at whatever size the model works at. NaN where nothing is
            known.
        """
        ...


@runtime_checkable
class RemarkedMaps(Protocol):
    """Maps that have something to say of themselves once they are all made."""

    @property
    def remark(self) -> str | None:
        """What a user must be told of them, in one line; None where there is nothing."""
        ...
