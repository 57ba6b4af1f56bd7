"""Large frames, some rows at a time: what kernels need beside a map and its bands is no larger than a strip.

Every stage is done for the whole frame before the next one begins, in strips with a margin as wide as that stage
reaches. Strips begin where cells of the whole frame do, so that each pixel gets the same to the bit.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MOST_PX = 3_000_000
"""Pixels of a strip, without its margin."""

Told = Callable[[float], None]
"""Called after each strip with how much of the frame is done, to 1; what it raises ends the work."""


@dataclass(frozen=True, slots=True)
class Strip:
    """Some rows of a frame.

    Attributes:
        first, last: rows that are decided, the last exclusive.
        top, bottom: these and the rows around that are looked at.
    """

    first: int
    last: int
    top: int
    bottom: int

    @property
    def rows(self) -> slice:
        """In the frame, with those around."""
        return slice(self.top, self.bottom)

    @property
    def own(self) -> slice:
        """In the frame, what is decided."""
        return slice(self.first, self.last)

    @property
    def inner(self) -> slice:
        """What is decided, counted from the top of the strip."""
        return slice(self.first - self.top, self.last - self.top)

    def grown(self, by: int) -> "Strip":
        """With more rows to be decided on both sides, which are looked at already."""
        return Strip(max(self.first - by, self.top), min(self.last + by, self.bottom), self.top, self.bottom)


def strips(shape: tuple[int, ...], *, align: int, margin: int, most_px: int) -> Iterator[Strip]:
    """The strips of a frame ``(H, W)`` from top to bottom; one that is all of it where it has no more pixels.

    Args:
        shape: of the frame.
        align: of which multiple strips begin, with their margins.
        margin: rows above and below that are looked at.
        most_px: pixels of a strip.
    """
    height, width = shape
    rows = height if height * width <= most_px else max(most_px // width // align, 1) * align
    margin = -(-margin // align) * align
    for first in range(0, height, rows):
        last = min(first + rows, height)
        yield Strip(first, last, max(first - margin, 0), min(last + margin, height))


def rows_of(pixels: NDArray[np.float32], rows: slice) -> NDArray[np.float32]:
    """``(3, h, W)``, some rows of ``(3, H, W)``, one after the other in memory; of all rows, the same."""
    return np.ascontiguousarray(pixels[:, rows], np.float32)
