"""A stage as a module: windows in, loss out; what a process group and mixed precision wrap."""

from typing import cast

import torch
from torch import nn

from any2bokeh.renderers.diffusion.network.autoencoder import EncodedFrames, SkipFeatures
from any2bokeh.renderers.diffusion.network.image_embedding import image_embedding
from any2bokeh.renderers.diffusion.run.options import PipelineOptions
from any2bokeh.renderers.diffusion.run.pipeline import AnyToBokehPipeline
from any2bokeh.training.losses import (
    at_least_float32,
    divergence_from_normal,
    latent_loss,
    picture_loss,
    thumbnails,
)
from any2bokeh.training.stages import Loss
from any2bokeh.training.windows import WindowBatch

DIVERGENCE_WEIGHT = 1e-6
"""Of the divergence from the normal distribution in the autoencoder's loss, as for latent diffusion models."""


class StageObjective(nn.Module):
    """The loss of a stage.

    Args:
        pipeline: the networks; those that the stage does not train must not require gradients.
        loss: see ``Loss``.
    """

    def __init__(self, pipeline: AnyToBokehPipeline, loss: Loss) -> None:
        super().__init__()
        self.unet = pipeline.unet
        self.vae = pipeline.vae
        self.image_encoder = pipeline.image_encoder
        self.card = pipeline.card
        self.loss: Loss = loss
        micro = PipelineOptions()
        self.micro_conditioning = [micro.fps - 1, micro.motion_bucket, 0]

    def forward(self, batch: WindowBatch) -> torch.Tensor:
        """The loss, a scalar in float32 or finer: the mean over the windows."""
        if self.loss == "reconstruction":
            return self._reconstruction(batch)
        if self.loss == "thumbnail":
            pixels = _all_pictures(batch)
            with self._autoencoder_precision(pixels.device):
                mean = self.vae.encode_frames(pixels).mean
            return latent_loss(mean, thumbnails(pixels))
        if self.loss == "latent":
            with torch.no_grad():
                target = self._scaled_latents(batch["bokeh"])
            return latent_loss(self._predicted(batch)[0], target)
        with torch.no_grad():
            predicted, skip_features = self._predicted(batch)
        frame_count = predicted.shape[1]
        with self._autoencoder_precision(predicted.device):
            latents = predicted.flatten(0, 1) / self.vae.latent_scale
            decoded = self.vae.decode_frames(latents, skip_features, frame_count)
        return picture_loss(decoded, to_signed(batch["bokeh"]).flatten(0, 1))

    def _reconstruction(self, batch: WindowBatch) -> torch.Tensor:
        """Of all pictures, without help from the skip convolutions."""
        pixels = _all_pictures(batch)
        frame_count = batch["frames"].shape[1]
        with self._autoencoder_precision(pixels.device):
            encoded = self.vae.encode_frames(pixels)
            noise = _noise(batch["number"], encoded.mean)
            latents = encoded.mean + (0.5 * at_least_float32(encoded.logvar)).exp() * noise
            decoded = self.vae.decode_frames(latents, _detached(encoded.skip_features), frame_count)
        divergence = divergence_from_normal(encoded.mean, encoded.logvar)
        return picture_loss(decoded, pixels) + DIVERGENCE_WEIGHT * divergence

    def _predicted(self, batch: WindowBatch) -> tuple[torch.Tensor, SkipFeatures]:
        """``(B, T, 4, h, w)`` scaled latents of the bokeh, and what the decoder takes from the all-in-focus frames."""
        clip_count, frame_count = batch["blur_strength"].shape
        with torch.no_grad():
            encoded = self._encoded(batch["frames"])
            difference = self._encoded(batch["difference"].expand(-1, -1, 3, -1, -1)).mean
            if self.card.disparity_latent == "scaled":
                difference = difference * self.vae.latent_scale
            latents = torch.cat([encoded.mean * self.vae.latent_scale, difference], dim=1)
            context = self._context(batch["frames"])
        # torch 2.13 crashes on the CPU in the backward pass of a group norm that is trained while what it normalises
        # needs no gradient, which is so for the first temporal block of stage 2.
        latents.requires_grad_(torch.is_grad_enabled())
        predicted = self.unet(
            latents.unflatten(0, (clip_count, frame_count)),
            encoder_hidden_states=context,
            added_time_ids=latents.new_tensor([self.micro_conditioning] * clip_count, dtype=torch.float32),
            blur_strength=batch["blur_strength"],
            region_index=batch["regions"],
            single_token_shortcut=True,
            blur_precision=self.card.blur_precision,
        )
        return predicted, encoded.skip_features

    def _context(self, frames: torch.Tensor) -> torch.Tensor:
        """``(B T, 1, C)`` image embedding, zero without an image encoder."""
        if self.image_encoder is None:
            return frames.new_zeros(frames.shape[0] * frames.shape[1], 1, self.unet.context_dim)
        return image_embedding(self.image_encoder, frames.flatten(0, 1), self.card.clip_normalization)

    def _scaled_latents(self, frames: torch.Tensor) -> torch.Tensor:
        latents = at_least_float32(self._encoded(frames).mean) * self.vae.latent_scale
        return latents.unflatten(0, frames.shape[:2])

    def _encoded(self, frames: torch.Tensor) -> EncodedFrames:
        with self._autoencoder_precision(frames.device):
            return self.vae.encode_frames(to_signed(frames).flatten(0, 1))

    def _autoencoder_precision(self, device: torch.device) -> torch.autocast:
        """The surrounding precision, but float32 for an autoencoder that overflows in float16."""
        enabled = torch.is_autocast_enabled(device.type)
        dtype = torch.get_autocast_dtype(device.type)
        overflows = dtype == torch.float16 and bool(self.vae.config.get("force_upcast", True))
        return torch.autocast(device.type, dtype=dtype, enabled=enabled and not overflows)


def to_signed(pixels: torch.Tensor) -> torch.Tensor:
    """[0, 1] to [-1, 1], in which the autoencoder works."""
    return pixels * 2.0 - 1.0


def _all_pictures(batch: WindowBatch) -> torch.Tensor:
    """``(3 B T, 3, H, W)``, all that the autoencoder will ever see: frames, bokeh frames and disparity differences."""
    shown = torch.cat([batch["frames"], batch["bokeh"], batch["difference"].expand(-1, -1, 3, -1, -1)])
    return to_signed(shown).flatten(0, 1)


def _detached(features: SkipFeatures) -> SkipFeatures:
    return SkipFeatures(features.pixels, tuple(level.detach() for level in features.coarser))


def _noise(numbers: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    """Normal noise that depends on the number of each window alone, not on batches or processes."""
    window_count = len(numbers)
    parts = like.unflatten(0, (-1, window_count, like.shape[0] // 3 // window_count))  # three kinds of picture
    noise = torch.empty(parts.shape, dtype=torch.float64)
    for place, number in enumerate(cast(list[int], numbers.tolist())):
        generator = torch.Generator().manual_seed(number)
        # In float64, for vectorised kernels round float32 normals in another way than plain ones.
        noise[:, place] = torch.randn(noise[:, place].shape, generator=generator, dtype=torch.float64)
    return noise.flatten(0, 2).to(like.device, torch.promote_types(like.dtype, torch.float32))
