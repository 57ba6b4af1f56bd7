"""The slow, obvious twin of the engine: the same weights, the plain mathematics, nothing shared with the fast path.

Every window is encoded anew, all tokens attend through a dense mask, all predictions are held, then blended, then
decoded. It is the oracle of the tests and the yardstick of the benchmark.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from any2bokeh.renderers.base import RenderInput
from any2bokeh.renderers.diffusion.network.fourier import BlurPrecision
from any2bokeh.renderers.diffusion.run.options import PipelineOptions
from any2bokeh.renderers.diffusion.run.pipeline import AnyToBokehPipeline
from any2bokeh.renderers.diffusion.run.windows import plan_windows

Attend = Callable[[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]


def softmax_attention(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Attention as it is written down; ``mask`` is broadcastable to ``(N, heads, L, S)``, True where it may look."""
    scores = query @ key.transpose(-1, -2) / query.shape[-1] ** 0.5
    return scores.masked_fill(~mask, float("-inf")).softmax(dim=-1) @ value


def fused_attention(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """The same through torch's own function, for sizes at which the scores do not fit into memory."""
    return F.scaled_dot_product_attention(query, key, value, attn_mask=mask)


@dataclass(frozen=True, slots=True)
class _Conditioning:
    image_tokens: torch.Tensor  # (B T, n, C)
    blur_strength: torch.Tensor  # (B T,)
    mpi_image: torch.Tensor  # (B T, C, h, w)
    regions: torch.Tensor  # (B T, H, W)
    attend: Attend
    blur_precision: BlurPrecision


def unet_forward(
    unet: Any,
    sample: torch.Tensor,
    encoder_hidden_states: torch.Tensor,
    added_time_ids: torch.Tensor,
    blur_strength: torch.Tensor,
    region_index: torch.Tensor,
    *,
    mpi_latents: torch.Tensor | None = None,
    attend: Attend = softmax_attention,
    blur_precision: BlurPrecision = "float32",
) -> torch.Tensor:
    """``BokehUNet.forward``, plainly; the arguments are those of it."""
    clips, frames = sample.shape[:2]
    latents = sample[:, :, :4] if mpi_latents is None else mpi_latents
    conditioning = _Conditioning(
        image_tokens=encoder_hidden_states.reshape(clips * frames, *encoder_hidden_states.shape[-2:]),
        blur_strength=blur_strength.flatten(),
        mpi_image=unet.conv_in_mpi(latents.flatten(0, 1)),
        regions=region_index.flatten(0, 1).float(),
        attend=attend,
        blur_precision=blur_precision,
    )
    timestep = unet.time_proj(torch.ones(clips, device=sample.device)).to(sample.dtype)
    ids = unet.add_time_proj(added_time_ids.flatten()).reshape(clips, -1).to(sample.dtype)
    embedding = unet.time_embedding(timestep) + unet.add_embedding(ids)
    embedding = torch.stack([embedding] * frames, dim=1).flatten(0, 1)  # (B T, E)
    video = torch.zeros(clips, frames, dtype=sample.dtype, device=sample.device)

    hidden = unet.conv_in(sample.flatten(0, 1))
    skips = [hidden]
    for level, block in enumerate(unet.down_blocks):
        attentions = getattr(block, "attentions", [None] * len(block.resnets))
        for resnet, attention in zip(block.resnets, attentions, strict=True):
            hidden = resnet(hidden, embedding, image_only_indicator=video)
            if attention is not None:
                hidden = _transformer(unet, attention, hidden, conditioning, level, video)
            skips.append(hidden)
        for downsampler in block.downsamplers or []:
            hidden = downsampler(hidden)
            skips.append(hidden)

    middle = unet.mid_block
    hidden = middle.resnets[0](hidden, embedding, image_only_indicator=video)
    for resnet, attention in zip(middle.resnets[1:], middle.attentions, strict=True):
        hidden = _transformer(unet, attention, hidden, conditioning, 3, video)
        hidden = resnet(hidden, embedding, image_only_indicator=video)

    for place, block in enumerate(unet.up_blocks):
        attentions = getattr(block, "attentions", [None] * len(block.resnets))
        for resnet, attention in zip(block.resnets, attentions, strict=True):
            hidden = resnet(torch.cat([hidden, skips.pop()], dim=1), embedding, image_only_indicator=video)
            if attention is not None:
                hidden = _transformer(unet, attention, hidden, conditioning, 3 - place, video)
        for upsampler in block.upsamplers or []:
            hidden = upsampler(hidden, skips[-1].shape[2:])
    hidden = unet.conv_out(F.silu(unet.conv_norm_out(hidden)))
    return hidden.reshape(clips, frames, *hidden.shape[1:])


def _transformer(
    unet: Any, module: Any, hidden: torch.Tensor, conditioning: _Conditioning, level: int, video: torch.Tensor
) -> torch.Tensor:
    clips, frames = video.shape
    count, channels, height, width = hidden.shape
    pixels = height * width
    tokens = module.proj_in(module.norm(hidden).flatten(2).transpose(1, 2))  # (B T, L, dim)
    place = module.time_proj(torch.arange(frames, device=hidden.device)).to(hidden.dtype)
    place = torch.cat([module.time_pos_embed(place)] * clips)[:, None]
    first = conditioning.image_tokens.unflatten(0, (clips, frames))[:, 0]  # (B, n, C)
    if unet.time_context == "per_clip":
        context = torch.cat([first[clip : clip + 1].expand(pixels, -1, -1) for clip in range(clips)])
    else:
        context = torch.cat([first] * pixels)
    for block, temporal_block in zip(module.transformer_blocks, module.temporal_transformer_blocks, strict=True):
        tokens = tokens + block.attn1(block.norm1(tokens))
        tokens = _mpi_block(unet, block.fuser, tokens, conditioning, level, (height, width))
        tokens = tokens + block.attn2(block.norm2(tokens), encoder_hidden_states=conditioning.image_tokens)
        tokens = tokens + block.ff(block.norm3(tokens))
        over_time = temporal_block(tokens + place, num_frames=frames, encoder_hidden_states=context)
        tokens = module.time_mixer(x_spatial=tokens, x_temporal=over_time, image_only_indicator=video)
    return hidden + module.proj_out(tokens).transpose(1, 2).reshape(count, channels, height, width)


def _mpi_block(
    unet: Any, fuser: Any, tokens: torch.Tensor, conditioning: _Conditioning, level: int, grid: tuple[int, int]
) -> torch.Tensor:
    visual_count = tokens.shape[1]
    strength = conditioning.blur_strength
    if conditioning.blur_precision == "float16":
        strength = strength.half()
    elif strength.dtype != torch.float64:
        strength = strength.float()
    features = []
    for frequency in 100.0 ** torch.linspace(0, 1, 16, dtype=strength.dtype, device=strength.device):
        features += [torch.sin(strength * frequency), torch.cos(strength * frequency)]
    tokens = tokens + fuser.k_encoder(torch.stack(features, dim=1).to(tokens.dtype))[:, None]

    mpi = F.interpolate(conditioning.mpi_image, grid, mode="bilinear").flatten(2).transpose(1, 2)
    passes = (conditioning.regions <= level).float()
    shown = F.interpolate(passes[:, None], grid, mode="bilinear").flatten(1) > 0.5
    if unet.mpi_mode == "released":
        shown = torch.zeros_like(shown)
    mask = torch.cat([torch.ones(len(tokens), visual_count, dtype=torch.bool, device=tokens.device), shown], dim=1)
    both = fuser.norm1(torch.cat([tokens, fuser.linear(mpi)], dim=1))
    query, key, value = (
        projection(both).unflatten(-1, (fuser.mpi_attn.heads, -1)).transpose(1, 2)
        for projection in (fuser.mpi_attn.to_q, fuser.mpi_attn.to_k, fuser.mpi_attn.to_v)
    )
    attended = conditioning.attend(query, key, value, mask[:, None, None, :])
    attended = fuser.mpi_attn.to_out[0](attended.transpose(1, 2).flatten(2))[:, :visual_count]
    tokens = tokens + torch.tanh(fuser.alpha_attn) * attended
    gate = torch.tanh(fuser.alpha_dense)
    return tokens + gate * fuser.ff(fuser.norm2(tokens)) + gate * fuser.ff(fuser.norm_k(tokens))


def decoder_forward(vae: Any, latents: torch.Tensor, pixels: torch.Tensor) -> torch.Tensor:
    """Decode ``(T, 4, h, w)`` with the encoder's features of ``pixels`` ``(T, 3, H, W)`` in [-1, 1], plainly."""
    features = []
    hidden = vae.encoder.conv_in(pixels)
    for block in vae.encoder.down_blocks:
        features.append(hidden)
        hidden = block(hidden)
    decoder = vae.decoder
    video = torch.zeros(1, len(latents), dtype=latents.dtype, device=latents.device)
    hidden = decoder.mid_block(decoder.conv_in(latents), image_only_indicator=video)
    skips = [decoder.skip_conv_1, decoder.skip_conv_2, decoder.skip_conv_3, decoder.skip_conv_4]
    for skip, feature, block in zip(skips, reversed(features), decoder.up_blocks, strict=True):
        hidden = block(hidden + skip(feature), image_only_indicator=video)
    hidden = decoder.conv_out(F.silu(decoder.conv_norm_out(hidden)))
    return decoder.time_conv_out(hidden.transpose(0, 1)[None])[0].transpose(0, 1)


@torch.no_grad()
def refocus(
    pipeline: AnyToBokehPipeline,
    inputs: list[RenderInput],
    options: PipelineOptions,
    *,
    attend: Attend = softmax_attention,
) -> NDArray[np.float32]:
    """The whole clip at once, with ``latent="mean"`` and without scaling or composing: the model's bare pictures.

    Args:
        pipeline: the model.
        inputs: frames of one size, no larger than the processing size, K > 0 in all.
        options: plan and ``frames_per_decode`` are read.
        attend: how attention is computed.

    Returns:
        ``(T, 3, H, W)`` in [0, 1].
    """
    unet, vae, device = pipeline.unet, pipeline.vae, pipeline.device
    height, width = inputs[0].pixels.shape[1:]
    below, right = -height % 64, -width % 64
    weighted_sum: list[Any] = [0.0] * len(inputs)
    weight_sum = [0.0] * len(inputs)

    def padded(image: NDArray[np.float32]) -> torch.Tensor:
        return F.pad(torch.from_numpy(np.array(image)).to(device)[None], (0, right, 0, below), mode="replicate")

    for window in plan_windows(len(inputs), options.plan):
        given = [inputs[frame] for frame in window.frames]
        latents, contexts, regions = [], [], []
        for each in given:
            pixels, disparity = padded(each.pixels), padded(each.disparity)
            difference = (disparity - each.focus_disparity).abs()
            picture = vae.encode_frames((2 * pixels - 1).to(vae.dtype)).mean.float() * vae.latent_scale
            scale = vae.latent_scale if pipeline.card.disparity_latent == "scaled" else 1.0
            conditions = (2 * torch.cat([difference] * 3, dim=1) - 1).to(vae.dtype)
            latents.append(torch.cat([picture, vae.encode_frames(conditions).mean.float() * scale], dim=1)[0])
            contexts.append(_context(pipeline, torch.from_numpy(np.array(each.pixels)).to(device)[None]))
            thresholds = [(i / 4) ** (1 / each.focus_disparity**pipeline.card.alpha) for i in (1, 2, 3)]
            regions.append(torch.stack([difference[0, 0] > one for one in thresholds]).sum(dim=0))
        strengths = [each.blur_strength * max(height, width) / 1024 for each in given]
        prediction = unet_forward(
            unet,
            torch.stack(latents)[None].to(unet.dtype),
            torch.cat(contexts)[None].to(unet.dtype),
            torch.tensor([[options.fps - 1.0, options.motion_bucket, 0.0]], device=device),
            torch.tensor([strengths], device=device),
            torch.stack(regions)[None],
            attend=attend,
            blur_precision=pipeline.card.blur_precision,
        )[0].float()
        for frame, one, weight in zip(window.frames, prediction, window.weights.tolist(), strict=True):
            weighted_sum[frame] = weighted_sum[frame] + weight * one
            weight_sum[frame] += weight

    pictures = []
    for group in range(0, len(inputs), options.plan.stride):
        end = min(group + options.plan.stride, len(inputs))
        for start in range(group, end, options.frames_per_decode):
            part = range(start, min(start + options.frames_per_decode, end))
            blended = torch.stack([weighted_sum[frame] / weight_sum[frame] for frame in part]) / vae.latent_scale
            pixels = torch.cat([2 * padded(inputs[frame].pixels) - 1 for frame in part]).to(vae.dtype)
            decoded = decoder_forward(vae, blended.to(vae.dtype), pixels)[:, :, :height, :width].float()
            pictures.append(((decoded + 1) / 2).clamp(0, 1).cpu())
    return torch.cat(pictures).numpy()


def _context(pipeline: AnyToBokehPipeline, pixels: torch.Tensor) -> torch.Tensor:
    if pipeline.image_encoder is None:
        return torch.zeros(1, 1, pipeline.unet.context_dim, device=pixels.device)
    from diffusers.pipelines.stable_video_diffusion.pipeline_stable_video_diffusion import _resize_with_antialiasing

    side: Any = pipeline.image_encoder.config.image_size
    image = _resize_with_antialiasing(pixels, (side, side))
    if pipeline.card.clip_normalization == "clip":
        mean = torch.tensor([0.48145466, 0.4578275, 0.40821073], device=pixels.device)[:, None, None]
        image = (image - mean) / torch.tensor([0.26862954, 0.26130258, 0.27577711], device=pixels.device)[:, None, None]
    encoder: Any = pipeline.image_encoder
    return encoder(image.to(encoder.dtype)).image_embeds[:, None]
