"""What estimators whose weights lie in a folder have in common."""

from dataclasses import dataclass
from pathlib import Path

from any2bokeh.disparity.estimators.base import Device, ScaleAlignment
from any2bokeh.models.model_files import weight_files


@dataclass(frozen=True)
class FolderModel:
    """A folder with weights as safetensors.

    Attributes:
        folder: with ``config.json`` and ``model.safetensors``.
        name: what messages call it.
        licence: of the weights.
        device: where it runs; ``auto`` = CUDA where there is one.
        caveat, scale_alignment: see ``DepthEstimator``.

    Raises:
        InputError: no safetensors.
    """

    folder: Path
    name: str
    licence: str = "not stated"
    device: Device = "auto"
    caveat: str | None = None
    scale_alignment: ScaleAlignment = "whole-clip"

    def __post_init__(self) -> None:
        weight_files(self.folder)
