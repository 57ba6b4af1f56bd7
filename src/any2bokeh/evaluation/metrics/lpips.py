"""Learned perceptual image patch similarity."""

from pathlib import Path
from typing import Any

import numpy as np

from any2bokeh.errors import InputError
from any2bokeh.evaluation.metrics.picture import Picture
from any2bokeh.evaluation.metrics.truth import TruthFrame
from any2bokeh.models.aligned_weights import aligned

# Output channels, kernel, stride and padding of AlexNet's convolutions; pooling (3, stride 2) before the 2nd and 3rd.
_ALEXNET = ((64, 11, 4, 2), (192, 5, 1, 2), (384, 3, 1, 1), (256, 3, 1, 1), (256, 3, 1, 1))
_PLACES = (0, 3, 6, 8, 10)  # of the convolutions in torchvision's ``features``
_POOL_BEFORE = (1, 2)
_SHIFT, _SCALE = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)


class Lpips:
    """LPIPS version 0.1 on AlexNet, 0 for identical pictures, lower is better.

    Activations of five layers, each normalised over channels, squared differences weighted by learnt heads, averaged
    over pixels, summed over layers. A clip's score is the mean over its frames.

    The paper: LPIPS, 0.019 on its layered clips. The network (AlexNet or VGG) could not be found; AlexNet is the
    default of the authors of LPIPS.

    Args:
        weights: safetensors with the state of ``lpips.LPIPS(net="alex")``: ``net.slice1.0.weight`` ...
        ``lin4.model.1.weight``.
            The package has none: without them LPIPS is absent from a result.
        device: of torch.

    Raises:
        InputError: torch is not installed, or the file has other weights.

    Source: Zhang et al., The Unreasonable Effectiveness of Deep Features as a Perceptual Metric, CVPR 2018.
    """

    name = "AlexNet"

    def __init__(self, weights: Path, *, device: str = "cpu") -> None:
        try:
            from safetensors import SafetensorError
            from safetensors.torch import load_file
        except ImportError:
            raise InputError("LPIPS needs torch, which is not installed; pip install 'any2bokeh[diffusion]'") from None
        try:
            state = {name: aligned(tensor) for name, tensor in load_file(weights, device=device).items()}
        except (OSError, SafetensorError) as error:
            raise InputError(f"{weights} cannot be read as safetensors ({error}); check --lpips") from None
        channels_in = 3
        self._layers: list[tuple[Any, Any, int, int]] = []
        self._heads: list[Any] = []
        for layer, (place, (channels, size, stride, padding)) in enumerate(zip(_PLACES, _ALEXNET, strict=True)):
            prefix = f"net.slice{layer + 1}.{place}"
            kernel = _weight(state, f"{prefix}.weight", (channels, channels_in, size, size), weights)
            bias = _weight(state, f"{prefix}.bias", (channels,), weights)
            self._layers.append((kernel, bias, stride, padding))
            self._heads.append(_weight(state, f"lin{layer}.model.1.weight", (1, channels, 1, 1), weights))
            channels_in = channels
        self._device = device

    def __call__(self, prediction: Picture, truth: Picture) -> float:
        """The distance of two pictures of at least 64x64."""
        import torch
        from torch.nn.functional import conv2d, max_pool2d, relu

        with torch.inference_mode():
            pair = torch.from_numpy(np.stack([prediction, truth]).transpose(0, 3, 1, 2).copy()).to(self._device)
            shift, scale = (torch.tensor(values, device=self._device)[:, None, None] for values in (_SHIFT, _SCALE))
            activation = (pair * 2 - 1 - shift) / scale
            distance = torch.zeros((), device=self._device)
            for layer, ((kernel, bias, stride, padding), head) in enumerate(
                zip(self._layers, self._heads, strict=True)
            ):
                if layer in _POOL_BEFORE:
                    activation = max_pool2d(activation, 3, 2)
                activation = relu(conv2d(activation, kernel, bias, stride, padding))  # (2, channels, h, w)
                unit = activation / (activation.square().sum(dim=1, keepdim=True).sqrt() + 1e-10)
                distance += (head[0] * (unit[0] - unit[1]).square()).sum(dim=0).mean()
        return float(distance)


class LpipsMeter:
    """``lpips``, the mean over frames."""

    def __init__(self, network: Lpips) -> None:
        self._network = network
        self._frames: list[float] = []

    def add(self, prediction: Picture, frame: TruthFrame) -> None:
        """See ``Meter.add``."""
        self._frames.append(self._network(prediction, frame.truth))

    def scores(self) -> dict[str, float]:
        """See ``Meter.scores``."""
        return {"lpips": float(np.mean(self._frames))} if self._frames else {}


def _weight(state: dict[str, Any], key: str, shape: tuple[int, ...], file: Path) -> Any:
    found = state.get(key)
    if found is None or tuple(found.shape) != shape:
        have = "is not there" if found is None else f"is {tuple(found.shape)}"
        raise InputError(f"{file} is not LPIPS on AlexNet: {key} {have} but must be {shape}; check --lpips")
    return found.float()
