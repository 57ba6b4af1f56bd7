"""The diffusion engine behind the renderer interface."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from any2bokeh.errors import InputError, require_choice
from any2bokeh.renderers.base import RenderInput
from any2bokeh.renderers.diffusion.checkpoints import checkpoint
from any2bokeh.renderers.diffusion.run.options import PipelineOptions
from any2bokeh.renderers.diffusion.run.pipeline import AnyToBokehPipeline

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


class DiffusionRenderer:
    """Renders with the one-step diffusion model. Pixels are display-referred.

    Args:
        pipeline: the loaded model.
        options: None = the defaults.
    """

    def __init__(self, pipeline: AnyToBokehPipeline, options: PipelineOptions | None = None) -> None:
        self.pipeline = pipeline
        self.options = options or PipelineOptions()
        self.window = self.options.plan.window
        self.overlap = self.options.plan.overlap

    @classmethod
    def load(
        cls,
        model: str | Path,
        *,
        device: str = "auto",
        dtype: str = "auto",
        compile: bool = False,
        cpu_offload: bool = False,
        options: PipelineOptions | None = None,
    ) -> "DiffusionRenderer":
        """Load a model and make it ready to render.

        Args:
            model: checkpoint folder or hub id; see ``checkpoint.load``.
            device: ``auto`` takes CUDA, then MPS, then the CPU.
            dtype: ``auto`` is bfloat16 on CUDA, float16 on MPS, float32 on the CPU.
            compile: see ``AnyToBokehPipeline.optimize``.
            cpu_offload: keep only the network at work on the GPU.
            options: None = the defaults.

        Raises:
            InputError: a device that is not there, an unknown dtype, or a checkpoint that does not load.
        """
        place = resolve_device(device)
        require_choice("dtype", dtype, ("auto", *DTYPES))
        auto = {"cuda": torch.bfloat16, "mps": torch.float16}.get(place.type, torch.float32)
        pipeline = checkpoint.load(model, dtype=auto if dtype == "auto" else DTYPES[dtype])
        if cpu_offload:
            if place.type == "cpu":
                raise InputError("cpu_offload needs a GPU; leave it out on the CPU")
            pipeline.enable_model_cpu_offload(device=place)
        else:
            pipeline.to(place)
        pipeline.optimize(channels_last=place.type == "cuda", compile=compile)
        return cls(pipeline, options)

    def render(self, inputs: Iterable[RenderInput]) -> Iterator[NDArray[np.float32]]:
        """Yield one picture for each input, in order, reading at most a window ahead; see ``Renderer``."""
        return self.pipeline.stream(inputs, options=self.options)


def resolve_device(name: str) -> torch.device:
    """The device of ``auto``, ``cpu``, ``cuda`` or ``mps``.

    Raises:
        InputError: an unknown name, or a device that torch cannot use here.
    """
    available = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if name == "auto":
        return torch.device(next(kind for kind, there in available.items() if there))
    kind = name.partition(":")[0]
    if kind not in available:
        require_choice("device", name, ("auto", "cpu", "cuda", "mps"))
    if not available[kind]:
        raise InputError(f"device {name} is not available to torch here; use --device cpu or auto")
    return torch.device(name)
