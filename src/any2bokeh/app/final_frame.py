"""Frames in full size and final quality, for a close look: what a render will make of them."""

import threading
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from any2bokeh.app.depth import ClipDepth, Maps
from any2bokeh.app.final_region import Region, by_itself
from any2bokeh.app.follower import FocusFollower, FocusOfFrame
from any2bokeh.app.refusal import NotYet
from any2bokeh.disparity.edges import EdgeTreatment
from any2bokeh.engines import make_renderer
from any2bokeh.errors import InputError
from any2bokeh.focus import FocusScript
from any2bokeh.optics.look import Look
from any2bokeh.preview import preview
from any2bokeh.recipe import Recipe
from any2bokeh.shot import Shot
from any2bokeh.shot_frames import LookedAround, looked_around
from any2bokeh.video import Frame, VideoSource


class Superseded(Exception):
    """Another frame is looked at by now."""


@dataclass(frozen=True, slots=True)
class _Wish:
    """What a final frame depends on."""

    frame: int
    script: FocusScript | None
    look: Look
    edges: EdgeTreatment
    maps: Maps | None


class FinalFrames:
    """Makes them, one at a time, and keeps the last.

    What takes longest is to look at the frames around. It is done once for a frame, whatever focus, blur and look it
    is then seen with. Meanwhile ``first`` has the part in view of the frame by itself.

    Args:
        source: the clip.
        depth: its disparity.
        follower: its focus, which is not found anew.
    """

    def __init__(self, source: VideoSource, depth: ClipDepth, follower: FocusFollower) -> None:
        self._source, self._depth, self._follower = source, depth, follower
        self._kept: tuple[_Wish, NDArray[np.float32]] | None = None
        self._around: tuple[tuple[Maps, int, EdgeTreatment], LookedAround] | None = None
        self._alone: tuple[tuple[Maps, int], Frame, NDArray[np.float32]] | None = None
        self._frame = -1
        self._lock, self._first_lock = threading.Lock(), threading.Lock()

    def at(
        self, frame: int, script: FocusScript | None, look: Look, edges: EdgeTreatment = "auto"
    ) -> NDArray[np.float32]:
        """A frame, ``(3, H, W)``, in the transfer of the source; the source's own where nothing is in focus.

        Raises:
            InputError: no such frame, or the focus is still being found.
            Superseded: another frame was asked for meanwhile.
        """
        wish = self._wish(frame, script, look, edges)
        with self._lock:
            self._require_wanted(wish)
            if self._kept is None or self._kept[0] != wish:
                self._kept = None
                self._kept = wish, self._made(wish)
            return self._kept[1]

    def first(
        self, frame: int, region: Region, script: FocusScript | None, look: Look, edges: EdgeTreatment = "auto"
    ) -> tuple[NDArray[np.float32], Region, bool]:
        """The same in a region, soon: where a foreground hides the background, other frames are not asked for it.

        Returns:
            Its pixels ``(3, h, w)``, where they lie, and whether ``at`` will have others.

        Raises:
            InputError: as for ``at``.
        """
        wish = self._wish(frame, script, look, edges)
        kept = self._kept
        if kept is not None and kept[0] == wish:
            return *region.of(kept[1]), False
        if script is None or wish.maps is None:
            return *region.of(self.at(frame, script, look, edges)), False
        recipe = self._recipe(wish)
        with self._first_lock, self._follower.paused():
            decoded, disparity = self._read_alone(wish.maps, frame)
            focus = self._focus(wish)
            pixels, lies = by_itself(decoded.pixels, disparity, focus, region, recipe, self._source.info)
            return pixels, lies, True

    def forget(self, frame: int) -> None:
        """Another frame is looked at: what only this one's neighbours are kept for goes."""
        if frame != self._frame:
            self._frame = -1
            self._around = self._alone = None

    def _wish(self, frame: int, script: FocusScript | None, look: Look, edges: EdgeTreatment) -> _Wish:
        count = self._source.info.frame_count
        if not 0 <= frame < count:
            raise InputError(f"there is no frame {frame}; the clip has frames 0 to {count - 1}")
        self._frame = frame
        return _Wish(frame, script, look, edges, self._depth.ready(script))

    def _require_wanted(self, wish: _Wish) -> None:
        if self._frame != wish.frame:
            raise Superseded

    def _require_wanted_still(self, wish: _Wish, _: float) -> None:
        """Within a large frame, after each part of it."""
        self._require_wanted(wish)

    def _made(self, wish: _Wish) -> NDArray[np.float32]:
        if wish.script is None:
            return next(iter(self._source.frames(wish.frame, wish.frame + 1))).pixels
        recipe = self._recipe(wish)
        engine = make_renderer(recipe.engine, recipe.look, self._source.info)
        with self._follower.paused():
            shot = Shot.open(self._source, recipe, start=wish.frame, stop=wish.frame + 1).seen_by(engine)
            if not shot.plate or shot.blur_at(wish.frame) == 0:
                told = partial(self._require_wanted_still, wish)
                return preview(self._source, wish.frame, recipe, renderer=engine, within=told).pixels
            [pixels] = engine.render([self._looked_around(wish, shot).given(shot).given])
            return pixels

    def _looked_around(self, wish: _Wish, shot: Shot) -> LookedAround:
        assert wish.maps is not None
        key = wish.maps, wish.frame, wish.edges
        kept = self._around  # which another thread may forget at any time
        if kept is None or kept[0] != key:
            self._around = None  # not two at once
            self._around = kept = key, looked_around(shot, told=lambda: self._require_wanted(wish))
        return kept[1]

    def _recipe(self, wish: _Wish) -> Recipe:
        found = None if wish.script is None else self._follower.found(wish.script)
        if wish.maps is None or found is None:
            raise NotYet("the focus is still being found; the picture is a draft until then")
        disparity = self._depth.opened(wish.maps)  # mended, by what has carried the strokes already
        return Recipe(focus=found, disparity=disparity, look=wish.look, edges=wish.edges)

    def _focus(self, wish: _Wish) -> FocusOfFrame:
        focus = self._follower.at(wish.frame)
        if focus is None:
            raise NotYet("the focus is still being found; the picture is a draft until then")
        return focus

    def _read_alone(self, maps: Maps, frame: int) -> tuple[Frame, NDArray[np.float32]]:
        kept = self._alone  # which another thread may forget at any time
        if kept is None or kept[0] != (maps, frame):
            decoded = next(iter(self._source.frames(frame, frame + 1)))
            self._alone = kept = (maps, frame), decoded, self._depth.opened(maps).at(frame)
        return kept[1], kept[2]
