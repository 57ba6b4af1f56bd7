"""Following a subject through a clip. Names are imported when first used: OpenCV and torch are slow to load."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from any2bokeh.focus.tracking.choice import TrackerChoice, TrackerKind
    from any2bokeh.focus.tracking.classical import ClassicalTracker
    from any2bokeh.focus.tracking.sam2 import Sam2Tracker
    from any2bokeh.focus.tracking.subject import TrackedSubject, views_of
    from any2bokeh.focus.tracking.tracker import MaskSeed, Seed, Sighting, Tracker, View

__all__ = [
    "ClassicalTracker",
    "MaskSeed",
    "Sam2Tracker",
    "Seed",
    "Sighting",
    "TrackedSubject",
    "Tracker",
    "TrackerChoice",
    "TrackerKind",
    "View",
    "views_of",
]

_HOME = {
    "ClassicalTracker": "classical",
    "MaskSeed": "tracker",
    "Sam2Tracker": "sam2",
    "Seed": "tracker",
    "Sighting": "tracker",
    "TrackedSubject": "subject",
    "Tracker": "tracker",
    "TrackerChoice": "choice",
    "TrackerKind": "choice",
    "View": "tracker",
    "views_of": "subject",
}


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
