"""What a task asks a cluster for."""

from dataclasses import dataclass
from typing import Any

from any2bokeh.disparity import DepthModel
from any2bokeh.recipe import Recipe
from any2bokeh.video import VideoInfo

CORES = 2
"""Of a task that renders: its decoder and its encoder run beside the engine."""

# Peaks of a process that renders with the layered engine: 0.33 GB at 64x48, 0.75 at 960x540 and 1.67 at 1920x1080.
_BYTES, _BYTES_PER_PIXEL = 400e6, 850.0


@dataclass(frozen=True, slots=True)
class Need:
    """What a task asks for.

    Attributes:
        cores: of the processor.
        memory_bytes: at its peak.
        gpus: 0 or 1.
    """

    cores: int
    memory_bytes: int
    gpus: int = 0

    @property
    def resources(self) -> dict[str, Any]:
        """As Ray's options."""
        return {"num_cpus": self.cores, "memory": self.memory_bytes, "num_gpus": self.gpus}


def need_of_look(recipe: Recipe, info: VideoInfo, *, cores: int, has_gpu: bool) -> Need:
    """Of finding disparity and focus: a GPU where there is one and a depth model could use it."""
    return Need(cores, _memory(info), int(has_gpu and isinstance(recipe.disparity, DepthModel)))


def need_of_segment(recipe: Recipe, info: VideoInfo, *, cores: int, has_gpu: bool) -> Need:
    """Of rendering a segment; its length does not matter."""
    engine = recipe.engine
    wants_gpu = engine.device != "cpu" and (engine.engine == "diffusion" or engine.device == "gpu")
    return Need(cores, _memory(info), int(has_gpu and wants_gpu))


def _memory(info: VideoInfo) -> int:
    return round(_BYTES + _BYTES_PER_PIXEL * info.width * info.height)
