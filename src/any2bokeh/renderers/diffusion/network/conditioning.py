"""What the U-Net is told besides its latents, handed down its forward pass as one object."""

from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F

MpiMode = Literal["masked", "released"]
"""``masked``: MPI tokens are attended through the region mask, as in the paper. ``released``: the published code zeroes
that mask, so that MPI tokens are never attended; the published weights were made for it."""

TimeContext = Literal["per_clip", "interleaved"]
"""Which clip of a batch the temporal cross-attention of a pixel looks at. ``per_clip``: its own. ``interleaved``: the
published modules lay contexts out pixel by pixel but tokens clip by clip, so that clips of a batch see each other's.
The same for a batch of one clip."""


@dataclass(frozen=True, slots=True)
class MpiLevel:
    """MPI tokens at the grid of one level of the U-Net.

    Attributes:
        tokens: ``(S, C)``, the attended tokens of all frames, one frame after the other; masked ones are left out.
        lengths: how many of them each frame has.
    """

    tokens: torch.Tensor
    lengths: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class FrameConditioning:
    """Conditioning of ``B`` clips of ``T`` frames.

    Attributes:
        image_tokens: ``(B T, n, C)`` cross-attention context of every frame.
        time_tokens: ``(B, n, C)`` context of the temporal cross-attention: that of each clip's first frame.
        blur_features: ``(B T, 1, 2 F)`` Fourier features of K.
        mpi_levels: one entry per level of the U-Net, finest first; None where no MPI token is attended.
        time_context: see ``TimeContext``.
        single_token_shortcut: with one context token the softmax is 1 whatever the query; take the value alone.
    """

    image_tokens: torch.Tensor
    time_tokens: torch.Tensor
    blur_features: torch.Tensor
    mpi_levels: tuple[MpiLevel | None, ...]
    time_context: TimeContext
    single_token_shortcut: bool

    def tiled_time_tokens(self, pixel_count: int) -> torch.Tensor:
        """``(B L, n, C)``: the temporal context of every pixel of every clip."""
        clip_count, token_count, channels = self.time_tokens.shape
        if self.time_context == "per_clip":
            tiled = self.time_tokens[:, None].expand(clip_count, pixel_count, token_count, channels)
        else:
            tiled = self.time_tokens[None].expand(pixel_count, clip_count, token_count, channels)
        return tiled.reshape(clip_count * pixel_count, token_count, channels)


def region_mask(region_index: torch.Tensor, level: int, grid: tuple[int, int]) -> torch.Tensor:
    """Which cells of a level's grid show their MPI token.

    Args:
        region_index: ``(N, H, W)`` of 0, 1, 2, ..
        level: cells of ``region <= level`` are shown.
        grid: ``(h, w)`` of the level.

    Returns:
        ``(N, h, w)`` bool. The test is made at full size, then sampled bilinearly at the centres of the cells: a cell
        is shown where more than half of the sample passes.

    Source: the published modules; a mean of region numbers would say something else where regions meet in a cell.
    """
    passes = (region_index <= level)[:, None].float()
    return F.interpolate(passes, size=grid, mode="bilinear")[:, 0] > 0.5


def mpi_level(features: torch.Tensor, region_index: torch.Tensor, level: int, grid: tuple[int, int]) -> MpiLevel | None:
    """MPI tokens of one level, without those that its mask hides.

    Args:
        features: ``(N, C, h, w)``, ``conv_in_mpi`` of the all-in-focus latents.
        region_index: ``(N, H, W)``.
        level: see ``region_mask``.
        grid: ``(h, w)`` of the level.
    """
    mask = region_mask(region_index, level, grid).flatten(1)  # (N, L)
    lengths = tuple(int(length) for length in mask.sum(dim=1).tolist())
    if not any(lengths):
        return None
    resized = F.interpolate(features, size=grid, mode="bilinear").flatten(2).transpose(1, 2)  # (N, L, C)
    shown = mask.flatten().nonzero()[:, 0].to(features.device, non_blocking=True)
    return MpiLevel(resized.flatten(0, 1)[shown], lengths)
