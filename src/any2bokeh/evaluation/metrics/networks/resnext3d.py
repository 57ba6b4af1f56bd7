"""3D ResNeXt.

Names of weights are those of the networks that its authors gave out (``layer1.0.conv1.weight``, ...).

Source: Hara, Kataoka and Satoh, Can Spatiotemporal 3D CNNs Retrace the History of 2D CNNs and ImageNet?, CVPR 2018.
"""

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn.functional import relu

LAYERS_101 = (3, 4, 23, 3)
"""Blocks of the four stages of ResNeXt-101."""
_CARDINALITY = 32
_EXPANSION = 2


class ResNeXt3d(nn.Module):
    """Features of a clip: ``(B, 3, T, H, W)`` to ``(B, 2048)``, the mean over time and place of the last stage.

    Args:
        layers: blocks of the four stages.
        channels: of the first convolution; 64 is the network itself, less (16 or 32) is for tests.
    """

    def __init__(self, layers: Sequence[int] = LAYERS_101, channels: int = 64) -> None:
        super().__init__()
        self.conv1 = nn.Conv3d(3, channels, 7, (1, 2, 2), 3, bias=False)
        self.bn1 = nn.BatchNorm3d(channels)
        self.maxpool = nn.MaxPool3d(3, 2, 1)
        channels_in = channels
        for stage, count in enumerate(layers):
            planes = 2 * channels * 2**stage
            blocks = []
            for place in range(count):
                blocks.append(_Bottleneck(channels_in, planes, stride=2 if stage > 0 and place == 0 else 1))
                channels_in = planes * _EXPANSION
            self.add_module(f"layer{stage + 1}", nn.Sequential(*blocks))
        self._stages = len(layers)

    def forward(self, clip: Tensor) -> Tensor:
        """See the class."""
        x = self.maxpool(relu(self.bn1(self.conv1(clip))))
        for stage in range(self._stages):
            x = self.get_submodule(f"layer{stage + 1}")(x)
        return x.mean(dim=(2, 3, 4))


class _Bottleneck(nn.Module):
    def __init__(self, channels_in: int, planes: int, *, stride: int) -> None:
        super().__init__()
        middle, channels = _CARDINALITY * (planes // _CARDINALITY), planes * _EXPANSION
        self.conv1 = nn.Conv3d(channels_in, middle, 1, bias=False)
        self.bn1 = nn.BatchNorm3d(middle)
        self.conv2 = nn.Conv3d(middle, middle, 3, stride, 1, groups=_CARDINALITY, bias=False)
        self.bn2 = nn.BatchNorm3d(middle)
        self.conv3 = nn.Conv3d(middle, channels, 1, bias=False)
        self.bn3 = nn.BatchNorm3d(channels)
        changes = stride != 1 or channels_in != channels
        self.downsample = (
            nn.Sequential(nn.Conv3d(channels_in, channels, 1, stride, bias=False), nn.BatchNorm3d(channels))
            if changes
            else None
        )

    def forward(self, x: Tensor) -> Tensor:
        found = relu(self.bn1(self.conv1(x)))
        found = self.bn3(self.conv3(relu(self.bn2(self.conv2(found)))))
        return relu(found + (x if self.downsample is None else self.downsample(x)))
