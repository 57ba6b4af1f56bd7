"""Depth Anything 3, through its own package where that is installed.

The package is https://github.com/ByteDance-Seed/Depth-Anything-3 (2025). It was not at hand when this was written: the
calls follow its published interface, and the tests run them on a stand-in of it.
"""

import importlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from any2bokeh.disparity.aspect import in_aspect_of
from any2bokeh.disparity.estimators.base import MapMeaning
from any2bokeh.disparity.estimators.folder_model import FolderModel
from any2bokeh.disparity.estimators.model_folder import identity
from any2bokeh.disparity.estimators.transformers_model import require_torch, torch_device
from any2bokeh.errors import InputError

_MODULE = "depth_anything_3.api"
_LONG_SIDE_PX = 504


@dataclass(frozen=True)
class DepthAnything3Estimator(FolderModel):
    """A model folder of Depth Anything 3, given one frame at a time.

    Its depth counts as relative, also that of the metric model, whose metres need the focal length of the camera. Sky
    is infinitely far.
    """

    @property
    def meaning(self) -> MapMeaning:
        return MapMeaning("depth")

    @property
    def settings(self) -> Mapping[str, object]:
        return {"model": identity(self.folder), "long_side_px": _LONG_SIDE_PX}

    def maps(self, frames: Iterable[NDArray[np.float32]]) -> Iterator[NDArray[np.float32]]:
        """See ``DepthEstimator.maps``."""
        network = self._loaded()
        for pixels in frames:
            picture = np.ascontiguousarray(np.moveaxis(np.clip(pixels, 0, 1), 0, 2) * 255 + 0.5).astype(np.uint8)
            prediction = network.inference([picture], process_res=_LONG_SIDE_PX)
            raw = np.asarray(prediction.depth, np.float32)[0]
            if getattr(prediction, "sky", None) is not None:
                raw = np.where(np.asarray(prediction.sky)[0] > 0.5, np.float32(np.inf), raw)
            yield in_aspect_of(raw, pixels.shape[1:])

    def _loaded(self) -> Any:
        require_torch(self.name)
        try:
            package = importlib.import_module(_MODULE)
        except ImportError:
            raise InputError(
                f"depth model {self.name} needs the package depth_anything_3, which is not installed; install it from "
                f"github.com/ByteDance-Seed/Depth-Anything-3, or take --depth-model small"
            ) from None
        network = package.DepthAnything3.from_pretrained(str(self.folder))
        return network.to(torch_device(self.device)).eval()
