"""The size at which the model sees a frame: scaled down with its aspect kept, then padded."""

from dataclasses import dataclass
from typing import Self

import torch
import torch.nn.functional as F

from any2bokeh.errors import InputError

MULTIPLE_PX = 64
"""Width and height inside are multiples of this: 8 for the autoencoder, 8 for the three halvings of the U-Net."""

SMALLEST_PX = 64
"""Frames with a shorter side have nothing for the coarsest level to see."""


@dataclass(frozen=True, slots=True)
class ProcessingSize:
    """Sizes in pixels of one frame, outside and inside.

    Attributes:
        source: ``(height, width)`` of the frame as it comes.
        scaled: ``(height, width)`` after scaling, same aspect to the pixel.
        padded: ``(height, width)``, ``scaled`` rounded up to multiples of 64; what the model sees.
    """

    source: tuple[int, int]
    scaled: tuple[int, int]
    padded: tuple[int, int]

    @classmethod
    def of(cls, height: int, width: int, long_side_px: int | None) -> Self:
        """Size for a frame.

        Args:
            height, width: of the frame.
            long_side_px: larger frames are scaled down to it, smaller ones are left alone; None = never scaled.

        Raises:
            InputError: a side below 64 px, before or after scaling.
        """
        if long_side_px is not None and long_side_px < SMALLEST_PX:
            raise InputError(f"processing size is {long_side_px} px; it must be at least {SMALLEST_PX}")
        if min(height, width) < SMALLEST_PX:
            raise InputError(
                f"frames are {width}x{height}; the diffusion engine needs at least {SMALLEST_PX} px on the shorter side"
            )
        scale = 1.0 if long_side_px is None else min(1.0, long_side_px / max(height, width))
        scaled = (max(1, round(height * scale)), max(1, round(width * scale)))
        if min(scaled) < SMALLEST_PX:
            raise InputError(
                f"frames of {width}x{height} become {scaled[1]}x{scaled[0]} at a processing size of {long_side_px} px; "
                f"the shorter side must keep {SMALLEST_PX} px, raise the processing size"
            )
        padded = (_round_up(scaled[0]), _round_up(scaled[1]))
        return cls((height, width), scaled, padded)

    @property
    def scale(self) -> float:
        """Inside pixels for each source pixel, at most 1."""
        return max(self.scaled) / max(self.source)

    def shrink_pixels(self, pixels: torch.Tensor) -> torch.Tensor:
        """``(N, 3, H, W)`` in [0, 1], antialiased, to ``(N, 3, *scaled)``."""
        if self.scaled == self.source:
            return pixels
        return F.interpolate(pixels, self.scaled, mode="bicubic", antialias=True).clamp(0.0, 1.0)

    def shrink_disparity(self, disparity: torch.Tensor) -> torch.Tensor:
        """``(N, 1, H, W)`` to ``(N, 1, *scaled)``: one of the values there, never a mean across a depth edge."""
        if self.scaled == self.source:
            return disparity
        return F.interpolate(disparity, self.scaled, mode="nearest-exact")

    def pad(self, image: torch.Tensor) -> torch.Tensor:
        """``(N, C, *scaled)`` to ``(N, C, *padded)``: the last row and column are repeated."""
        below, right = self.padded[0] - self.scaled[0], self.padded[1] - self.scaled[1]
        return F.pad(image, (0, right, 0, below), mode="replicate")

    def crop(self, image: torch.Tensor) -> torch.Tensor:
        """``(N, C, *padded)`` to ``(N, C, *scaled)``."""
        return image[..., : self.scaled[0], : self.scaled[1]]


def _round_up(length_px: int) -> int:
    return -(-length_px // MULTIPLE_PX) * MULTIPLE_PX
