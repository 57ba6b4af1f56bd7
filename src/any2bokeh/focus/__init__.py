"""Where the focus is: focus scripts, and the focus of every frame that they resolve to."""

from typing import TYPE_CHECKING, Any

from any2bokeh.focus.finder import FocusFinder
from any2bokeh.focus.script import DenseFocus, FocusScript, Keyframe
from any2bokeh.focus.target import BoxTarget, DisparityTarget, MaskTarget, PointTarget, Target
from any2bokeh.focus.text import TextSubject
from any2bokeh.focus.track import FocusTrack, resolve
from any2bokeh.subject.choice import TrackerChoice

if TYPE_CHECKING:
    from any2bokeh.focus.autofocus import Autofocus

__all__ = [
    "Autofocus",
    "BoxTarget",
    "DenseFocus",
    "DisparityTarget",
    "FocusFinder",
    "FocusScript",
    "FocusTrack",
    "Keyframe",
    "MaskTarget",
    "PointTarget",
    "Target",
    "TextSubject",
    "TrackerChoice",
    "resolve",
]


def __getattr__(name: str) -> Any:
    if name == "Autofocus":  # late: it looks at pictures, and OpenCV takes a while to load
        from any2bokeh.focus.autofocus import Autofocus

        return Autofocus
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
