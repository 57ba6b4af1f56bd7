"""Where the focus is: focus scripts, and the focus of every frame that they resolve to."""

from any2bokeh.focus.script import DenseFocus, FocusScript, Keyframe
from any2bokeh.focus.target import BoxTarget, DisparityTarget, MaskTarget, PointTarget, Target
from any2bokeh.focus.track import FocusTrack, resolve

__all__ = [
    "BoxTarget",
    "DenseFocus",
    "DisparityTarget",
    "FocusScript",
    "FocusTrack",
    "Keyframe",
    "MaskTarget",
    "PointTarget",
    "Target",
    "resolve",
]
