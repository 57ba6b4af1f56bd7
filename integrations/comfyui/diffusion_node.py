"""The node of the diffusion engine."""

from functools import lru_cache
from typing import Any

import torch
from comfy_api.latest import io

from any2bokeh import FocusTrack, InputError, Renderer

from .disparity_node import DEVICES
from .focus_node import FOCUS_TYPE
from .rendering import rendered

PRECISIONS = ["auto", "float32", "bfloat16", "float16"]


class DiffusionRender(io.ComfyNode):
    """The clip through the one-step video diffusion model."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="Any2BokehDiffusionRender",
            display_name="Bokeh: diffusion render",
            category="any2bokeh",
            description="Refocuses the clip with the diffusion model of a folder made by any2bokeh convert or train.",
            inputs=[
                io.Image.Input("images", tooltip="The clip, all in focus."),
                io.Image.Input("disparity", tooltip="Of each frame, grey, white near."),
                io.Custom(FOCUS_TYPE).Input("focus", tooltip="From Bokeh: focus track."),
                io.String.Input("model", default="", tooltip="Folder or hub id of the weights."),
                io.Combo.Input("device", options=DEVICES, default="auto"),
                io.Combo.Input("dtype", options=PRECISIONS, default="auto"),
                io.Int.Input(
                    "processing_size",
                    default=1024,
                    min=64,
                    max=4096,
                    step=64,
                    tooltip="Longer side that the model sees at most.",
                ),
            ],
            outputs=[io.Image.Output(display_name="images")],
        )

    @classmethod
    async def execute(
        cls,
        images: torch.Tensor,
        disparity: torch.Tensor,
        focus: FocusTrack,
        model: str,
        device: Any,
        dtype: Any,
        processing_size: int,
    ) -> io.NodeOutput:
        if not model.strip():
            raise InputError("the diffusion engine needs weights; give a folder made by any2bokeh convert or train")
        renderer = _loaded(model.strip(), device, dtype, processing_size)
        return io.NodeOutput(await rendered(images, disparity, focus, renderer))


@lru_cache(maxsize=1)
def _loaded(model: str, device: str, dtype: str, processing_size_px: int) -> Renderer:
    """The model that was used last stays loaded."""
    try:
        from any2bokeh.renderers.diffusion.renderer import DiffusionRenderer
        from any2bokeh.renderers.diffusion.run.options import PipelineOptions
    except ImportError as error:
        raise InputError(
            f"the diffusion engine needs {error.name}, which is not installed; pip install 'any2bokeh[diffusion]'"
        ) from None
    options = PipelineOptions(processing_size_px=processing_size_px)
    return DiffusionRenderer.load(model, device=device, dtype=dtype, options=options)
