"""The autoencoder: diffusers' temporal-decoder VAE whose decoder also sees the encoder's features."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import torch
from diffusers.configuration_utils import register_to_config
from diffusers.models.autoencoders.autoencoder_kl_temporal_decoder import AutoencoderKLTemporalDecoder, TemporalDecoder
from diffusers.models.unets.unet_3d_blocks import UpBlockTemporalDecoder
from diffusers.utils.accelerate_utils import apply_forward_hook
from torch import nn

from any2bokeh.renderers.diffusion.network.framewise import up_block_framewise
from any2bokeh.renderers.diffusion.network.norm_groups import NORM_GROUPS, set_norm_groups


@dataclass(frozen=True, slots=True)
class SkipFeatures:
    """What the decoder takes from the encoder.

    The features in front of the first down block are one small convolution of the picture and by far the largest; the
    picture is kept in their place and the convolution is taken again when they are wanted.

    Attributes:
        pixels: ``(N, 3, H, W)`` in [-1, 1], the encoder's input.
        coarser: features in front of the second, third, .. down block, finest first.
    """

    pixels: torch.Tensor
    coarser: tuple[torch.Tensor, ...]

    @staticmethod
    def cat(items: "list[SkipFeatures]") -> "SkipFeatures":
        """The features of several frames, one after the other."""
        levels = zip(*(item.coarser for item in items), strict=True)
        return SkipFeatures(torch.cat([item.pixels for item in items]), tuple(torch.cat(level) for level in levels))


@dataclass(frozen=True, slots=True)
class EncodedFrames:
    """Posterior of the latents, and the features for the decoder.

    Attributes:
        mean, logvar: ``(N, 4, H/8, W/8)``.
        skip_features: see ``SkipFeatures``.
    """

    mean: torch.Tensor
    logvar: torch.Tensor
    skip_features: SkipFeatures


class SkipDecoder(TemporalDecoder):
    """Temporal decoder that adds the encoder's features, through 1x1 convolutions, in front of every up block."""

    def __init__(
        self, in_channels: int, out_channels: int, block_out_channels: tuple[int, ...], layers_per_block: int
    ) -> None:
        super().__init__(in_channels, out_channels, cast(Any, block_out_channels), layers_per_block)
        encoder_channels = (block_out_channels[0], *block_out_channels[:-1])
        decoder_channels = (*block_out_channels[1:], block_out_channels[-1])
        pairs = zip(reversed(encoder_channels), reversed(decoder_channels), strict=True)
        for place, (source, target) in enumerate(pairs, start=1):
            self.add_module(f"skip_conv_{place}", nn.Conv2d(source, target, kernel_size=1, bias=False))

    def skip_convolutions(self) -> list[nn.Conv2d]:
        """One per up block, in the order of the up blocks."""
        return [cast(nn.Conv2d, self.get_submodule(f"skip_conv_{place + 1}")) for place in range(len(self.up_blocks))]

    def forward(  # pyright: ignore[reportIncompatibleMethodOverride]
        self,
        sample: torch.Tensor,
        image_only_indicator: torch.Tensor,
        num_frames: int,
        skip_levels: "list[Callable[[slice], torch.Tensor]]",
        framewise: bool = False,
    ) -> torch.Tensor:
        """
        Args:
            sample: ``(B T, 4, h, w)``.
            image_only_indicator: ``(B, T)``.
            num_frames: T.
            skip_levels: features for each up block, in their order, of a slice of the frames.
            framewise: work a frame at a time, which takes half the memory and changes nothing but rounding; for one
                clip and without gradients.

        Returns:
            ``(B T, 3, 8 h, 8 w)``.
        """
        hidden = self._checkpointed(self.mid_block, self.conv_in(sample), image_only_indicator)
        steps = zip(self.skip_convolutions(), skip_levels, self.up_blocks, strict=True)
        if framewise and len(image_only_indicator) == 1 and not torch.is_grad_enabled():
            frames = list(hidden.split(1))
            del hidden
            for convolution, skip_level, block in steps:
                for place in range(num_frames):
                    frames[place] = frames[place] + convolution(skip_level(slice(place, place + 1)))
                up_block_framewise(cast(UpBlockTemporalDecoder, block), frames)
            for place, frame in enumerate(frames):
                frames[place] = self.conv_out(self.conv_act(self.conv_norm_out(frame)))
            hidden = torch.cat(frames)
        else:
            for convolution, skip_level, block in steps:
                hidden = hidden + convolution(skip_level(slice(None)))
                hidden = self._checkpointed(block, hidden, image_only_indicator)
            hidden = self.conv_out(self.conv_act(self.conv_norm_out(hidden)))
        over_time = hidden.unflatten(0, (-1, num_frames)).transpose(1, 2)  # (B, 3, T, H, W)
        return self.time_conv_out(over_time).transpose(1, 2).flatten(0, 1)

    def _checkpointed(self, module: nn.Module, hidden: torch.Tensor, image_only: torch.Tensor) -> torch.Tensor:
        if torch.is_grad_enabled() and self.gradient_checkpointing:
            return cast(Any, self)._gradient_checkpointing_func(module, hidden, image_only)
        return module(hidden, image_only_indicator=image_only)


class BokehAutoencoder(AutoencoderKLTemporalDecoder):
    """Autoencoder with skip convolutions: the caller hands the features of ``encode_frames`` to ``decode_frames``.

    State-dict keys are those of diffusers' autoencoder, plus ``decoder.skip_conv_*``. Arguments are the base's, and
    ``norm_num_groups``; see ``set_norm_groups``.
    """

    @register_to_config
    def __init__(
        self,
        in_channels: int = 3,
        out_channels: int = 3,
        down_block_types: tuple[str, ...] = ("DownEncoderBlock2D",) * 4,
        block_out_channels: tuple[int, ...] = (128, 256, 512, 512),
        layers_per_block: int = 2,
        latent_channels: int = 4,
        sample_size: int = 768,
        scaling_factor: float = 0.18215,
        force_upcast: bool = True,
        norm_num_groups: int = NORM_GROUPS,
    ) -> None:
        super().__init__(
            in_channels=in_channels,
            out_channels=out_channels,
            down_block_types=cast(Any, down_block_types),
            block_out_channels=cast(Any, block_out_channels),
            layers_per_block=layers_per_block,
            latent_channels=latent_channels,
            sample_size=sample_size,
            scaling_factor=scaling_factor,
            force_upcast=force_upcast,
        )
        self.latent_scale = scaling_factor
        self.decoder = SkipDecoder(latent_channels, out_channels, block_out_channels, layers_per_block)
        set_norm_groups(self, norm_num_groups)

    @apply_forward_hook
    def encode_frames(self, pixels: torch.Tensor) -> EncodedFrames:
        """Encode frames.

        Args:
            pixels: ``(N, 3, H, W)`` in [-1, 1]; H and W multiples of the autoencoder's reduction, 8.

        Returns:
            Mean and log-variance of the latents, unscaled, and the features for ``decode_frames``.
        """
        hidden = self.encoder.conv_in(pixels)
        coarser: list[torch.Tensor] = []
        for place, block in enumerate(self.encoder.down_blocks):
            if place > 0:
                coarser.append(hidden)
            hidden = self._checkpointed(block, hidden)
        hidden = self._checkpointed(self.encoder.mid_block, hidden)
        hidden = self.encoder.conv_out(self.encoder.conv_act(self.encoder.conv_norm_out(hidden)))
        mean, logvar = self.quant_conv(hidden).chunk(2, dim=1)
        return EncodedFrames(mean, logvar.clamp(-30.0, 20.0), SkipFeatures(pixels, tuple(coarser)))

    @apply_forward_hook
    def decode_frames(
        self,
        latents: torch.Tensor,
        skip_features: SkipFeatures,
        num_frames: int | None = None,
        framewise: bool = False,
    ) -> torch.Tensor:
        """Decode the frames of one or more clips.

        Args:
            latents: ``(B T, 4, h, w)``, unscaled.
            skip_features: of the same frames, from ``encode_frames``.
            num_frames: T, frames that are neighbours in time; all of them where None.
            framewise: see ``SkipDecoder.forward``.

        Returns:
            ``(B T, 3, 8 h, 8 w)``, about [-1, 1], not clipped.
        """
        frame_count = len(latents) if num_frames is None else num_frames
        image_only = latents.new_zeros(len(latents) // frame_count, frame_count)
        levels: list[Callable[[slice], torch.Tensor]] = [
            lambda part, level=level: level[part] for level in reversed(skip_features.coarser)
        ]
        levels.append(lambda part: self.encoder.conv_in(skip_features.pixels[part]))
        return self.decoder(latents, image_only, frame_count, levels, framewise)

    def _checkpointed(self, module: nn.Module, hidden: torch.Tensor) -> torch.Tensor:
        if torch.is_grad_enabled() and self.encoder.gradient_checkpointing:
            return cast(Any, self.encoder)._gradient_checkpointing_func(module, hidden)
        return module(hidden)
