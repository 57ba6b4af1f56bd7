"""Depth models of the transformers library, one frame at a time."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from any2bokeh.disparity.aspect import in_aspect_of
from any2bokeh.disparity.estimators.base import Device, MapMeaning
from any2bokeh.disparity.estimators.folder_model import FolderModel
from any2bokeh.disparity.estimators.model_folder import FALLBACK_REMEDY, identity
from any2bokeh.disparity.estimators.preprocessing import Preprocessing
from any2bokeh.errors import InputError, require_extra
from any2bokeh.models.aligned_weights import align_weights
from any2bokeh.models.model_files import CONFIG_FILE, read_json, weight_files

_CLASSES = {
    "depth_anything": "DepthAnythingForDepthEstimation",
    "dpt": "DPTForDepthEstimation",
    "zoedepth": "ZoeDepthForDepthEstimation",
    "depth_pro": "DepthProForDepthEstimation",
}
# Weights that the first layer of the fusion stage has and never reads; published files leave them out.
_UNREAD = re.compile(r"fusion_stage\.layers\.0\.residual_layer1\.")


@dataclass(frozen=True)
class TransformersEstimator(FolderModel):
    """A depth model folder in the layout of transformers: Depth Anything (V1, V2), DPT, ZoeDepth or DepthPro.

    Weights come from safetensors alone, and no code of the folder is run.

    Raises:
        InputError: another kind of model, or no safetensors.
    """

    def __post_init__(self) -> None:
        _ = self.model_type, self.preprocessing, weight_files(self.folder)

    @cached_property
    def config(self) -> dict[str, Any]:
        return read_json(self.folder / CONFIG_FILE, "depth model")

    @cached_property
    def model_type(self) -> str:
        """``model_type`` of the folder's configuration, one of those that estimate depth."""
        kind = str(self.config.get("model_type"))
        architectures = self.config.get("architectures") or [_CLASSES.get(kind)]
        if kind not in _CLASSES or _CLASSES[kind] not in architectures:
            stated = self.config.get("architectures") or [self.config.get("_class_name", f"of type {kind}")]
            what = ", ".join(map(str, stated))
            raise InputError(
                f"{self.folder} is no depth model that is known here (it is {what}); give one of "
                f"{', '.join(_CLASSES.values())}"
            )
        return kind

    @cached_property
    def preprocessing(self) -> Preprocessing:
        return Preprocessing.of_folder(self.folder, self.model_type)

    @property
    def meaning(self) -> MapMeaning:
        """Depth Anything says in its configuration which it was trained for; the others by their kind."""
        match self.model_type:
            case "zoedepth":
                return MapMeaning("depth", is_metric=True)
            case "depth_pro":
                return MapMeaning("disparity", is_metric=bool(self.config.get("use_fov_model", False)))
            case "depth_anything" if self.config.get("depth_estimation_type") == "metric":
                return MapMeaning("depth", is_metric=True)
            case _:
                return MapMeaning("disparity")

    @property
    def settings(self) -> Mapping[str, object]:
        return {"model": identity(self.folder), "preprocessing": str(self.preprocessing)}

    def maps(self, frames: Iterable[NDArray[np.float32]]) -> Iterator[NDArray[np.float32]]:
        """See ``DepthEstimator.maps``."""
        import torch

        network, device = self._loaded()
        for pixels in frames:
            taken = torch.from_numpy(self.preprocessing(pixels))[None].to(device)
            with torch.inference_mode():
                outputs = network(pixel_values=taken)
            raw = outputs.predicted_depth.float().cpu().numpy().reshape(outputs.predicted_depth.shape[-2:])
            if self.model_type == "depth_pro" and outputs.field_of_view is not None:
                # Canonical inverse depth times width over focal length; Bochkovskii et al., Depth Pro, 2024, sec. 3.
                raw = raw * np.float32(2 * np.tan(np.deg2rad(float(outputs.field_of_view)) / 2))
            yield in_aspect_of(raw, pixels.shape[1:])

    def _loaded(self) -> tuple[Any, Any]:
        torch, transformers = require_torch(self.name)
        from safetensors import SafetensorError
        from transformers.utils import logging

        logging.disable_progress_bar()
        verbosity = logging.get_verbosity()
        logging.set_verbosity_error()  # of keys: the ones that matter are told below, in one line
        try:
            network, report = getattr(transformers, _CLASSES[self.model_type]).from_pretrained(
                self.folder,
                use_safetensors=True,
                local_files_only=True,
                trust_remote_code=False,
                output_loading_info=True,
                dtype=torch.float32,
            )
        except SafetensorError as error:
            raise InputError(
                f"the weights in {self.folder} are truncated or damaged ({error}); copy them again"
            ) from None
        except (OSError, ValueError, RuntimeError, TypeError, KeyError, AttributeError) as error:
            reason = " ".join(str(error).split())[:200]
            raise InputError(f"{self.folder} does not load as {_CLASSES[self.model_type]}: {reason}") from None
        finally:
            logging.set_verbosity(verbosity)
        missing = sorted(str(key) for key in report["missing_keys"] if not _UNREAD.search(str(key)))
        if missing:
            raise InputError(
                f"{self.folder} lacks {len(missing)} weights of {_CLASSES[self.model_type]}, such as {missing[0]}; "
                f"copy the model again"
            )
        align_weights(network)
        device = torch_device(self.device)
        return network.eval().requires_grad_(False).to(device), device


def require_torch(name: str) -> tuple[Any, Any]:
    """The libraries that run a model.

    Raises:
        InputError: one is not installed.
    """
    with require_extra(f"depth model {name}", "depth", instead=FALLBACK_REMEDY):
        import torch
        import transformers
    return torch, transformers


def torch_device(device: Device) -> Any:
    """The device of a name.

    Raises:
        InputError: there is none.
    """
    import torch

    present = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if device == "auto":
        return torch.device("cuda" if present["cuda"] else "mps" if present["mps"] else "cpu")
    if not present[device]:
        raise InputError(f"there is no {device} device here; take --device auto or cpu")
    return torch.device(device)
