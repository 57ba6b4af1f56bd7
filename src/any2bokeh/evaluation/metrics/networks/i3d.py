"""I3D: Inception v1 inflated to three dimensions.

Names of weights are those of the usual PyTorch port (``Conv3d_1a_7x7.conv3d.weight``, ``Mixed_3b.b1a.bn.bias``, ...).

Source: Carreira and Zisserman, Quo Vadis, Action Recognition?, CVPR 2017, fig. 3.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import max_pool3d, pad, relu

_BN_EPS = 1e-3
# Output channels of the branches: 1x1; 1x1 then 3x3; 1x1 then 3x3; pooled then 1x1.
_MIXED = {
    "Mixed_3b": (64, 96, 128, 16, 32, 32),
    "Mixed_3c": (128, 128, 192, 32, 96, 64),
    "Mixed_4b": (192, 96, 208, 16, 48, 64),
    "Mixed_4c": (160, 112, 224, 24, 64, 64),
    "Mixed_4d": (128, 128, 256, 24, 64, 64),
    "Mixed_4e": (112, 144, 288, 32, 64, 64),
    "Mixed_4f": (256, 160, 320, 32, 128, 128),
    "Mixed_5b": (256, 160, 320, 32, 128, 128),
    "Mixed_5c": (384, 192, 384, 48, 128, 128),
}
_STEM = (64, 64, 192)
_POOLED_BEFORE = {"Mixed_4b": 3, "Mixed_5b": 2}  # size of the window; the stride is 2


class I3d(nn.Module):
    """Features of a clip: ``(B, 3, T, H, W)`` in [-1, 1] to ``(B, 1024)``, the mean over time and place.

    Args:
        divisor: of all channels, 1 to 8; 1 is the network itself, more is for tests.
    """

    def __init__(self, divisor: int = 1) -> None:
        super().__init__()
        stem = [channels // divisor for channels in _STEM]
        self.Conv3d_1a_7x7 = _Unit(3, stem[0], 7, stride=2)
        self.Conv3d_2b_1x1 = _Unit(stem[0], stem[1], 1)
        self.Conv3d_2c_3x3 = _Unit(stem[1], stem[2], 3)
        channels = stem[2]
        for name, branches in _MIXED.items():
            block = _Mixed(channels, [one // divisor for one in branches])
            self.add_module(name, block)
            channels = block.channels

    def forward(self, clip: Tensor) -> Tensor:
        """See the class."""
        x = _pooled(self.Conv3d_1a_7x7(clip), (1, 3, 3), (1, 2, 2))
        x = _pooled(self.Conv3d_2c_3x3(self.Conv3d_2b_1x1(x)), (1, 3, 3), (1, 2, 2))
        for name in _MIXED:
            if name in _POOLED_BEFORE:
                x = _pooled(x, (_POOLED_BEFORE[name],) * 3, (2, 2, 2))
            x = self.get_submodule(name)(x)
        return x.mean(dim=(2, 3, 4))


class _Unit(nn.Module):
    """Convolution, batch normalisation, rectifier."""

    def __init__(self, channels_in: int, channels: int, size: int, *, stride: int = 1) -> None:
        super().__init__()
        self.conv3d = nn.Conv3d(channels_in, channels, size, stride, bias=False)
        self.bn = nn.BatchNorm3d(channels, eps=_BN_EPS)
        self._size, self._stride = (size,) * 3, (stride,) * 3

    def forward(self, x: Tensor) -> Tensor:
        return relu(self.bn(self.conv3d(_padded(x, self._size, self._stride))))


class _Mixed(nn.Module):
    def __init__(self, channels_in: int, branches: Sequence[int]) -> None:
        super().__init__()
        b0, b1a, b1b, b2a, b2b, b3b = branches
        self.b0 = _Unit(channels_in, b0, 1)
        self.b1a = _Unit(channels_in, b1a, 1)
        self.b1b = _Unit(b1a, b1b, 3)
        self.b2a = _Unit(channels_in, b2a, 1)
        self.b2b = _Unit(b2a, b2b, 3)
        self.b3b = _Unit(channels_in, b3b, 1)
        self.channels = b0 + b1b + b2b + b3b

    def forward(self, x: Tensor) -> Tensor:
        pooled = _pooled(x, (3, 3, 3), (1, 1, 1))
        return torch.cat([self.b0(x), self.b1b(self.b1a(x)), self.b2b(self.b2a(x)), self.b3b(pooled)], dim=1)


def _pooled(x: Tensor, size: tuple[int, ...], stride: tuple[int, ...]) -> Tensor:
    return max_pool3d(_padded(x, size, stride), size, stride)


def _padded(x: Tensor, size: tuple[int, ...], stride: tuple[int, ...]) -> Tensor:
    """Zeros around, so that there is a result for each step of the stride ("same" of TensorFlow)."""
    around: list[int] = []
    for length, window, step in zip(x.shape[:1:-1], size[::-1], stride[::-1], strict=True):
        total = max(window - (length % step or step), 0)
        around += [total // 2, total - total // 2]
    return pad(x, around)
