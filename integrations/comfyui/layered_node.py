"""The node of the layered engine."""

from typing import Any

import torch
from comfy_api.latest import io

from any2bokeh import FocusTrack, InputError
from any2bokeh.optics.aperture import Aperture, Disc, Polygon
from any2bokeh.optics.barrel import Barrel
from any2bokeh.optics.highlights import Highlights
from any2bokeh.optics.profile import BokehProfile

from .focus_node import FOCUS_TYPE
from .rendering import rendered

QUALITIES = ["final", "preview", "draft"]
TRANSFERS = ["srgb", "none"]


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
                io.Image.Input("disparity", tooltip="Of each frame, grey, white near."),
                io.Custom(FOCUS_TYPE).Input("focus", tooltip="From Bokeh: focus track."),
                io.Combo.Input("quality", options=QUALITIES, default="final", tooltip="Drafts blur at a smaller size."),
                io.Int.Input("blades", default=0, min=0, max=16, tooltip="Of the iris, 3 to 16; 0 is round."),
                io.Float.Input("blade_curvature", default=0.0, min=0, max=1, step=0.05, tooltip="0 straight, 1 round."),
                io.Float.Input("rotation_deg", default=0.0, min=-360, max=360, step=1, tooltip="Of the iris."),
                io.Float.Input(
                    "anamorphic_ratio", default=1.0, min=0.25, max=4, step=0.05, tooltip="Height over width of discs."
                ),
                io.Float.Input("cat_eye", default=0.0, min=0, max=1, step=0.05, tooltip="Discs cut in the corners."),
                io.Float.Input("swirl", default=0.0, min=0, max=0.9, step=0.05, tooltip="Discs around the centre."),
                io.Float.Input(
                    "spherical", default=0.0, min=-1, max=1, step=0.05, tooltip="Above 0 bright rims behind."
                ),
                io.Float.Input("highlights", default=0.0, min=0, max=20, step=0.5, tooltip="Raises clipped light."),
                io.Combo.Input("transfer", options=TRANSFERS, default="srgb", tooltip="none blurs code values."),
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
        blades: int,
        blade_curvature: float,
        rotation_deg: float,
        anamorphic_ratio: float,
        cat_eye: float,
        swirl: float,
        spherical: float,
        highlights: float,
        transfer: Any,
    ) -> io.NodeOutput:
        from any2bokeh.renderers.layered.reduced import layered_renderer

        renderer = layered_renderer(
            quality,
            aperture=_aperture(blades, blade_curvature, rotation_deg, anamorphic_ratio),
            profile=BokehProfile(spherical=spherical),
            barrel=Barrel(cat_eye=cat_eye, swirl=swirl),
            highlights=Highlights(highlights),
            transfer=transfer,
        )
        return io.NodeOutput(await rendered(images, disparity, focus, renderer))


def _aperture(blades: int, curvature: float, rotation_deg: float, anamorphic_ratio: float) -> Aperture:
    """A disc, or an iris: round blades where only the ratio is given."""
    if blades == 0 and anamorphic_ratio == 1:
        return Disc()
    shape = (6, 1.0) if blades == 0 else (blades, curvature)
    try:
        return Polygon(*shape, rotation_deg=rotation_deg, squeeze=1 / anamorphic_ratio)
    except ValueError as error:
        raise InputError(str(error)) from None
