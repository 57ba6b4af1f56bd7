"""A synthetic clip: what a camera with a pinhole saw, where everything was, and what the lens made of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from any2bokeh.errors import InputError

FRAME_COUNT = 25
"""Frames of a clip unless asked otherwise, as in the paper."""


@dataclass(frozen=True, slots=True, eq=False)
class SyntheticClip:
    """One clip with its ground truth. ``T`` frames of ``H`` x ``W`` with ``S`` subjects (foregrounds).

    Attributes:
        frames: ``(T, 3, H, W)`` float32, all-in-focus RGB in [0, 1], display-referred, antialiased.
        disparity: ``(T, 1, H, W)`` float32 in [0, 1], z_min / z of the clip, 1 = nearest; one sample at each
            pixel's centre.
        masks: ``(T, S, H, W)`` float32 in [0, 1], the share of each pixel in which each subject is seen; ``S`` >= 1.
        focus_disparity: ``(T,)`` float64, d_f of each frame.
        blur_strength: ``(T,)`` float64, K of each frame: radius in pixels per unit of disparity, longer side 1024 px.
        bokeh: ``(T, 3, H, W)`` float32, the same frames through the lens, same encoding as ``frames``.
        about: how it was made: seed, index, transfer, aperture, lens samples; plain JSON values.
    """

    frames: NDArray[np.float32]
    disparity: NDArray[np.float32]
    masks: NDArray[np.float32]
    focus_disparity: NDArray[np.float64]
    blur_strength: NDArray[np.float64]
    bokeh: NDArray[np.float32]
    about: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        count, height, width = self.frame_count, self.height, self.width
        subjects = self.masks.shape[1] if self.masks.ndim == 4 else 0
        wanted = {
            "frames": (count, 3, height, width),
            "disparity": (count, 1, height, width),
            "masks": (count, max(subjects, 1), height, width),
            "focus_disparity": (count,),
            "blur_strength": (count,),
            "bokeh": (count, 3, height, width),
        }
        for name, shape in wanted.items():
            found = getattr(self, name).shape
            if found != shape:
                raise InputError(f"{name} of the clip has shape {found}; with these frames it must be {shape}")

    @property
    def frame_count(self) -> int:
        """T."""
        return self.frames.shape[0]

    @property
    def height(self) -> int:
        """In pixels."""
        return self.frames.shape[-2]

    @property
    def width(self) -> int:
        """In pixels."""
        return self.frames.shape[-1]

    def window(self, start: int, stop: int) -> "SyntheticClip":
        """The frames ``start <= t < stop``, without a copy."""
        names = ("frames", "disparity", "masks", "focus_disparity", "blur_strength", "bokeh")
        return replace(self, **{name: getattr(self, name)[start:stop] for name in names})


class Clips(Protocol):
    """A numbered set of clips, read from shards or made when asked for."""

    frame_count: int
    """Frames of every clip."""

    def __len__(self) -> int: ...

    def clip(self, index: int, start: int = 0, stop: int | None = None) -> SyntheticClip:
        """Frames ``start <= t < stop`` of clip ``index``; the same for the same arguments, in any process."""
        ...
