"""The MPI block: blur strength and multi-plane image enter a spatial transformer block through it."""

from typing import cast

import torch
import torch.nn.functional as F
from diffusers.models.attention import FeedForward
from diffusers.models.attention_processor import Attention
from torch import nn

from any2bokeh.renderers.diffusion.network.conditioning import MpiLevel


class MpiAttention(nn.Module):
    """Gated attention of the visual tokens to themselves and to the MPI tokens, after adding the embedding of K.

    ::

        x <- x + k_encoder(fourier(K))
        x <- x + tanh(alpha_attn)  * attention(norm1(x); [norm1(x) ; norm1(linear(mpi))])
        x <- x + tanh(alpha_dense) * (ff(norm2(x)) + ff(norm_k(x)))

    Only visual tokens are queries, and hidden MPI tokens are left out rather than masked: no dense mask keeps the
    fused attention kernels away.

    Args:
        dim: channels of the visual tokens.
        mpi_dim: channels of the MPI tokens.
        head_count, head_dim: of the attention.
        blur_feature_dim: number of Fourier features of K.
        unused_feed_forward: carry ``ff_k``, which the published layout holds and nothing reads.
    """

    def __init__(
        self,
        dim: int,
        mpi_dim: int,
        head_count: int,
        head_dim: int,
        blur_feature_dim: int,
        unused_feed_forward: bool,
    ) -> None:
        super().__init__()
        self.linear = nn.Linear(mpi_dim, dim)
        self.k_encoder = nn.Linear(blur_feature_dim, dim)
        self.mpi_attn = Attention(query_dim=dim, heads=head_count, dim_head=head_dim)
        self.ff = FeedForward(dim, activation_fn="geglu")
        if unused_feed_forward:
            self.ff_k = FeedForward(dim, activation_fn="geglu")
        self.norm1 = nn.LayerNorm(dim)
        self.norm2 = nn.LayerNorm(dim)
        self.norm_k = nn.LayerNorm(dim)
        self.alpha_attn = nn.Parameter(torch.tensor(0.0))
        self.alpha_dense = nn.Parameter(torch.tensor(0.0))

    def forward(self, tokens: torch.Tensor, blur_features: torch.Tensor, mpi: MpiLevel | None) -> torch.Tensor:
        """
        Args:
            tokens: ``(N, L, dim)`` visual tokens.
            blur_features: ``(N, 1, blur_feature_dim)``.
            mpi: attended MPI tokens; None for none.

        Returns:
            ``(N, L, dim)``.
        """
        tokens = tokens + self.k_encoder(blur_features)
        tokens = tokens + self.alpha_attn.tanh() * self._attention(self.norm1(tokens), mpi)
        return tokens + self.alpha_dense.tanh() * self._feed_forward_pair(self.norm2(tokens), self.norm_k(tokens))

    def _attention(self, visual: torch.Tensor, mpi: MpiLevel | None) -> torch.Tensor:
        to_query, to_key, to_value = (
            cast(nn.Linear, projection) for projection in (self.mpi_attn.to_q, self.mpi_attn.to_k, self.mpi_attn.to_v)
        )
        query, key, value = (self._heads(projection(visual)) for projection in (to_query, to_key, to_value))
        if mpi is None:
            attended = F.scaled_dot_product_attention(query, key, value)
        else:
            mpi_tokens = self.norm1(self.linear(mpi.tokens))  # (S, dim)
            extra_key, extra_value = (self._heads(projection(mpi_tokens)) for projection in (to_key, to_value))
            attended = attend_with_extra_keys(query, key, value, extra_key, extra_value, mpi.lengths)
        return cast(nn.ModuleList, self.mpi_attn.to_out)[0](attended.transpose(1, 2).flatten(2))

    def _heads(self, features: torch.Tensor) -> torch.Tensor:
        """(..., L, heads * d) -> (..., heads, L, d)."""
        return features.unflatten(-1, (self.mpi_attn.heads, -1)).transpose(-3, -2)

    def _feed_forward_pair(self, first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
        """ff(first) + ff(second), through the outer projection once."""
        inner, outer = self.ff.net[0], cast(nn.Linear, self.ff.net[2])
        return F.linear(inner(first) + inner(second), outer.weight, 2 * outer.bias)


def attend_with_extra_keys(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    extra_key: torch.Tensor,
    extra_value: torch.Tensor,
    lengths: tuple[int, ...],
) -> torch.Tensor:
    """Attention in which every frame brings its own number of extra keys.

    Args:
        query, key, value: ``(N, heads, L, d)``.
        extra_key, extra_value: ``(heads, S, d)``, the extra ones of all frames, one frame after the other.
        lengths: how many each frame has, N numbers that add up to S.

    Returns:
        ``(N, heads, L, d)``. Frames with the same number of extra keys share a kernel call.
    """
    if len(set(lengths)) == 1:
        # (heads, N l, d) -> (N, heads, l, d)
        extra_keys, extra_values = (
            extra.unflatten(1, (len(lengths), -1)).transpose(0, 1) for extra in (extra_key, extra_value)
        )
        return F.scaled_dot_product_attention(
            query, torch.cat([key, extra_keys], dim=2), torch.cat([value, extra_values], dim=2)
        )
    attended = []
    frames = zip(extra_key.split(lengths, dim=1), extra_value.split(lengths, dim=1), strict=True)
    for frame, (frame_key, frame_value) in enumerate(frames):
        one = slice(frame, frame + 1)
        attended.append(
            F.scaled_dot_product_attention(
                query[one],
                torch.cat([key[one], frame_key[None]], dim=2),
                torch.cat([value[one], frame_value[None]], dim=2),
            )
        )
    return torch.cat(attended)
