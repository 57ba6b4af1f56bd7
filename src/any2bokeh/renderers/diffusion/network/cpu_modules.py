"""Modules of the networks in forms that PyTorch runs well on a CPU; same weights, same results up to rounding."""

import torch
import torch.nn.functional as F
from torch import nn

from any2bokeh.renderers.diffusion.network.module_replacement import replace_modules


class FlatTemporalConv3d(nn.Conv3d):
    """A convolution over time alone, as one over the rows of a ``(T, H W)`` picture.

    PyTorch 2.13 runs ``nn.Conv3d`` on a CPU without oneDNN, at half to a third of the speed, and in bfloat16 its
    backward pass writes past its memory.
    """

    @classmethod
    def of(cls, other: nn.Conv3d) -> "FlatTemporalConv3d":
        """This form of a convolution, with its very parameters."""
        kernel, padding = (other.kernel_size[0], 1, 1), (other.kernel_size[0] // 2, 0, 0)
        form = cls(
            other.in_channels, other.out_channels, kernel, padding=padding, bias=other.bias is not None, device="meta"
        )
        form.weight, form.bias = other.weight, other.bias
        return form

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        clip_count, _, frame_count, height, width = input.shape
        flat = input.reshape(clip_count, -1, frame_count, height * width)
        flat = F.conv2d(flat, self.weight[..., 0], self.bias, padding=(self.kernel_size[0] // 2, 0))
        return flat.unflatten(-1, (height, width))


class ContiguousGroupNorm(nn.GroupNorm):
    """A group norm of one dtype and one memory layout.

    The backward pass of PyTorch 2.13 on a CPU takes seven times as long where weights and input differ in dtype, and
    seventeen times where channels come last, as bfloat16 convolutions leave them.
    """

    @classmethod
    def of(cls, other: nn.GroupNorm) -> "ContiguousGroupNorm":
        """This form of a group norm, with its very parameters."""
        form = cls(other.num_groups, other.num_channels, other.eps, device="meta")
        form.weight, form.bias = other.weight, other.bias
        return form

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        weight, bias = self.weight.to(input.dtype), self.bias.to(input.dtype)
        return F.group_norm(input.contiguous(), self.num_groups, weight, bias, self.eps)


def use_cpu_modules(network: nn.Module) -> None:
    """Give the modules inside a network these forms, in place; its parameters and state dict stay as they are."""
    replace_modules(network, _cpu_form)


def _cpu_form(module: nn.Module) -> nn.Module | None:
    if type(module) is nn.Conv3d and _is_over_time_alone(module):
        return FlatTemporalConv3d.of(module)
    if type(module) is nn.GroupNorm and module.affine:
        return ContiguousGroupNorm.of(module)
    return None


def _is_over_time_alone(convolution: nn.Conv3d) -> bool:
    length = convolution.kernel_size[0]
    return (
        convolution.kernel_size == (length, 1, 1)
        and convolution.padding == (length // 2, 0, 0)
        and convolution.stride == (1, 1, 1)
        and convolution.dilation == (1, 1, 1)
        and convolution.groups == 1
        and convolution.padding_mode == "zeros"
    )
