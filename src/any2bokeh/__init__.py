"""Any video, shot through a fast lens.

The public API. Names are imported when they are first used, so ``import any2bokeh`` loads no numerical library.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from any2bokeh.disparity import DepthModel, DisparitySource, EstimatedDisparity, open_disparity
    from any2bokeh.disparity.estimators import open_estimator
    from any2bokeh.errors import InputError
    from any2bokeh.focus import Autofocus, FocusScript, FocusTrack, TrackerChoice
    from any2bokeh.recipe import Recipe
    from any2bokeh.recipe_json import load_recipe, save_recipe
    from any2bokeh.refocusing import RefocusResult, refocus, refocus_frames
    from any2bokeh.renderers.base import Renderer, RenderInput
    from any2bokeh.renderers.layered import LayeredRenderer
    from any2bokeh.video import Encoding, VideoInfo, open_source

__version__ = "0.1.0"

__all__ = [
    "Autofocus",
    "DepthModel",
    "DisparitySource",
    "Encoding",
    "EstimatedDisparity",
    "FocusScript",
    "FocusTrack",
    "InputError",
    "LayeredRenderer",
    "Recipe",
    "RefocusResult",
    "RenderInput",
    "Renderer",
    "TrackerChoice",
    "VideoInfo",
    "__version__",
    "load_recipe",
    "open_disparity",
    "open_estimator",
    "open_source",
    "refocus",
    "refocus_frames",
    "save_recipe",
]

_HOME = {
    "Autofocus": "any2bokeh.focus",
    "DepthModel": "any2bokeh.disparity",
    "DisparitySource": "any2bokeh.disparity",
    "Encoding": "any2bokeh.video",
    "EstimatedDisparity": "any2bokeh.disparity",
    "FocusScript": "any2bokeh.focus",
    "FocusTrack": "any2bokeh.focus",
    "InputError": "any2bokeh.errors",
    "LayeredRenderer": "any2bokeh.renderers.layered",
    "Recipe": "any2bokeh.recipe",
    "RefocusResult": "any2bokeh.refocusing",
    "RenderInput": "any2bokeh.renderers.base",
    "Renderer": "any2bokeh.renderers.base",
    "TrackerChoice": "any2bokeh.focus",
    "VideoInfo": "any2bokeh.video",
    "load_recipe": "any2bokeh.recipe_json",
    "open_disparity": "any2bokeh.disparity",
    "open_estimator": "any2bokeh.disparity.estimators",
    "open_source": "any2bokeh.video",
    "refocus": "any2bokeh.refocusing",
    "refocus_frames": "any2bokeh.refocusing",
    "save_recipe": "any2bokeh.recipe_json",
}


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module 'any2bokeh' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
