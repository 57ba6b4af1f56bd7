"""A subject in pictures: where it is seeded, its matte, and what follows it through a clip.

Knows nothing of how disparity is estimated, nor of focus scripts; disparity is an array beside the picture, where there
is one. Names are imported when first used: OpenCV and torch are slow to load.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from any2bokeh.subject.choice import TrackerChoice, TrackerKind
    from any2bokeh.subject.classical import ClassicalTracker
    from any2bokeh.subject.sam2 import Sam2Tracker
    from any2bokeh.subject.seed import BoxSeed, ClipSeed, MaskSeed, PointSeed, Seed
    from any2bokeh.subject.tracker import TrackedFrame, Tracker, View

__all__ = [
    "BoxSeed",
    "ClassicalTracker",
    "ClipSeed",
    "MaskSeed",
    "PointSeed",
    "Sam2Tracker",
    "Seed",
    "TrackedFrame",
    "Tracker",
    "TrackerChoice",
    "TrackerKind",
    "View",
]

_HOME = {
    "BoxSeed": "seed",
    "ClassicalTracker": "classical",
    "ClipSeed": "seed",
    "MaskSeed": "seed",
    "PointSeed": "seed",
    "Sam2Tracker": "sam2",
    "Seed": "seed",
    "TrackedFrame": "tracker",
    "Tracker": "tracker",
    "TrackerChoice": "choice",
    "TrackerKind": "choice",
    "View": "tracker",
}


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
