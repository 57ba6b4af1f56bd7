"""Learned perceptual image patch similarity."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from any2bokeh.errors import InputError, require_extra
from any2bokeh.evaluation.metrics.picture import Picture
from any2bokeh.evaluation.metrics.truth import TruthFrame
from any2bokeh.models.aligned_weights import aligned

# Output channels, kernel, stride and padding of AlexNet's convolutions; pooling (3, stride 2) before the 2nd and 3rd.
_ALEXNET = ((64, 11, 4, 2), (192, 5, 1, 2), (384, 3, 1, 1), (256, 3, 1, 1), (256, 3, 1, 1))
_PLACES = (0, 3, 6, 8, 10)  # of the convolutions in torchvision's ``features``
_POOL_BEFORE = (1, 2)
# Place in torchvision's ``features`` of SqueezeNet 1.1 of each fire module: its slice, input, squeezed and expanded
# channels. Activations are compared at the end of each slice.
_FIRES = {
    3: (2, 64, 16, 64),
    4: (2, 128, 16, 64),
    6: (3, 128, 32, 128),
    7: (3, 256, 32, 128),
    9: (4, 256, 48, 192),
    10: (5, 384, 48, 192),
    11: (6, 384, 64, 256),
    12: (7, 512, 64, 256),
}
_POOL_BEFORE_FIRE = (3, 6, 9)
_SHIFT, _SCALE = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)

_TITLES = {"lpips": "SqueezeNet", "lpips_alex": "AlexNet"}


class Lpips:
    """LPIPS version 0.1, 0 for identical pictures, lower is better.

    Activations of some layers, each normalised over channels, squared differences weighted by learnt heads, averaged
    over pixels, summed over layers. A clip's score is the mean over its frames.

    The paper: LPIPS on SqueezeNet, 0.019 on its layered clips: ``lpips``. On AlexNet, the default of the authors of
    LPIPS, it is ``lpips_alex``.

    Args:
        weights: safetensors with the state of ``lpips.LPIPS(net="squeeze")`` or ``net="alex"``:
            ``net.slice1.0.weight`` ... ``lin4.model.1.weight``. The file says which network it is.
            The package has none: without them LPIPS is absent from a result.
        device: of torch.

    Attributes:
        metric: ``lpips`` or ``lpips_alex``.
        name: of the network.

    Raises:
        InputError: torch is not installed, or the file has other weights.

    Source: Zhang et al., The Unreasonable Effectiveness of Deep Features as a Perceptual Metric, CVPR 2018; Iandola et
    al., SqueezeNet, 2016.
    """

    def __init__(self, weights: Path, *, device: str = "cpu") -> None:
        with require_extra("LPIPS", "diffusion"):
            from safetensors import SafetensorError
            from safetensors.torch import load_file
        try:
            state = {name: aligned(tensor) for name, tensor in load_file(weights, device=device).items()}
        except (OSError, SafetensorError) as error:
            raise InputError(f"{weights} cannot be read as safetensors ({error}); check --lpips") from None
        is_squeeze = any(".squeeze." in name for name in state)
        self.metric = "lpips" if is_squeeze else "lpips_alex"
        self.name = _TITLES[self.metric]
        read = _Weights(state, weights, self.name)
        self._network = _SqueezeNet(read) if is_squeeze else _AlexNet(read)
        self._heads = [
            read(f"lin{layer}.model.1.weight", (1, channels, 1, 1))
            for layer, channels in enumerate(self._network.channels)
        ]
        self._device = device

    def __call__(self, prediction: Picture, truth: Picture) -> float:
        """The distance of two pictures of at least 64x64."""
        import torch

        with torch.inference_mode():
            pair = torch.from_numpy(np.stack([prediction, truth]).transpose(0, 3, 1, 2).copy()).to(self._device)
            shift, scale = (torch.tensor(values, device=self._device)[:, None, None] for values in (_SHIFT, _SCALE))
            distance = torch.zeros((), device=self._device)
            for head, activation in zip(self._heads, self._network((pair * 2 - 1 - shift) / scale), strict=True):
                unit = activation / (activation.square().sum(dim=1, keepdim=True).sqrt() + 1e-10)
                distance += (head[0] * (unit[0] - unit[1]).square()).sum(dim=0).mean()
        return float(distance)


@dataclass(frozen=True, slots=True)
class _Weights:
    """Reads weights of known shapes from a state."""

    state: dict[str, Any]
    file: Path
    network: str

    def __call__(self, key: str, shape: tuple[int, ...]) -> Any:
        found = self.state.get(key)
        if found is None or tuple(found.shape) != shape:
            have = "is not there" if found is None else f"is {tuple(found.shape)}"
            raise InputError(
                f"{self.file} is not LPIPS on {self.network}: {key} {have} but must be {shape}; check --lpips"
            )
        return found.float()

    def convolution(self, prefix: str, channels_in: int, channels: int, size: int) -> tuple[Any, Any]:
        """Kernel and bias."""
        return self(f"{prefix}.weight", (channels, channels_in, size, size)), self(f"{prefix}.bias", (channels,))


class _AlexNet:
    """Activations ``(2, channels, h, w)`` after each of the five rectifiers."""

    channels = tuple(layer[0] for layer in _ALEXNET)

    def __init__(self, read: _Weights) -> None:
        into = (3, *self.channels)
        self._layers = [
            read.convolution(f"net.slice{layer + 1}.{place}", into[layer], channels, size)
            for layer, (place, (channels, size, _, _)) in enumerate(zip(_PLACES, _ALEXNET, strict=True))
        ]

    def __call__(self, activation: Any) -> Iterator[Any]:
        from torch.nn.functional import conv2d, max_pool2d, relu

        for layer, ((kernel, bias), (_, _, stride, padding)) in enumerate(zip(self._layers, _ALEXNET, strict=True)):
            if layer in _POOL_BEFORE:
                activation = max_pool2d(activation, 3, 2)
            activation = relu(conv2d(activation, kernel, bias, stride, padding))
            yield activation


class _SqueezeNet:
    """Activations ``(2, channels, h, w)`` at the end of each of the seven slices."""

    channels = (64, *({slice_: 2 * expanded for slice_, _, _, expanded in _FIRES.values()}.values()))

    def __init__(self, read: _Weights) -> None:
        self._first = read.convolution("net.slice1.0", 3, 64, 3)
        self._fires = {}
        for place, (slice_, into, squeezed, expanded) in _FIRES.items():
            prefix = f"net.slice{slice_}.{place}"
            self._fires[place] = (
                read.convolution(f"{prefix}.squeeze", into, squeezed, 1),
                read.convolution(f"{prefix}.expand1x1", squeezed, expanded, 1),
                read.convolution(f"{prefix}.expand3x3", squeezed, expanded, 3),
            )

    def __call__(self, activation: Any) -> Iterator[Any]:
        import torch
        from torch.nn.functional import conv2d, max_pool2d, relu

        activation = relu(conv2d(activation, *self._first, stride=2))
        slice_before = 1
        for place, (squeeze, narrow, wide) in self._fires.items():
            if _FIRES[place][0] != slice_before:
                yield activation
                slice_before = _FIRES[place][0]
            if place in _POOL_BEFORE_FIRE:
                activation = max_pool2d(activation, 3, 2, ceil_mode=True)
            squeezed = relu(conv2d(activation, *squeeze))
            activation = torch.cat([relu(conv2d(squeezed, *narrow)), relu(conv2d(squeezed, *wide, padding=1))], dim=1)
        yield activation


class LpipsMeter:
    """``lpips``, or ``lpips_alex``, the mean over frames."""

    def __init__(self, network: Lpips) -> None:
        self._network = network
        self._frames: list[float] = []

    def add(self, prediction: Picture, frame: TruthFrame) -> None:
        """See ``Meter.add``."""
        self._frames.append(self._network(prediction, frame.truth))

    def scores(self) -> dict[str, float]:
        """See ``Meter.scores``."""
        return {self._network.metric: float(np.mean(self._frames))} if self._frames else {}
