"""The interface behind which every engine renders."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from any2bokeh.disparity.edges.bands import EdgeBands, MixedPixels
from any2bokeh.optics.frame_size import require_frame_size
from any2bokeh.optics.transfer import Transfer
from any2bokeh.plate.hidden import HiddenBackground


@dataclass(frozen=True, slots=True)
class RenderInput:
    """One all-in-focus frame and what its lens should do to it.

    Attributes:
        pixels: ``(3, H, W)`` float32 RGB, display-referred in [0, 1] (scene-linear, unbounded above, where
            the renderer's transfer is ``linear``).
        disparity: ``(1, H, W)`` float32 in [0, 1], 1 = nearest.
        focus_disparity: d_f, disparity of the focal plane, in [0, 1].
        blur_strength: K >= 0, radius in pixels per unit of disparity in a frame of 1024 px on its longer side.
        hidden: what other frames saw of the background behind near surfaces, and around the frame; None = nothing.
        bands: what is known of pixels that two surfaces share, its disparities on the scale of ``disparity``; None =
            nothing. An engine may leave it out of account.
        mixed: the same as a list, in place of ``bands``, which large frames have.

    Raises:
        InputError: a side is longer than ``MAX_SIDE_PX``.
    """

    pixels: NDArray[np.float32]
    disparity: NDArray[np.float32]
    focus_disparity: float
    blur_strength: float
    hidden: HiddenBackground | None = None
    bands: "EdgeBands | None" = None
    mixed: "MixedPixels | None" = None

    def __post_init__(self) -> None:
        require_frame_size("frame", self.pixels.shape[-1], self.pixels.shape[-2])

    def mixed_pixels(self) -> "MixedPixels | None":
        """What is known of mixed pixels, as a list; None = nothing."""
        found = self.mixed if self.bands is None else MixedPixels.of(self.bands)
        return None if found is None or found.at.size == 0 else found

    def with_planes(self) -> "RenderInput":
        """The same with ``bands`` in place of ``mixed``."""
        if self.mixed is None:
            return self
        return replace(self, bands=self.bands or self.mixed.bands(self.disparity), mixed=None)


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


@runtime_checkable
class TakesHidden(Protocol):
    """What a renderer is beside ``Renderer`` that makes use of ``RenderInput.hidden``; others are not given it.

    Attributes:
        takes_hidden: True.
    """

    takes_hidden: bool


@runtime_checkable
class TellsWithin(Protocol):
    """What a renderer is beside ``Renderer`` that renders large frames part by part.

    Attributes:
        within: called, after each part of a frame, with how much of the frame is rendered, to 1; None = nobody.
    """

    within: Callable[[float], None] | None


class Separator(Protocol):
    """Renders frames in parts that add up to the picture, for compositing.

    Attributes:
        transfer: how code values stand for light.
        blades: of the iris; None where it is round or a picture.
    """

    @property
    def transfer(self) -> Transfer: ...

    @property
    def blades(self) -> int | None: ...

    def render_separated(self, frame: RenderInput) -> NDArray[np.float32]:
        """Render one frame in three parts.

        Returns:
            ``(3, 4, H, W)`` float32: what is in front of the focal plane, in it and behind it; each linear light
            multiplied by alpha, and alpha. The alphas sum to 1, the lights to that of the picture. Code values
            instead of light where the transfer is ``none``.
        """
        ...


@runtime_checkable
class RendersSeparated(Protocol):
    """What a renderer may offer beside ``Renderer``: the same lens for separated output."""

    def separator(self) -> Separator:
        """One with memory of its own, which may work while the renderer is at another frame."""
        ...
