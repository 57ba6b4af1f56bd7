"""From a frame to what a depth model of the transformers library takes, without torchvision or Pillow."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from any2bokeh.disparity.estimators.model_folder import PREPROCESSOR_FILE
from any2bokeh.errors import InputError
from any2bokeh.models.model_files import read_json

_IMAGENET_MEAN, _IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_HALF = (0.5, 0.5, 0.5)
# The longest side that a frame of extreme aspect is brought to, over the height or width asked for.
_LONGEST_SHARE = 4


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """How a frame is resized and normalised.

    Attributes:
        height, width: that the model was made for.
        keep_aspect: fit one side only, the one that needs less scaling, as the MiDaS family does.
        multiple: both sides become multiples of this many pixels.
        mean, std: of each channel, on the scale of [0, 1].
    """

    height: int
    width: int
    keep_aspect: bool = True
    multiple: int = 1
    mean: tuple[float, ...] = _IMAGENET_MEAN
    std: tuple[float, ...] = _IMAGENET_STD

    @classmethod
    def of_folder(cls, folder: Path, model_type: str) -> "Preprocessing":
        """What the folder's ``preprocessor_config.json`` says, or what its kind of model usually takes.

        Raises:
            InputError: the file has values that make no sense.
        """
        usual = _USUAL[model_type]
        if not (folder / PREPROCESSOR_FILE).is_file():
            return usual
        said = read_json(folder / PREPROCESSOR_FILE, "depth model")
        try:
            height, width = _size(said.get("size"), usual)
            made = cls(
                height=height,
                width=width,
                keep_aspect=bool(said.get("keep_aspect_ratio", usual.keep_aspect)),
                multiple=int(said.get("ensure_multiple_of") or usual.multiple),
                mean=tuple(map(float, said.get("image_mean", usual.mean))),
                std=tuple(map(float, said.get("image_std", usual.std))),
            )
        except (TypeError, ValueError, KeyError):
            made = None
        if made is None or min(made.height, made.width, made.multiple) < 1 or len(made.mean) != 3 or len(made.std) != 3:
            raise InputError(f"{folder / PREPROCESSOR_FILE} has no usable size, mean or std; copy the model again")
        return made

    def processed_size(self, height: int, width: int) -> tuple[int, int]:
        """``(height, width)`` that a frame is brought to."""
        scale_y, scale_x = self.height / height, self.width / width
        if self.keep_aspect:
            scale = scale_x if abs(1 - scale_x) < abs(1 - scale_y) else scale_y
            longest = _LONGEST_SHARE * max(self.height, self.width)
            scale_y = scale_x = min(scale, longest / max(height, width))
        return self._multiple_of(scale_y * height), self._multiple_of(scale_x * width)

    def __call__(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        """``(3, H, W)`` RGB in [0, 1] to ``(3, h, w)``, resized and normalised."""
        height, width = self.processed_size(*pixels.shape[1:])
        shrinks = height * width < pixels.shape[1] * pixels.shape[2]
        method = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
        resized = np.stack([cv2.resize(plane, (width, height), interpolation=method) for plane in pixels])
        mean, std = (np.array(values, np.float32)[:, None, None] for values in (self.mean, self.std))
        return ((np.clip(resized, 0, 1) - mean) / std).astype(np.float32)

    def _multiple_of(self, side: float) -> int:
        return max(self.multiple, round(side / self.multiple) * self.multiple)


_USUAL = {
    "depth_anything": Preprocessing(518, 518, multiple=14),
    "dpt": Preprocessing(384, 384, multiple=32, mean=_HALF, std=_HALF),
    "zoedepth": Preprocessing(384, 512, multiple=32, mean=_HALF, std=_HALF),
    "depth_pro": Preprocessing(1536, 1536, keep_aspect=False, mean=_HALF, std=_HALF),
}


def _size(size: Any, usual: Preprocessing) -> tuple[int, int]:
    if size is None:
        return usual.height, usual.width
    if isinstance(size, dict):
        if "height" in size:
            return int(size["height"]), int(size["width"])
        side = size.get("shortest_edge") or size["longest_edge"]
        return int(side), int(side)
    return int(size), int(size)
