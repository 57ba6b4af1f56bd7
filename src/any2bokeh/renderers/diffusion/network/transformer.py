"""Spatio-temporal transformer with MPI attention in its spatial blocks."""

from typing import Any, cast

import torch
from diffusers.models.attention import BasicTransformerBlock, TemporalBasicTransformerBlock
from diffusers.models.attention_processor import Attention
from diffusers.models.transformers.transformer_temporal import TransformerSpatioTemporalModel
from torch import nn

from any2bokeh.renderers.diffusion.network.conditioning import FrameConditioning
from any2bokeh.renderers.diffusion.network.mpi_attention import MpiAttention


class MpiTransformerBlock(BasicTransformerBlock):
    """Self-attention, MPI attention, cross-attention, feed-forward; the base block's state-dict keys stay."""

    def __init__(self, dim: int, head_count: int, head_dim: int, cross_attention_dim: int, fuser: MpiAttention) -> None:
        super().__init__(dim, head_count, head_dim, cross_attention_dim=cross_attention_dim)
        self.fuser = fuser

    def forward(self, tokens: torch.Tensor, conditioning: FrameConditioning, level: int) -> torch.Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        """
        Args:
            tokens: ``(B T, L, dim)``.
            conditioning: of the same ``B T`` frames.
            level: level of the U-Net that the block sits at.

        Returns:
            ``(B T, L, dim)``.
        """
        tokens = self.attn1(self.norm1(tokens)) + tokens
        tokens = self.fuser(tokens, conditioning.blur_features, conditioning.mpi_levels[level])
        if _takes_shortcut(conditioning):
            tokens = tokens + value_of_single_token(cast(Attention, self.attn2), conditioning.image_tokens)
        else:
            norm2, attn2 = cast(nn.Module, self.norm2), cast(nn.Module, self.attn2)
            tokens = attn2(norm2(tokens), encoder_hidden_states=conditioning.image_tokens) + tokens
        norm3 = cast(nn.Module, self.norm3)
        return self.ff(norm3(tokens)) + tokens


class MpiSpatioTemporalTransformer(TransformerSpatioTemporalModel):
    """diffusers' spatio-temporal transformer whose spatial blocks have MPI attention.

    Takes a ``FrameConditioning`` where the base takes the cross-attention context: the blocks of the U-Net hand that
    argument down untouched.

    Args:
        base: the module to take the place of; its sizes are read, its weights are not.
        cross_attention_dim: channels of the context.
        mpi_dim: channels of the MPI tokens.
        blur_feature_dim: number of Fourier features of K.
        level: level of the U-Net that the module sits at.
        unused_feed_forward: see ``MpiAttention``.
    """

    def __init__(
        self,
        base: TransformerSpatioTemporalModel,
        cross_attention_dim: int,
        mpi_dim: int,
        blur_feature_dim: int,
        level: int,
        unused_feed_forward: bool,
    ) -> None:
        super().__init__(
            base.num_attention_heads,
            base.attention_head_dim,
            in_channels=base.in_channels,
            num_layers=len(base.transformer_blocks),
            cross_attention_dim=cross_attention_dim,
        )
        self.level = level
        head_count, head_dim, dim = self.num_attention_heads, self.attention_head_dim, self.inner_dim
        self.transformer_blocks = nn.ModuleList(
            MpiTransformerBlock(
                dim,
                head_count,
                head_dim,
                cross_attention_dim,
                MpiAttention(dim, mpi_dim, head_count, head_dim, blur_feature_dim, unused_feed_forward),
            )
            for _ in base.transformer_blocks
        )

    def forward(  # pyright: ignore[reportIncompatibleMethodOverride]
        self,
        hidden_states: torch.Tensor,
        encoder_hidden_states: FrameConditioning,
        image_only_indicator: torch.Tensor,
        return_dict: bool = False,
    ) -> tuple[torch.Tensor]:
        """
        Args:
            hidden_states: ``(B T, C, h, w)``.
            encoder_hidden_states: conditioning of the frames; the name is the base's.
            image_only_indicator: ``(B, T)``.
            return_dict: accepted for the base's callers; the result is always a tuple.

        Returns:
            A tuple of ``(B T, C, h, w)``.
        """
        conditioning = encoder_hidden_states
        frames, channels, height, width = hidden_states.shape
        clip_count, frame_count = image_only_indicator.shape
        residual = hidden_states

        # 1. Pixels to tokens
        tokens = self.norm(hidden_states).permute(0, 2, 3, 1).reshape(frames, height * width, channels)
        tokens = self.proj_in(tokens)

        # 2. Embedding of the frame's place in its clip
        places = torch.arange(frame_count, device=tokens.device).repeat(clip_count)
        place_embedding = self.time_pos_embed(self.time_proj(places).to(tokens.dtype))[:, None]  # (B T, 1, C)

        # 3. Spatial and temporal blocks in turn
        time_tokens = conditioning.tiled_time_tokens(height * width)
        for spatial_block, temporal_block in zip(
            self.transformer_blocks, self.temporal_transformer_blocks, strict=True
        ):
            spatial = self._run(spatial_block, tokens, conditioning, self.level)
            temporal = self._run(
                run_temporal_block,
                temporal_block,
                spatial + place_embedding,
                frame_count,
                time_tokens,
                _takes_shortcut(conditioning),
            )
            tokens = self.time_mixer(x_spatial=spatial, x_temporal=temporal, image_only_indicator=image_only_indicator)

        # 4. Tokens to pixels
        tokens = self.proj_out(tokens)
        pixels = tokens.reshape(frames, height, width, channels).permute(0, 3, 1, 2).contiguous()
        return (pixels + residual,)

    def _run(self, function: Any, *arguments: Any) -> torch.Tensor:
        if torch.is_grad_enabled() and self.gradient_checkpointing:
            return cast(Any, self)._gradient_checkpointing_func(function, *arguments)
        return function(*arguments)


def run_temporal_block(
    block: TemporalBasicTransformerBlock,
    tokens: torch.Tensor,
    frame_count: int,
    time_tokens: torch.Tensor,
    shortcut: bool,
) -> torch.Tensor:
    """A temporal block, its cross-attention to a single token replaced by that token's value if ``shortcut``.

    Args:
        block: diffusers' temporal block.
        tokens: ``(B T, L, dim)``.
        frame_count: T.
        time_tokens: ``(B L, n, C)``.
        shortcut: ``n`` is 1 and the value alone is wanted.

    Returns:
        ``(B T, L, dim)``.
    """
    if not shortcut:
        return block(tokens, num_frames=frame_count, encoder_hidden_states=time_tokens)
    frames, pixel_count, dim = tokens.shape
    clip_count = frames // frame_count
    # (B T, L, dim) -> (B L, T, dim)
    tokens = tokens.reshape(clip_count, frame_count, pixel_count, dim).transpose(1, 2).flatten(0, 1)
    inner = block.ff_in(block.norm_in(tokens))
    tokens = inner + tokens if block.is_res else inner
    tokens = block.attn1(block.norm1(tokens)) + tokens
    if block.attn2 is not None:
        tokens = tokens + value_of_single_token(block.attn2, time_tokens)
    outer = block.ff(block.norm3(tokens))
    tokens = outer + tokens if block.is_res else outer
    return tokens.reshape(clip_count, pixel_count, frame_count, dim).transpose(1, 2).flatten(0, 1)


def value_of_single_token(attention: Attention, context: torch.Tensor) -> torch.Tensor:
    """What attention to one token ``(N, 1, C)`` gives for every query, ``(N, 1, dim)``: the projected value."""
    return cast(nn.ModuleList, attention.to_out)[0](cast(nn.Module, attention.to_v)(context))


def _takes_shortcut(conditioning: FrameConditioning) -> bool:
    return conditioning.single_token_shortcut and conditioning.image_tokens.shape[1] == 1
