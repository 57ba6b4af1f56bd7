"""The node of the layered engine."""

import logging
from dataclasses import replace
from typing import Any, get_args

import torch
from comfy_api.latest import io

from any2bokeh import FocusTrack
from any2bokeh.engines import EngineSettings, Quality, TransferChoice, make_renderer
from any2bokeh.optics.look import LOOK_SETTINGS, Look
from any2bokeh.optics.setting import Setting
from any2bokeh.plate.choice import PlateChoice
from any2bokeh.renderers.layered.gpu.choice import LayeredDevice

from .disparity_reading import reading_inputs, reading_of
from .focus_node import FOCUS_TYPE
from .rendering import edges_input, rendered, source_blur_input

QUALITIES = list(get_args(Quality))
TRANSFERS = list(get_args(TransferChoice))
RECOVERIES = ["off", "auto", "gain"]


class LayeredRender(io.ComfyNode):
    """The clip through a thin lens."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="Any2BokehLayeredRender",
            display_name="Bokeh: layered render",
            category="any2bokeh",
            description="Refocuses the clip with a thin-lens renderer; needs no weights.",
            inputs=[
                io.Image.Input("images", tooltip="The clip, all in focus."),
                io.Image.Input("disparity", tooltip="Of each frame, grey; white near, unless said below."),
                io.Custom(FOCUS_TYPE).Input("focus", tooltip="From Bokeh: focus track."),
                io.Combo.Input("quality", options=QUALITIES, default="final", tooltip="Drafts blur at a smaller size."),
                io.Combo.Input(
                    "transfer",
                    options=TRANSFERS,
                    default="srgb",
                    tooltip="What code values mean; auto is srgb, none blurs them.",
                ),
                *map(_look_input, LOOK_SETTINGS.values()),
                # Last and optional, and the number counts by default: workflows from before it was there stay as
                # they were, as ComfyUI keeps the values of fields by their place. So it is with all after it.
                io.Combo.Input(
                    "highlight_recovery",
                    options=RECOVERIES,
                    default="gain",
                    optional=True,
                    tooltip="off leaves clipped highlights as recorded, auto raises lamps alone, as their rims show, "
                    "and gain raises all clipped pixels by the number in highlights, which is 0 by default.",
                ),
                edges_input(),
                io.Combo.Input(
                    "plate",
                    options=list(get_args(PlateChoice)),
                    default="auto",
                    optional=True,
                    tooltip="auto takes hidden background from the frames around, off treats every frame by itself.",
                ),
                io.Combo.Input(
                    "device",
                    options=list(get_args(LayeredDevice)),
                    default="auto",
                    optional=True,
                    tooltip="Where it renders: gpu is any that WebGPU knows (pip install 'any2bokeh[gpu]'); auto takes "
                    "it where it is there and passes its test.",
                ),
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
        quality: Any,
        transfer: Any,
        highlight_recovery: Any = "gain",
        edges: Any = "auto",
        plate: Any = "auto",
        device: Any = "auto",
        disparity_kind: Any = "disparity",
        disparity_polarity: Any = "near-white",
        source_blur: str = "off",
        **look: Any,
    ) -> io.NodeOutput:
        settings = EngineSettings(render_quality=quality, transfer=transfer, device=device)
        if highlight_recovery != "gain":
            look["highlights"] = {"off": 0.0, "auto": "auto"}[highlight_recovery]
        renderer = make_renderer(settings, Look(**look), notice=logging.getLogger("any2bokeh").warning)
        reading = reading_of(disparity_kind, disparity_polarity)
        how = {"reading": reading, "edges": edges, "plate": plate, "source_blur": source_blur}
        made = await rendered(images, disparity, focus, renderer, **how)
        return io.NodeOutput(made)


def _look_input(setting: Setting) -> Any:
    kind, number = (io.Int.Input, int) if setting.is_whole else (io.Float.Input, float)
    return kind(
        setting.name,
        default=number(setting.default),
        min=number(setting.low),
        max=number(setting.high),
        step=number(setting.step),
        tooltip=_tooltip(setting),
    )


def _tooltip(setting: Setting) -> str:
    """The sentence of a setting. A field for numbers takes no word: that is a choice of ``highlight_recovery``."""
    if not setting.word:
        return setting.sentence
    number = replace(setting, word="").sentence
    return f"{number} The number counts where highlight_recovery is gain; {setting.word} is chosen there."
