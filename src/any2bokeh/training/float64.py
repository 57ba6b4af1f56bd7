"""Networks in float64 throughout: two machines then differ by rounding alone, and far less than any loss shows."""

import math

import torch
from diffusers.models.embeddings import Timesteps
from torch import nn

from any2bokeh.renderers.diffusion.network.module_replacement import replace_modules


class Float64Timesteps(Timesteps):
    """diffusers' sinusoids, which it computes in float32, in float64: ``(N,)`` to ``(N, num_channels)``.

    Source: Vaswani et al., Attention Is All You Need, NeurIPS 2017, section 3.5.
    """

    def forward(self, timesteps: torch.Tensor) -> torch.Tensor:
        half = self.num_channels // 2
        places = torch.arange(half, dtype=torch.float64, device=timesteps.device)
        frequencies = torch.exp(-math.log(10_000) * places / (half - self.downscale_freq_shift))
        phases = self.scale * timesteps.double()[:, None] * frequencies
        parts = (phases.cos(), phases.sin()) if self.flip_sin_to_cos else (phases.sin(), phases.cos())
        return torch.cat(parts, dim=-1)


def to_float64(network: nn.Module) -> None:
    """Turn a network to float64, in place."""
    network.double()
    replace_modules(network, _float64_form)


def _float64_form(module: nn.Module) -> nn.Module | None:
    if type(module) is not Timesteps:
        return None
    return Float64Timesteps(module.num_channels, module.flip_sin_to_cos, module.downscale_freq_shift, module.scale)
