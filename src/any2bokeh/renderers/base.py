"""The interface behind which every engine renders."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class RenderInput:
    """One all-in-focus frame and what its lens should do to it.

    Attributes:
        pixels: ``(3, H, W)`` float32 RGB, display-referred in [0, 1] (scene-linear, unbounded above, where
            the renderer's transfer is ``linear``).
        disparity: ``(1, H, W)`` float32 in [0, 1], 1 = nearest.
        focus_disparity: d_f, disparity of the focal plane, in [0, 1].
        blur_strength: K >= 0, radius in pixels per unit of disparity in a frame of 1024 px on its longer side.
    """

    pixels: NDArray[np.float32]
    disparity: NDArray[np.float32]
    focus_disparity: float
    blur_strength: float


class Renderer(Protocol):
    """Renders frames in order, one result for each input.

    Attributes:
        window: how many frames the engine looks at together.
        overlap: how many of them neighbouring windows share. At most ``window`` inputs are read ahead.
    """

    window: int
    overlap: int

    def render(self, inputs: Iterable[RenderInput]) -> Iterator[NDArray[np.float32]]:
        """Yield one ``(3, H, W)`` float32 picture for each input, in order, reading at most a window ahead.

        An input whose blur strength is 0 comes back as the very array that went in, so that the writer can keep
        the source's own samples.
        """
        ...
