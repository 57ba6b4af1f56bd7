"""Features for VFID, as published: I3D and 3D ResNeXt."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from any2bokeh.errors import InputError, require_extra
from any2bokeh.evaluation.metrics.features import FeatureKind
from any2bokeh.evaluation.metrics.picture import Picture
from any2bokeh.models.aligned_weights import align_weights

if TYPE_CHECKING:
    from torch import Tensor, nn

VfidNetwork = Literal["i3d", "resnext"]

_TITLES: dict[VfidNetwork, str] = {"i3d": "I3D", "resnext": "3D ResNeXt-101"}
_SIZES_PX: dict[VfidNetwork, int] = {"i3d": 224, "resnext": 112}  # what they were trained on
_KINETICS_MEAN = (114.7748, 107.7354, 99.4750)  # of the training of ResNeXt, in 0..255
_UNUSED = re.compile(r"(logits|fc)\.|.*\.num_batches_tracked$")  # classifiers, counters of training


class VfidFeatures:
    """Features of windows of 16 frames by one of the two networks of VFID.

    The paper: VFID on I3D and on ResNeXt, both trained on Kinetics-400. Lengths of windows and sizes of frames are not
    known here: 16 frames, and the size that each network was trained on, squeezed to a square.

    Args:
        network: which.
        weights: safetensors with the state of the usual PyTorch port of I3D, or of the authors' 3D ResNeXt-101.
        device: of torch.

    Raises:
        InputError: torch is not installed, or the file has other weights.

    Source: Wang et al., Video-to-Video Synthesis, NeurIPS 2018.
    """

    kind: FeatureKind = "video"
    window = 16

    def __init__(self, network: VfidNetwork, weights: Path, *, device: str = "cpu") -> None:
        self.name = _TITLES[network]
        self.metric = f"vfid_{network}"
        self._network: VfidNetwork = network
        self._device = device
        self._model: Any = _loaded(network, weights).eval().to(device)

    def __call__(self, frames: Sequence[Picture]) -> NDArray[np.float32]:
        """See ``FeatureExtractor.__call__``."""
        import torch

        side_px = _SIZES_PX[self._network]
        resized = np.stack([cv2.resize(frame, (side_px, side_px), interpolation=cv2.INTER_AREA) for frame in frames])
        values = resized * 2 - 1 if self._network == "i3d" else resized * 255 - np.asarray(_KINETICS_MEAN, np.float32)
        clip = torch.from_numpy(np.ascontiguousarray(values.transpose(3, 0, 1, 2), np.float32))[None]
        with torch.inference_mode():
            return self._model(clip.to(self._device))[0].float().cpu().numpy()


def _loaded(network: VfidNetwork, weights: Path) -> "nn.Module":
    """The network, of the size that the weights have."""
    option = f"--{network}"
    with require_extra("VFID", "diffusion"):
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        from any2bokeh.evaluation.metrics.networks.i3d import I3d
        from any2bokeh.evaluation.metrics.networks.resnext3d import ResNeXt3d
    try:
        state = {name.removeprefix("module."): tensor for name, tensor in load_file(weights).items()}
    except (OSError, SafetensorError) as error:
        raise InputError(f"{weights} cannot be read as safetensors ({error}); check {option}") from None
    makers: dict[VfidNetwork, Callable[[dict[str, Tensor]], nn.Module]] = {
        "i3d": lambda state: I3d(max(64 // state["Conv3d_1a_7x7.conv3d.weight"].shape[0], 1)),
        "resnext": lambda state: ResNeXt3d(_blocks(state), state["conv1.weight"].shape[0]),
    }
    try:
        model = makers[network](state)
        used = {name: tensor for name, tensor in state.items() if not _UNUSED.match(name)}
        found = model.load_state_dict(used, strict=False)
    except (KeyError, RuntimeError, ValueError, ZeroDivisionError) as error:
        reason = " ".join(str(error).split())[:120]
        raise InputError(f"{weights} is not {_TITLES[network]} ({reason}); check {option}") from None
    missing = [name for name in found.missing_keys if not _UNUSED.match(name)]
    if missing or found.unexpected_keys:
        wrong = f"lacks {missing[0]}" if missing else f"has {found.unexpected_keys[0]}"
        raise InputError(f"{weights} is not {_TITLES[network]}: it {wrong}; check {option}")
    align_weights(model)
    return model


def _blocks(state: "dict[str, Tensor]") -> list[int]:
    """How many blocks each stage of a ResNeXt has."""
    places = [re.match(r"layer(\d+)\.(\d+)\.conv1\.weight", name) for name in state]
    stages: dict[int, int] = {}
    for place in places:
        if place is not None:
            stage = int(place[1])
            stages[stage] = max(stages.get(stage, 0), int(place[2]) + 1)
    return [stages[stage] for stage in sorted(stages)]
