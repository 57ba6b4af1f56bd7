"""What ComfyUI asks for the nodes."""

from comfy_api.latest import ComfyExtension, io

from .diffusion_node import DiffusionRender
from .disparity_node import Disparity
from .focus_node import FocusTrackNode
from .layered_node import LayeredRender


class Any2BokehExtension(ComfyExtension):
    """The nodes of any2bokeh."""

    async def get_node_list(self) -> list[type[io.ComfyNode]]:
        return [Disparity, FocusTrackNode, LayeredRender, DiffusionRender]


async def comfy_entrypoint() -> Any2BokehExtension:
    return Any2BokehExtension()
