"""Features of clips by a network that the user gives, for ``frechet_distance``."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from any2bokeh.errors import InputError, require_extra
from any2bokeh.evaluation.metrics.picture import Picture
from any2bokeh.evaluation.metrics.truth import TruthFrame
from any2bokeh.models.aligned_weights import align_weights

FeatureKind = Literal["video", "image"]

VIDEOMAE_G = (1408, 40)
"""Width and layers of the network behind the published FVD."""


class FeatureExtractor(Protocol):
    """Turns a window of frames into one vector.

    Attributes:
        name: of the network, for the result.
        metric: what the distance of its features is called.
        kind: ``video`` sees the window at once, ``image`` each frame by itself.
        window: frames of a window; 1 for an image network.
    """

    name: str
    metric: str
    kind: FeatureKind
    window: int

    def __call__(self, frames: Sequence[Picture]) -> NDArray[np.float32]:
        """``(D,)`` features of ``window`` frames."""
        ...


class TransformersFeatures:
    """A network from a local folder in the layout of transformers: ``config.json`` and safetensors.

    Features are the mean over tokens of the last hidden state, through the norm before the classifier where a VideoMAE
    has one. Pictures are resized to the network's size and normalised with the mean and deviation of
    ``preprocessor_config.json``, or of ImageNet where there is none. Only safetensors are read, and no code of the
    folder is run.

    The paper: FVD on VideoMAE-g, 9.0 on its layered clips. A VideoMAE of that size (40 layers, 1408 wide) gives
    ``fvd``, any other video network ``frechet_video``, an image network ``frechet_image``.

    Args:
        folder: such as a VideoMAE for ``video``, a ViT or CLIP vision tower for ``image``.
        kind: what it sees.
        device: of torch.

    Raises:
        InputError: transformers is not installed, or the folder holds no such network.
    """

    def __init__(self, folder: Path, *, kind: FeatureKind, device: str = "cpu") -> None:
        if not (folder / "config.json").is_file():
            raise InputError(f"{folder} is no folder of a network (no config.json); give one with its safetensors")
        with require_extra(f"the network {folder}", "diffusion"):
            from transformers import AutoConfig, AutoModel, AutoModelForVideoClassification
        try:
            known: Any = AutoConfig.from_pretrained(folder, local_files_only=True)
            classifies = known.model_type == "videomae" and "VideoMAEForVideoClassification" in (
                known.architectures or ()
            )
            loader = AutoModelForVideoClassification if classifies else AutoModel
            model: Any = loader.from_pretrained(folder, local_files_only=True, use_safetensors=True)
        except (OSError, ValueError, KeyError, RuntimeError) as error:
            raise InputError(f"{folder} holds no network to load ({' '.join(str(error).split())[:120]})") from None
        align_weights(model)
        model = model.eval().to(device)
        self._norm = getattr(model, "fc_norm", None) if classifies else None
        self._model = model.videomae if classifies else getattr(model, "vision_model", model)
        self._device = device
        self.name = folder.resolve().name
        self.kind: FeatureKind = kind
        is_published = kind == "video" and known.model_type == "videomae" and _size(known) == VIDEOMAE_G
        self.metric = "fvd" if is_published else f"frechet_{kind}"
        config = getattr(model.config, "vision_config", model.config)
        self.window = int(getattr(config, "num_frames", 16)) if kind == "video" else 1
        size = getattr(config, "image_size", 224)
        self._size = (size, size) if isinstance(size, int) else (int(size[1]), int(size[0]))
        self._mean, self._deviation = _normalisation(folder)

    def __call__(self, frames: Sequence[Picture]) -> NDArray[np.float32]:
        """See ``FeatureExtractor.__call__``."""
        import torch

        resized = [cv2.resize(frame, self._size, interpolation=cv2.INTER_AREA) for frame in frames]
        pixels = (np.stack(resized) - self._mean) / self._deviation
        batch = torch.from_numpy(pixels.astype(np.float32).transpose(0, 3, 1, 2)).to(self._device)  # (T, 3, h, w)
        with torch.inference_mode():
            seen = self._model(pixel_values=batch[None] if self.kind == "video" else batch)
        hidden = seen.last_hidden_state.flatten(2).transpose(1, 2) if seen.last_hidden_state.ndim == 4 else None
        tokens = seen.last_hidden_state if hidden is None else hidden  # (B, tokens, D)
        mean = tokens.mean(dim=(0, 1))
        return (mean if self._norm is None else self._norm(mean)).detach().float().cpu().numpy()


class FeatureMeter:
    """Collects features of result and truth, window after window without overlap; what is left of a clip is left out.

    The features of an image network are averaged over the clip, so that each clip gives one row.

    Attributes:
        rows, truth_rows: features so far.
    """

    def __init__(self, extractor: FeatureExtractor) -> None:
        self._extractor = extractor
        self._window: list[Picture] = []
        self._truth_window: list[Picture] = []
        self._found: list[NDArray[np.float32]] = []
        self._truth_found: list[NDArray[np.float32]] = []

    def add(self, prediction: Picture, frame: TruthFrame) -> None:
        """See ``Meter.add``."""
        self._window.append(prediction)
        self._truth_window.append(frame.truth)
        if len(self._window) == self._extractor.window:
            self._found.append(self._extractor(self._window))
            self._truth_found.append(self._extractor(self._truth_window))
            self._window, self._truth_window = [], []

    @property
    def rows(self) -> list[NDArray[np.float32]]:
        return self._rows(self._found)

    @property
    def truth_rows(self) -> list[NDArray[np.float32]]:
        return self._rows(self._truth_found)

    def scores(self) -> dict[str, float]:
        """Nothing: a distance is one of many clips."""
        return {}

    def _rows(self, found: list[NDArray[np.float32]]) -> list[NDArray[np.float32]]:
        return [np.mean(found, axis=0)] if self._extractor.kind == "image" and found else found


def _size(config: Any) -> tuple[int, int]:
    return int(config.hidden_size), int(config.num_hidden_layers)


def _normalisation(folder: Path) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    import json

    file = folder / "preprocessor_config.json"
    about = json.loads(file.read_text()) if file.is_file() else {}
    mean = about.get("image_mean") or (0.485, 0.456, 0.406)
    deviation = about.get("image_std") or (0.229, 0.224, 0.225)
    return np.asarray(mean, np.float32), np.asarray(deviation, np.float32)
