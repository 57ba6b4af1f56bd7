"""Video Depth Anything, through its own package where that is installed.

The package is https://github.com/DepthAnything/Video-Depth-Anything (Chen et al., CVPR 2025). It is not on PyPI, and
was not at hand when this was written: the calls follow its published interface, and the tests run them on a stand-in.
"""

import importlib
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from any2bokeh.disparity.aspect import in_aspect_of
from any2bokeh.disparity.estimators.base import MapMeaning, ScaleAlignment
from any2bokeh.disparity.estimators.folder_model import FolderModel
from any2bokeh.disparity.estimators.model_folder import identity
from any2bokeh.disparity.estimators.transformers_model import require_torch, torch_device
from any2bokeh.errors import InputError
from any2bokeh.models.model_files import weight_files

_MODULE = "video_depth_anything.video_depth"
# Width of the encoder's tokens, and what the head is built with for it.
_ENCODERS: dict[int, dict[str, Any]] = {
    384: {"encoder": "vits", "features": 64, "out_channels": [48, 96, 192, 384]},
    768: {"encoder": "vitb", "features": 128, "out_channels": [96, 192, 384, 768]},
    1024: {"encoder": "vitl", "features": 256, "out_channels": [256, 512, 1024, 1024]},
}
_INPUT_SIZE_PX = 518
# Frames that the package is given at a time, so that memory is flat; it makes windows of 32 from them itself.
_PART_FRAMES, _OVERLAP_FRAMES = 96, 16
# The longer side of what it is given: its maps come back at this size.
_LONG_SIDE_PX = 924


@dataclass(frozen=True)
class VideoDepthAnythingEstimator(FolderModel):
    """A folder with the weights of Video Depth Anything as safetensors.

    Parts of a long clip are brought to the scale and shift of the part before by least squares over their overlap, and
    cross-faded there.
    """

    scale_alignment: ScaleAlignment = "none"

    @property
    def meaning(self) -> MapMeaning:
        """Relative disparity; metric depth of weights whose file says so in its name, as the published ones do."""
        is_metric = any("metric" in path.name.lower() for path in weight_files(self.folder))
        return MapMeaning("depth", is_metric=True) if is_metric else MapMeaning("disparity")

    @property
    def settings(self) -> Mapping[str, object]:
        return {"model": identity(self.folder), "parts": [_PART_FRAMES, _OVERLAP_FRAMES, _LONG_SIDE_PX]}

    def maps(self, frames: Iterable[NDArray[np.float32]]) -> Iterator[NDArray[np.float32]]:
        """See ``DepthEstimator.maps``."""
        network, device = self._loaded()
        is_metric = self.meaning.is_metric
        pictures = iter(frames)
        part: list[NDArray[np.uint8]] = []
        held: deque[NDArray[np.float32]] = deque()  # maps of the overlap, from the part before
        shape: tuple[int, ...] = ()
        while True:
            for pixels in pictures:
                shape = pixels.shape[1:]
                part.append(_reduced(pixels))
                if len(part) == _PART_FRAMES:
                    break
            if len(part) <= len(held):
                break
            raw = self._inferred(network, device, part)
            joined = _joined(list(held), raw, fit=not is_metric)
            ends = len(part) < _PART_FRAMES
            keep = len(joined) if ends else len(joined) - _OVERLAP_FRAMES
            for values in joined[:keep]:
                yield in_aspect_of(values, shape)
            held = deque(joined[keep:])
            part = part[keep:]
            if ends:
                return
        for values in held:
            yield in_aspect_of(values, shape)

    def _inferred(self, network: Any, device: Any, part: list[NDArray[np.uint8]]) -> NDArray[np.float32]:
        import torch

        with torch.inference_mode():
            maps, _ = network.infer_video_depth(
                np.stack(part), 24, input_size=_INPUT_SIZE_PX, device=str(device), fp32=device.type == "cpu"
            )
        return np.asarray(maps, np.float32)[: len(part)]

    def _loaded(self) -> tuple[Any, Any]:
        require_torch(self.name)
        from safetensors.torch import load_file

        try:
            package = importlib.import_module(_MODULE)
        except ImportError:
            raise InputError(
                f"depth model {self.name} needs the package video_depth_anything, which is not installed; put a "
                f"checkout of github.com/DepthAnything/Video-Depth-Anything on PYTHONPATH, or take --depth-model small"
            ) from None
        state = load_file(weight_files(self.folder)[0])
        token = state.get("pretrained.cls_token")
        built_with = _ENCODERS.get(-1 if token is None else token.shape[-1])
        if built_with is None:
            raise InputError(f"{self.folder} does not hold weights of Video Depth Anything; give a folder that does")
        network = package.VideoDepthAnything(**built_with)
        try:
            network.load_state_dict(state, strict=True)
        except RuntimeError as error:
            reason = " ".join(str(error).split())[:200]
            raise InputError(f"the weights in {self.folder} are of another version of {_MODULE}: {reason}") from None
        device = torch_device(self.device)
        return network.eval().to(device), device


def _reduced(pixels: NDArray[np.float32]) -> NDArray[np.uint8]:
    picture = np.ascontiguousarray(np.moveaxis(np.clip(pixels, 0, 1), 0, 2) * 255 + 0.5).astype(np.uint8)
    scale = _LONG_SIDE_PX / max(picture.shape[:2])
    if scale >= 1:
        return picture
    size = (round(picture.shape[1] * scale), round(picture.shape[0] * scale))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def _joined(held: list[NDArray[np.float32]], raw: NDArray[np.float32], *, fit: bool) -> list[NDArray[np.float32]]:
    """Maps of a part on the scale of the part before, faded over from it."""
    if not held:
        return list(raw)
    before, after = np.stack(held).ravel().astype(np.float64), raw[: len(held)].ravel().astype(np.float64)
    scale, shift = 1.0, 0.0
    if fit and after.var() > 0:
        scale = float(np.mean((before - before.mean()) * (after - after.mean())) / after.var())
        shift = float(before.mean() - scale * after.mean())
    fitted = (raw * np.float32(scale) + np.float32(shift)).astype(np.float32)
    shares = (np.arange(len(held), dtype=np.float32) + 1) / (len(held) + 1)
    faded = [old + share * (new - old) for share, old, new in zip(shares, held, fitted, strict=False)]
    return [*faded, *fitted[len(held) :]]
