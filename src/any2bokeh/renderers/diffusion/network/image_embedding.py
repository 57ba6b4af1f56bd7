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
        pixels: ``(N, 3, H, W)`` in [0, 1]; brought to the encoder's square, whatever the aspect, as SVD does.
        normalization: see ``ClipNormalization``.

    Returns:
        ``(N, 1, C)`` in the encoder's dtype.
    """
    side = cast(int, encoder.config.image_size)
    image = F.interpolate(pixels.float(), (side, side), mode="bicubic", antialias=True).clamp(0.0, 1.0)
    if normalization == "clip":
        mean, deviation = (image.new_tensor(values)[:, None, None] for values in (_MEAN, _DEVIATION))
        image = (image - mean) / deviation
    embedding = encoder(image.to(encoder.dtype)).image_embeds
    assert embedding is not None
    return embedding[:, None]
