"""The network in torch, over whole tiles; ``disparity.edges.learned.network`` is the same over lists of cells."""

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from any2bokeh.disparity.edges.learned.cells import PIXELS
from any2bokeh.disparity.edges.learned.network import EPSILON, Shape


class EdgeNetwork(nn.Module):
    """Corrects nothing before it is trained: its last layer starts at 0.

    Args:
        shape: what it is built of.
        seed: of its random weights.
    """

    def __init__(self, shape: Shape, seed: int = 0) -> None:
        super().__init__()
        self.shape = shape
        generator = torch.Generator().manual_seed(seed)
        self.weights = nn.ParameterDict()
        for name, size in shape.sizes().items():
            value = torch.zeros(size)
            if name.endswith("weight") and name != "head.narrow.weight":
                inputs = size[0]
                gain = 0.3 if ".narrow." in name else 1.4 if ".wide." in name else 1.0
                value = torch.randn(size, generator=generator) * (gain / inputs**0.5)
            self.weights[_key(name)] = nn.Parameter(value)

    def named_weights(self) -> dict[str, nn.Parameter]:
        """By the names of ``Shape.sizes``."""
        return {name: self._of(name) for name in self.shape.sizes()}

    def load(self, weights: Mapping[str, NDArray[np.float32]]) -> None:
        """Take weights of that shape."""
        with torch.no_grad():
            for name, parameter in self.named_weights().items():
                parameter.copy_(torch.from_numpy(np.array(weights[name], np.float32)))

    def forward(self, values: Tensor, looks: Tensor) -> Tensor:
        """Corrections of the pixels of tiles.

        Args:
            values: ``(B, rows, columns, 4 * clues)``.
            looks: ``(B, rows, columns, 1)``: 1 for cells that the network looks at, 0 for others.

        Returns:
            ``(B, rows, columns, 4, corrections)``.
        """
        features = functional.linear(values, self._of("stem.weight").T, self._of("stem.bias"))
        looks = looks.to(features.dtype)
        features = features * looks
        for block, dilation in enumerate(self.shape.dilations):
            features = features + self._block(features, f"blocks.{block}.", dilation) * looks
        both = torch.cat([features, values.to(features.dtype)], dim=-1)
        wide = functional.relu(functional.linear(both, self._of("head.wide.weight").T, self._of("head.wide.bias")))
        found = functional.linear(wide, self._of("head.narrow.weight").T, self._of("head.narrow.bias"))
        return found.unflatten(-1, (PIXELS, self.shape.corrections))

    def _block(self, features: Tensor, block: str, dilation: int) -> Tensor:
        channels = self.shape.channels
        kernel = self._of(f"{block}spatial.weight").T.reshape(channels, 1, 3, 3)
        if features.is_cuda:  # its units multiply matrices: full ones take a fraction of the time of the diagonal alone
            kernel = torch.diag_embed(kernel[:, 0].permute(1, 2, 0)).permute(2, 3, 0, 1)
        mixed = functional.conv2d(
            features.permute(0, 3, 1, 2),  # channels last in memory
            kernel,
            self._of(f"{block}spatial.bias"),
            padding=dilation,
            dilation=dilation,
            groups=1 if features.is_cuda else channels,
        ).permute(0, 2, 3, 1)
        mixed = functional.layer_norm(mixed, (channels,), eps=EPSILON)
        wide = functional.linear(mixed, self._of(f"{block}wide.weight").T, self._of(f"{block}wide.bias"))
        return functional.linear(
            functional.relu(wide), self._of(f"{block}narrow.weight").T, self._of(f"{block}narrow.bias")
        )

    def _of(self, name: str) -> nn.Parameter:
        return self.weights[_key(name)]


def _key(name: str) -> str:
    return name.replace(".", "/")
