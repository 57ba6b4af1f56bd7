"""Frames in full size and final quality, for a close look: what a render will make of them."""

import threading
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from any2bokeh.app.depth import ClipDepth, Maps
from any2bokeh.app.follower import FocusFollower
from any2bokeh.errors import InputError
from any2bokeh.focus import FocusScript
from any2bokeh.optics.focus_range import FocusRange
from any2bokeh.optics.look import Look
from any2bokeh.preview import preview
from any2bokeh.recipe import Recipe
from any2bokeh.video import VideoSource


@dataclass(frozen=True, slots=True)
class Region:
    """A part of a picture, in 0..1 of it.

    Raises:
        InputError: outside the picture, or nothing.
    """

    x0: float
    y0: float
    x1: float
    y1: float

    def __post_init__(self) -> None:
        # Not a number fails the comparison.
        if not (0 <= self.x0 < self.x1 <= 1 and 0 <= self.y0 < self.y1 <= 1):
            raise InputError("the region lies outside the picture; give x0 < x1 and y0 < y1, all from 0 to 1")

    def of(self, pixels: NDArray[np.float32]) -> tuple[NDArray[np.float32], "Region"]:
        """Whole pixels of a picture ``(3, H, W)`` that cover it, and where these lie."""
        height, width = pixels.shape[1:]
        left, top = int(self.x0 * width), int(self.y0 * height)
        right, bottom = (min(int(np.ceil(end * size)), size) for end, size in ((self.x1, width), (self.y1, height)))
        right, bottom = max(right, left + 1), max(bottom, top + 1)
        return pixels[:, top:bottom, left:right], Region(left / width, top / height, right / width, bottom / height)


class FinalFrames:
    """Makes them, one at a time, and keeps the last.

    Args:
        source: the clip.
        depth: its disparity.
        follower: its focus, which is not found anew.
    """

    def __init__(self, source: VideoSource, depth: ClipDepth, follower: FocusFollower) -> None:
        self._source, self._depth, self._follower = source, depth, follower
        self._kept: tuple[tuple[int, FocusScript | None, Look, Maps | None], NDArray[np.float32]] | None = None
        self._lock = threading.Lock()

    def at(self, frame: int, script: FocusScript | None, look: Look) -> NDArray[np.float32]:
        """A frame, ``(3, H, W)``, in the transfer of the source; the source's own where nothing is in focus.

        Raises:
            InputError: no such frame, or the focus is still being found.
        """
        count = self._source.info.frame_count
        if not 0 <= frame < count:
            raise InputError(f"there is no frame {frame}; the clip has frames 0 to {count - 1}")
        with self._lock:
            path = self._depth.ready(script)
            key = frame, script, look, path
            if self._kept is None or self._kept[0] != key:
                self._kept = None
                self._kept = key, self._made(frame, script, look, path)
            return self._kept[1]

    def _made(self, frame: int, script: FocusScript | None, look: Look, path: Maps | None) -> NDArray[np.float32]:
        if script is None:
            return next(iter(self._source.frames(frame, frame + 1))).pixels
        found = self._follower.found(script)
        if path is None or found is None:
            raise InputError("the focus is still being found; the picture is a draft until then")
        focus, blur, slab = found
        recipe = Recipe(
            focus=FocusScript.from_dense(focus.tolist(), blur.tolist()),
            disparity=self._depth.opened(path),  # mended, by what has carried the strokes already
            focus_range=FocusRange(slab=float(slab[frame])),
            look=look,
        )
        with self._follower.paused():
            return preview(self._source, frame, recipe).pixels
