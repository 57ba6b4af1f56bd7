"""What follows a subject through a clip, and what it says of every frame."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from any2bokeh.subject.seed import Seed


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """A frame as a tracker sees it.

    Attributes:
        pixels: ``(h, w, 3)`` uint8 RGB, display-referred, reduced in size.
        disparity: ``(h, w)`` float32 in [0, 1], 1 = nearest, or None where there is none.
    """

    pixels: NDArray[np.uint8]
    disparity: NDArray[np.float32] | None = None

    @property
    def shape(self) -> tuple[int, int]:
        return self.pixels.shape[0], self.pixels.shape[1]


@dataclass(frozen=True, slots=True, eq=False)
class TrackedFrame:
    """What a tracker says of one frame.

    Attributes:
        matte: ``(h, w)`` float32 in [0, 1], the share of each pixel that the subject covers; 0 where it is not visible.
        confidence: 0 to 1, how well what is there looks like the subject.
        visible: whether the subject is in view.
    """

    matte: NDArray[np.float32]
    confidence: float
    visible: bool


class Tracker(Protocol):
    """Follows one subject forward through a clip. It holds no state of a run, so that it may be used again."""

    name: ClassVar[str]
    """What messages call it."""

    def track(self, views: Iterable[View], seed: Seed) -> Iterator[TrackedFrame]:
        """Yield one answer for each view, in order and as soon as it can be known, whether or not the subject is in it.

        Args:
            views: from the frame of the seed on.
            seed: where the subject is in the first of them.
        """
        ...
