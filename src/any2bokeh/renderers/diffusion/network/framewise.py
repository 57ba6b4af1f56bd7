"""The temporal decoder's up block a frame at a time: no tensor spans the clip but those that hold it.

Over time a block only takes group statistics and convolves three neighbouring frames, pixel by pixel; both can be done
with the frames apart. Frames are lists, each changed in place, so that what is done with is let go at once.
"""

from typing import cast

import torch
import torch.nn.functional as F
from diffusers.models.resnet import SpatioTemporalResBlock, TemporalResnetBlock
from diffusers.models.unets.unet_3d_blocks import UpBlockTemporalDecoder
from torch import nn

Frames = list[torch.Tensor]
"""One ``(1, C, H, W)`` for each frame of a clip."""


def up_block_framewise(block: UpBlockTemporalDecoder, frames: Frames) -> None:
    """Run the block on the frames of one clip; they are replaced by the result.

    Args:
        block: diffusers' up block of the temporal decoder.
        frames: see ``Frames``.
    """
    for module in block.resnets:
        resnet = cast(SpatioTemporalResBlock, module)
        for place in range(len(frames)):
            frames[place] = resnet.spatial_res_block(frames[place], None)
        _temporal(resnet, frames)
    for upsampler in block.upsamplers or ():
        for place in range(len(frames)):
            frames[place] = upsampler(frames[place])


def _temporal(resnet: SpatioTemporalResBlock, frames: Frames) -> None:
    """The temporal part of the block, mixed with what comes in."""
    block: TemporalResnetBlock = resnet.temporal_res_block
    inner = list(frames)
    _normalized_then_convolved(block.norm1, block.conv1, inner)
    _normalized_then_convolved(block.norm2, block.conv2, inner)
    for place in range(len(frames)):
        frames[place] = resnet.time_mixer(
            x_spatial=frames[place], x_temporal=frames[place] + inner[place], image_only_indicator=None
        )
        inner[place] = inner[place][:0]


def _normalized_then_convolved(norm: nn.GroupNorm, convolution: nn.Conv3d, frames: Frames) -> None:
    """``convolution(silu(norm(frames)))``, the norm over all frames, the convolution over three neighbours in time."""
    scale, shift = _group_affine(norm, frames)
    last = len(frames) - 1

    def activated(place: int) -> torch.Tensor:
        if not 0 <= place <= last:
            return torch.zeros_like(frames[min(max(place, 0), last)])
        frame = frames[place].to(scale.dtype, copy=True)  # ours to change
        return F.silu(frame.mul_(scale).add_(shift), inplace=True).to(frames[place].dtype)

    # (C, C, 3, 1, 1) -> (C, 3 C, 1, 1): the channels of the three frames, one frame after the other
    kernel = convolution.weight[..., 0, 0].transpose(1, 2).flatten(1)[:, :, None, None]
    before, here = activated(-1), activated(0)
    for place in range(len(frames)):
        after = activated(place + 1)
        frames[place] = F.conv2d(torch.cat([before, here, after], dim=1), kernel, convolution.bias)
        before, here = here, after


def _group_affine(norm: nn.GroupNorm, frames: Frames) -> tuple[torch.Tensor, torch.Tensor]:
    """What the group norm over all frames multiplies each channel with and adds: two of ``(1, C, 1, 1)``."""
    wide = torch.promote_types(frames[0].dtype, torch.float32)  # as group norms compute
    grouped = (frame.to(wide).reshape(norm.num_groups, -1) for frame in frames)
    variances, means = zip(*(torch.var_mean(group, dim=1, correction=0) for group in grouped), strict=True)
    frame_means = torch.stack(means)  # (T, groups)
    mean = frame_means.mean(dim=0)
    variance = torch.stack(variances).mean(dim=0) + (frame_means - mean).square().mean(dim=0)
    channels = norm.num_channels // norm.num_groups
    inverse = (variance + norm.eps).rsqrt().repeat_interleave(channels)
    scale = norm.weight.to(wide) * inverse
    shift = norm.bias.to(wide) - mean.repeat_interleave(channels) * scale
    return scale[None, :, None, None], shift[None, :, None, None]
