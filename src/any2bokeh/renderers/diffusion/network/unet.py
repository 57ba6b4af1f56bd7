"""The one-step U-Net: diffusers' Stable Video Diffusion U-Net with MPI attention."""

from collections.abc import Iterator
from typing import Any, cast

import torch
from diffusers.configuration_utils import register_to_config
from diffusers.models.transformers.transformer_temporal import TransformerSpatioTemporalModel
from diffusers.models.unets.unet_spatio_temporal_condition import UNetSpatioTemporalConditionModel
from torch import nn

from any2bokeh.errors import require_choice
from any2bokeh.renderers.diffusion.network.conditioning import (
    FrameConditioning,
    MpiLevel,
    MpiMode,
    TimeContext,
    mpi_level,
)
from any2bokeh.renderers.diffusion.network.fourier import FREQUENCY_COUNT, BlurPrecision, fourier_features
from any2bokeh.renderers.diffusion.network.norm_groups import NORM_GROUPS, set_norm_groups
from any2bokeh.renderers.diffusion.network.transformer import MpiSpatioTemporalTransformer

LATENT_CHANNELS = 4
"""Channels of the all-in-focus latent, which come first in the input."""

TIMESTEP = 1.0
"""The one step."""


class BokehUNet(UNetSpatioTemporalConditionModel):
    """Maps the latents of the all-in-focus frames and of V_D to those of the bokeh frames, in one pass.

    State-dict keys are those of diffusers' U-Net, plus ``conv_in_mpi`` and the ``fuser`` of every spatial block.

    Args:
        mpi_mode: see ``MpiMode``; ``masked`` for training.
        time_context: see ``TimeContext``.
        unused_feed_forward: carry the ``ff_k`` of the published layout.
        norm_num_groups: see ``set_norm_groups``.
        Every other argument is the base's.
    """

    @register_to_config
    def __init__(
        self,
        sample_size: int | None = None,
        in_channels: int = 2 * LATENT_CHANNELS,
        out_channels: int = LATENT_CHANNELS,
        down_block_types: tuple[str, ...] = (
            "CrossAttnDownBlockSpatioTemporal",
            "CrossAttnDownBlockSpatioTemporal",
            "CrossAttnDownBlockSpatioTemporal",
            "DownBlockSpatioTemporal",
        ),
        up_block_types: tuple[str, ...] = (
            "UpBlockSpatioTemporal",
            "CrossAttnUpBlockSpatioTemporal",
            "CrossAttnUpBlockSpatioTemporal",
            "CrossAttnUpBlockSpatioTemporal",
        ),
        block_out_channels: tuple[int, ...] = (320, 640, 1280, 1280),
        addition_time_embed_dim: int = 256,
        projection_class_embeddings_input_dim: int = 768,
        layers_per_block: int | tuple[int, ...] = 2,
        cross_attention_dim: int = 1024,
        transformer_layers_per_block: int = 1,
        num_attention_heads: int | tuple[int, ...] = (5, 10, 20, 20),
        num_frames: int = 25,
        mpi_mode: MpiMode = "masked",
        time_context: TimeContext = "per_clip",
        unused_feed_forward: bool = False,
        norm_num_groups: int = NORM_GROUPS,
    ) -> None:
        require_choice("mpi_mode", mpi_mode, ("masked", "released"))
        require_choice("time_context", time_context, ("per_clip", "interleaved"))
        super().__init__(
            sample_size=sample_size,
            in_channels=in_channels,
            out_channels=out_channels,
            down_block_types=down_block_types,
            up_block_types=up_block_types,
            block_out_channels=block_out_channels,
            addition_time_embed_dim=addition_time_embed_dim,
            projection_class_embeddings_input_dim=projection_class_embeddings_input_dim,
            layers_per_block=cast(Any, layers_per_block),
            cross_attention_dim=cross_attention_dim,
            transformer_layers_per_block=transformer_layers_per_block,
            num_attention_heads=num_attention_heads,
            num_frames=num_frames,
        )
        self.conv_in_mpi = nn.Conv2d(LATENT_CHANNELS, block_out_channels[0], kernel_size=3, padding=1)
        for level, attentions in self._attention_levels():
            for place, base in enumerate(attentions):
                attentions[place] = MpiSpatioTemporalTransformer(
                    cast(TransformerSpatioTemporalModel, base),
                    cross_attention_dim=cross_attention_dim,
                    mpi_dim=block_out_channels[0],
                    blur_feature_dim=2 * FREQUENCY_COUNT,
                    level=level,
                    unused_feed_forward=unused_feed_forward,
                )
        set_norm_groups(self, norm_num_groups)
        self.context_dim = cross_attention_dim
        self.mpi_mode: MpiMode = mpi_mode
        self.time_context: TimeContext = time_context

    def _attention_levels(self) -> Iterator[tuple[int, nn.ModuleList]]:
        """Every list of transformers, with the level that it sits at: 0 finest, down and up alike."""
        coarsest = len(self.down_blocks) - 1
        levels = [(level, block) for level, block in enumerate(self.down_blocks)]
        levels.append((coarsest, self.mid_block))
        levels += [(coarsest - place, block) for place, block in enumerate(self.up_blocks)]
        for level, block in levels:
            attentions = getattr(block, "attentions", None)
            if attentions is not None:
                yield level, attentions

    def forward(  # pyright: ignore[reportIncompatibleMethodOverride]
        self,
        sample: torch.Tensor,
        encoder_hidden_states: torch.Tensor,
        added_time_ids: torch.Tensor,
        blur_strength: torch.Tensor,
        region_index: torch.Tensor,
        *,
        mpi_latents: torch.Tensor | None = None,
        timestep: float = TIMESTEP,
        single_token_shortcut: bool = False,
        blur_precision: BlurPrecision = "float32",
    ) -> torch.Tensor:
        """
        Args:
            sample: ``(B, T, 8, h, w)``: latents of the all-in-focus frames, then those of V_D.
            encoder_hidden_states: ``(B, T, n, C)`` or ``(B T, n, C)`` image embedding of every frame.
            added_time_ids: ``(B, 3)``: fps - 1, motion bucket, noise strength.
            blur_strength: ``(B, T)``, K in pixels of the frames that the latents are of.
            region_index: ``(B, T, H, W)`` MPI regions, any size with the latents' aspect.
            mpi_latents: ``(B, T, 4, h, w)`` latents that the MPI tokens are made of; the first four channels of
                ``sample`` where None.
            timestep: the noise level that the U-Net is told.
            single_token_shortcut: skip the queries of cross-attention to a single token; the same up to rounding, and
                faster. Its query and key weights then get no gradient (it is exactly 0 without the short cut).
            blur_precision: see ``BlurPrecision``.

        Returns:
            ``(B, T, 4, h, w)`` latents of the bokeh frames.
        """
        clip_count, frame_count = sample.shape[:2]
        height, width = sample.shape[-2:]

        # 1. Time and micro-conditioning
        embedding = self._time_embedding(timestep, added_time_ids, clip_count, sample.dtype)  # (B, E)
        embedding = embedding.repeat_interleave(frame_count, dim=0)

        # 2. What the blocks are conditioned on
        tokens = encoder_hidden_states.reshape(clip_count * frame_count, *encoder_hidden_states.shape[-2:])
        grids = self._grids(height, width)
        conditioning = FrameConditioning(
            image_tokens=tokens,
            time_tokens=tokens.unflatten(0, (clip_count, frame_count))[:, 0],
            blur_features=fourier_features(blur_strength.reshape(-1, 1), precision=blur_precision).to(sample.dtype),
            mpi_levels=self._mpi_levels(sample if mpi_latents is None else mpi_latents, region_index, grids),
            time_context=self.time_context,
            single_token_shortcut=single_token_shortcut,
        )
        image_only = torch.zeros(clip_count, frame_count, dtype=sample.dtype, device=sample.device)

        # 3. Down
        hidden = self.conv_in(sample.flatten(0, 1))  # (B T, C, h, w)
        skips: tuple[torch.Tensor, ...] = (hidden,)
        for block in self.down_blocks:
            if getattr(block, "has_cross_attention", False):
                hidden, block_skips = block(hidden, embedding, conditioning, image_only_indicator=image_only)
            else:
                hidden, block_skips = block(hidden, embedding, image_only_indicator=image_only)
            skips += block_skips

        # 4. Middle
        hidden = self.mid_block(hidden, embedding, conditioning, image_only_indicator=image_only)

        # 5. Up; odd grids need the size that the way down had
        for place, block in enumerate(self.up_blocks):
            layer_count = len(cast(nn.ModuleList, block.resnets))
            block_skips, skips = skips[-layer_count:], skips[:-layer_count]
            last = place == len(self.up_blocks) - 1
            size = None if last else skips[-1].shape[2:]
            if getattr(block, "has_cross_attention", False):
                hidden = block(
                    hidden, block_skips, embedding, conditioning, image_only_indicator=image_only, upsample_size=size
                )
            else:
                hidden = block(hidden, block_skips, embedding, image_only_indicator=image_only, upsample_size=size)

        # 6. Out
        hidden = self.conv_out(self.conv_act(self.conv_norm_out(hidden)))
        return hidden.unflatten(0, (clip_count, frame_count))

    def _time_embedding(
        self, timestep: float, added_time_ids: torch.Tensor, clip_count: int, dtype: torch.dtype
    ) -> torch.Tensor:
        timesteps = torch.full((clip_count,), timestep, dtype=torch.float32, device=added_time_ids.device)
        time_embedding = self.time_embedding(self.time_proj(timesteps).to(dtype))
        ids = self.add_time_proj(added_time_ids.flatten().float()).reshape(clip_count, -1)
        return time_embedding + self.add_embedding(ids.to(dtype))

    def _grids(self, height: int, width: int) -> list[tuple[int, int]]:
        """Grid of every level, finest first: each is half of the one before, rounded up."""
        grids = [(height, width)]
        for _ in range(len(self.down_blocks) - 1):
            rows, columns = grids[-1]
            grids.append(((rows + 1) // 2, (columns + 1) // 2))
        return grids

    def _mpi_levels(
        self, latents: torch.Tensor, region_index: torch.Tensor, grids: list[tuple[int, int]]
    ) -> tuple[MpiLevel | None, ...]:
        if self.mpi_mode == "released":
            return (None,) * len(grids)
        features = self.conv_in_mpi(latents[:, :, :LATENT_CHANNELS].flatten(0, 1))  # (B T, C, h, w)
        regions = region_index.flatten(0, 1)
        return tuple(mpi_level(features, regions, level, grid) for level, grid in enumerate(grids))
