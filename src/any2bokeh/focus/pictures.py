"""The pictures of a clip, as finding the focus needs them."""

from collections.abc import Iterator
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

LONG_SIDE_PX = 480
"""Longer side that is enough to follow a subject. More would only take longer."""


class Pictures(Protocol):
    """Reduced pictures of a clip; each call decodes the clip anew, so that memory does not grow with it."""

    def frames(self, start: int = 0, stop: int | None = None) -> Iterator[NDArray[np.uint8]]:
        """Pictures ``start`` to ``stop`` (exclusive; the end where None), in order.

        Each is ``(h, w, 3)`` uint8 RGB, display-referred, with the aspect of the displayed clip.
        """
        ...
