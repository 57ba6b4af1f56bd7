"""CLIP image embedding of a frame, the cross-attention context of the U-Net."""

from typing import Literal, cast

import torch
import torch.nn.functional as F
from transformers import CLIPVisionModelWithProjection

ClipNormalization = Literal["clip", "none"]
"""``clip``: mean and deviation of CLIP's training pictures are taken out, as in the published training. ``none``: the
published inference feeds [0, 1] as it is."""

_MEAN = (0.48145466, 0.4578275, 0.40821073)
_DEVIATION = (0.26862954, 0.26130258, 0.27577711)


def image_embedding(
    encoder: CLIPVisionModelWithProjection, pixels: torch.Tensor, normalization: ClipNormalization
) -> torch.Tensor:
    """Embed frames.

    Args:
        encoder: CLIP image encoder.
        pixels: ``(N, 3, H, W)`` in [0, 1]; brought to the encoder's square, whatever the aspect; see ``shrunk``.
        normalization: see ``ClipNormalization``.

    Returns:
        ``(N, 1, C)`` in the encoder's dtype.
    """
    side = cast(int, encoder.config.image_size)
    image = shrunk(pixels.float(), side)
    if normalization == "clip":
        mean, deviation = (image.new_tensor(values)[:, None, None] for values in (_MEAN, _DEVIATION))
        image = (image - mean) / deviation
    embedding = encoder(image.to(encoder.dtype)).image_embeds
    assert embedding is not None
    return embedding[:, None]


def shrunk(pixels: torch.Tensor, side_px: int) -> torch.Tensor:
    """Frames as the base model brings them to CLIP's square: a Gaussian, then bicubic with aligned corners.

    Args:
        pixels: ``(N, 3, H, W)``.
        side_px: of the square.

    Returns:
        ``(N, 3, side_px, side_px)``, beyond the range of ``pixels`` by what bicubic filters overshoot.

    Source: Stable Video Diffusion in diffusers; the deviation is that of scikit-image's ``resize``, half of the
    reduction less 1, and the window four deviations wide.
    """
    for axis in (3, 2):
        deviation_px = max((pixels.shape[axis] / side_px - 1.0) / 2.0, 0.001)
        length = int(max(4.0 * deviation_px, 3))
        length += 1 - length % 2
        places = torch.arange(length, dtype=pixels.dtype, device=pixels.device) - length // 2
        weights = torch.exp(-places.square() / (2 * deviation_px**2))
        shape = (1, 1, 1, length) if axis == 3 else (1, 1, length, 1)
        kernel = (weights / weights.sum()).reshape(shape).expand(pixels.shape[1], 1, *shape[2:])
        margin = length // 2
        padding = (margin, margin, 0, 0) if axis == 3 else (0, 0, margin, margin)
        pixels = F.conv2d(F.pad(pixels, padding, mode="reflect"), kernel, groups=pixels.shape[1])
    return F.interpolate(pixels, (side_px, side_px), mode="bicubic", align_corners=True)
