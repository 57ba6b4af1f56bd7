"""The node of the diffusion engine."""

from functools import lru_cache
from typing import Any, get_args

import torch
from comfy_api.latest import io

from any2bokeh import FocusTrack, Renderer
from any2bokeh.engines import EngineSettings, Precision, make_renderer
from any2bokeh.optics.look import Look

from .disparity_node import DEVICES
from .disparity_reading import reading_inputs, reading_of
from .focus_node import FOCUS_TYPE
from .rendering import edges_input, rendered, source_blur_input

PRECISIONS = list(get_args(Precision))


class DiffusionRender(io.ComfyNode):
    """The clip through the one-step video diffusion model."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="Any2BokehDiffusionRender",
            display_name="Bokeh: diffusion render",
            category="any2bokeh",
            description="Refocuses the clip with a diffusion model: the built-in compact one, or that of a folder made "
            "by any2bokeh convert or train.",
            inputs=[
                io.Image.Input("images", tooltip="The clip, all in focus."),
                io.Image.Input("disparity", tooltip="Of each frame, grey; white near, unless said below."),
                io.Custom(FOCUS_TYPE).Input("focus", tooltip="From Bokeh: focus track."),
                io.String.Input(
                    "model", default="", tooltip="Folder or hub id of the weights; empty is the built-in compact model."
                ),
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
                edges_input(),
                *reading_inputs(),
                source_blur_input(),
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
        edges: Any = "auto",
        disparity_kind: Any = "disparity",
        disparity_polarity: Any = "near-white",
        source_blur: str = "off",
    ) -> io.NodeOutput:
        reading = reading_of(disparity_kind, disparity_polarity)
        renderer = _loaded(model.strip() or None, device, dtype, processing_size)
        made = await rendered(images, disparity, focus, renderer, reading=reading, edges=edges, source_blur=source_blur)
        return io.NodeOutput(made)


@lru_cache(maxsize=1)
def _loaded(model: str | None, device: Any, dtype: Any, processing_size_px: int) -> Renderer:
    """The model that was used last stays loaded; None is the built-in compact one."""
    settings = EngineSettings("diffusion", device, model=model, dtype=dtype, processing_size=processing_size_px)
    return make_renderer(settings, Look())
