"""What a detector says of a picture."""

from dataclasses import dataclass
from typing import ClassVar, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from any2bokeh.subject.seed import BoxSeed

DetectedKind = Literal["face", "person"]


@dataclass(frozen=True, slots=True, eq=False)
class Detection:
    """A face or a person in a picture.

    Attributes:
        kind: which of them.
        box: around it.
        score: 0 to 1, how sure the detector is.
        mask: ``(h, w)`` bool of the picture's size, where it is; None where only its box is known.
    """

    kind: DetectedKind
    box: BoxSeed
    score: float
    mask: NDArray[np.bool_] | None = None

    @property
    def area(self) -> float:
        """Share of the picture that its box covers."""
        return (self.box.x1 - self.box.x0) * (self.box.y1 - self.box.y0)

    def contains(self, x: float, y: float) -> bool:
        """Whether a point, in 0..1, is on it."""
        if not (self.box.x0 <= x < self.box.x1 and self.box.y0 <= y < self.box.y1):
            return False
        if self.mask is None:
            return True
        height, width = self.mask.shape
        return bool(self.mask[int(y * height), int(x * width)])


class Detector(Protocol):
    """Finds one kind of thing in a picture. Not for two threads at a time."""

    kind: ClassVar[DetectedKind]

    def __call__(self, pixels: NDArray[np.uint8]) -> list[Detection]:
        """Find them.

        Args:
            pixels: ``(h, w, 3)`` uint8 RGB, display-referred.

        Returns:
            Those that are believed, largest first.
        """
        ...
