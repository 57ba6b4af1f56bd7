"""Windows of frames that the U-Net sees together, and the weights with which overlapping predictions are blended."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from any2bokeh.errors import InputError, require_choice

Fade = Literal["cosine", "linear"]
"""Shape of the weights over an overlap."""


@dataclass(frozen=True, slots=True)
class WindowPlan:
    """How a clip is cut into windows.

    Attributes:
        window: frames of a window, at least 1.
        overlap: frames that neighbouring windows share, at least 0 and below ``window``.
        fade: see ``Fade``.

    Raises:
        InputError: a number outside its range, an unknown fade.
    """

    window: int = 8
    overlap: int = 4
    fade: Fade = "cosine"

    def __post_init__(self) -> None:
        if self.window < 1:
            raise InputError(f"window is {self.window} frames; it must be at least 1")
        if not 0 <= self.overlap < self.window:
            raise InputError(
                f"overlap is {self.overlap} frames with a window of {self.window}; "
                "it must be at least 0 and below the window"
            )
        require_choice("fade", self.fade, get_args(Fade))

    @property
    def stride(self) -> int:
        """Frames from the start of a window to that of the next."""
        return self.window - self.overlap

    def fade_in(self) -> NDArray[np.float64]:
        """``(overlap,)`` weights of the first frames of a window that follows another, rising from 0."""
        phase = np.arange(self.overlap) / max(self.overlap, 1)
        return phase if self.fade == "linear" else 0.5 - 0.5 * np.cos(math.pi * phase)

    def weights(self, length: int, *, first: bool, last: bool) -> NDArray[np.float64]:
        """Weights of the frames of one window.

        Args:
            length: frames of the window; only the last one may be shorter than ``window``.
            first, last: whether it is the first or the last of its clip, where nothing fades.

        Returns:
            ``(length,)``. With an overlap of at most half a window the weights of a frame add up to 1.
        """
        weights = np.ones(length)
        if not first:
            weights[: self.overlap] *= self.fade_in()
        if not last and self.overlap:
            weights[-self.overlap :] *= 1.0 - self.fade_in()
        return weights


@dataclass(frozen=True, slots=True)
class Window:
    """One window of a plan.

    Attributes:
        start: its first frame.
        weights: ``(length,)``, see ``WindowPlan.weights``.
    """

    start: int
    weights: NDArray[np.float64]

    @property
    def frames(self) -> range:
        return range(self.start, self.start + len(self.weights))


def plan_windows(frame_count: int, plan: WindowPlan) -> Iterator[Window]:
    """Yield the windows of a clip of known length; a clip no longer than one window is one window.

    Args:
        frame_count: frames of the clip, at least 1.
        plan: how to cut it.

    Source: weighted overlap of Yang et al., Any-to-Bokeh, ICLR 2026.
    """
    start = 0
    while True:
        length = min(plan.window, frame_count - start)
        last = start + plan.window >= frame_count
        yield Window(start, plan.weights(length, first=start == 0, last=last))
        if last:
            return
        start += plan.stride
