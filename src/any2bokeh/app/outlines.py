"""Outlines of subjects: of the one that is followed, of what a click would take, and of what a frame offers."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import TypedDict

import cv2
import numpy as np
from numpy.typing import NDArray

from any2bokeh.app.depth import ClipDepth, Maps
from any2bokeh.app.frame_reader import FrameReader
from any2bokeh.app.refusal import Busy
from any2bokeh.disparity import DisparitySource
from any2bokeh.errors import InputError
from any2bokeh.focus import BoxTarget, FocusScript, PointTarget, TrackerChoice
from any2bokeh.focus.candidates import box_around
from any2bokeh.focus.pictures import LONG_SIDE_PX
from any2bokeh.subject.detection.at_hand import detector_of, detectors_at_hand
from any2bokeh.subject.detection.detector import DetectedKind, Detection, Detector
from any2bokeh.subject.seed import BoxSeed, PointSeed
from any2bokeh.subject.tracker import Tracker, View
from any2bokeh.video.info import VideoInfo
from any2bokeh.video.reduced import reduced_size

_KEPT = 64
# Points that are nearer to one another than this, of the longer side, share an answer.
_GRID = 0.0125
_SIMPLIFIED_PX = 0.7
# Parts of an outline that are smaller than this share of the largest are left out.
_PART = 0.02
# A tracker with a model draws outlines as long as it takes no longer than this, which it does on a GPU.
_PATIENCE_S = 1.0

Points = list[tuple[float, float]]


class Outline(TypedDict):
    """A subject of a frame; all places in 0..1 of the picture.

    ``parts`` are polygons, ``box`` is the left, top, right and bottom of nearly all of it, ``inside`` a point well
    within. ``is_followed`` is false for scenery, whose disparity would be held. ``kind`` is what a detector has found.
    """

    parts: list[Points]
    box: tuple[float, float, float, float]
    inside: tuple[float, float]
    is_followed: bool
    kind: DetectedKind | None


class OutlineFinder:
    """Finds them, one at a time, and keeps the newest answers.

    Args:
        info: of the clip.
        frames: its pictures.
        depth: its disparity.
        tracker: what follows what is clicked.
    """

    def __init__(self, info: VideoInfo, frames: FrameReader, depth: ClipDepth, tracker: TrackerChoice) -> None:
        self._info, self._frames, self._depth, self._tracker = info, frames, depth, tracker
        self._loaded: Tracker | None = None
        self._is_too_slow = False
        self._faces: Detector | None = None
        self._faces_in: tuple[int, list[Detection]] | None = None
        self._looking = threading.Lock()  # a detector is not for two threads
        self._opened_maps: tuple[Maps, DisparitySource] | None = None
        self._view: tuple[tuple[Maps, int], View] | None = None
        self._kept: OrderedDict[tuple[object, ...], list[Outline]] = OrderedDict()
        self._lock = threading.Lock()

    def target(self, frame: int, x: float, y: float) -> PointTarget | BoxTarget:
        """What a click at a point means: the face that is there, or what is at the point.

        Faces are found where their model is on this machine.

        Raises:
            InputError: a point outside the picture, or a damaged model.
        """
        point = PointTarget(x, y, track=True)
        face = next((each for each in self._faces_of(frame) if each.contains(x, y)), None)
        if face is None:
            return point
        corners = (face.box.x0, face.box.y0, face.box.x1, face.box.y1)
        return BoxTarget(*(round(corner, 4) for corner in corners), track=True)

    def under(self, frame: int, x: float, y: float, script: FocusScript | None) -> Outline | None:
        """What a click at a point would take; None where nothing is known of the disparity yet.

        Points that lie close together share the outline of the first.

        Raises:
            Busy: another is being found.
            InputError: no such frame, or a point outside the picture.
        """
        self._require_frame(frame)
        seed = self.target(frame, x, y)
        step = _GRID * max(self._info.width, self._info.height)
        cell = int(x * self._info.width / step), int(y * self._info.height / step)
        what = cell if isinstance(seed, PointTarget) else seed
        found = self._found(frame, script, what, lambda view: [self._taken_by(view, seed)])
        return found[0] if found else None

    def offered(self, frame: int, script: FocusScript | None) -> list[Outline]:
        """The subjects of a frame that draw the eye most, best first; none while the disparity is not known.

        Raises:
            Busy, InputError: as for ``under``.
        """
        return self._found(frame, script, "offered", _offered) or []

    def _require_frame(self, frame: int) -> None:
        count = self._info.frame_count
        if not 0 <= frame < count:
            raise InputError(f"there is no frame {frame}; the clip has frames 0 to {count - 1}")

    def _faces_of(self, frame: int) -> list[Detection]:
        with self._looking:
            if self._faces is None:
                self._faces = detector_of("face")  # fetched while the studio runs, perhaps
            if self._faces is None:
                return []
            if self._faces_in is None or self._faces_in[0] != frame:
                self._faces_in = frame, self._faces(self._codes(frame))
            return self._faces_in[1]

    def _taken_by(self, view: View, seed: PointSeed | BoxSeed) -> Outline:
        from any2bokeh.subject.scenery import is_scenery

        matte = self._matte(view, seed)
        assert view.disparity is not None
        kind: DetectedKind | None = "face" if isinstance(seed, BoxSeed) else None
        found = outline_of(matte, is_followed=not is_scenery(matte, view.disparity), kind=kind)
        if found is not None:
            return found
        x, y = (seed.x, seed.y) if isinstance(seed, PointSeed) else ((seed.x0 + seed.x1) / 2, (seed.y0 + seed.y1) / 2)
        return Outline(parts=[], box=(x, y, x, y), inside=(x, y), is_followed=False, kind=kind)

    def _matte(self, view: View, seed: PointSeed | BoxSeed) -> NDArray[np.float32]:
        """What the tracker would begin with; on a machine on which it is slow, what the classical one would."""
        from any2bokeh.subject.classical import ClassicalTracker
        from any2bokeh.subject.seeding import seed_matte

        if self._loaded is None:
            self._loaded, _ = self._tracker.load()
        if isinstance(self._loaded, ClassicalTracker) or self._is_too_slow:
            return seed_matte(view, seed)
        began = time.perf_counter()
        matte = next(iter(self._loaded.track([view], seed))).matte
        self._is_too_slow = time.perf_counter() - began > _PATIENCE_S
        return matte

    def _found(
        self, frame: int, script: FocusScript | None, what: object, find: Callable[[View], list[Outline]]
    ) -> list[Outline] | None:
        self._require_frame(frame)
        maps = self._depth.nearest(script)
        if maps is None:
            return None
        key = maps, frame, what
        if (known := self._kept.get(key)) is not None:
            return known
        if not self._lock.acquire(blocking=False):
            raise Busy("another outline is being found; ask for one at a time")
        try:
            self._kept[key] = find(self._seen(maps, frame))
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
            return self._kept[key]
        finally:
            self._lock.release()

    def _seen(self, maps: Maps, frame: int) -> View:
        """A frame as a tracker sees it."""
        if self._view is not None and self._view[0] == (maps, frame):
            return self._view[1]
        if self._opened_maps is None or self._opened_maps[0] != maps:
            self._opened_maps = maps, self._depth.opened(maps)
        codes = self._codes(frame)
        view = View(codes, _sized(self._opened_maps[1].at(frame)[0], codes.shape[1::-1]))
        self._view = (maps, frame), view
        return view

    def _codes(self, frame: int) -> NDArray[np.uint8]:
        """The picture as a tracker sees it."""
        size = reduced_size(self._info, LONG_SIDE_PX)
        pixels = np.stack([_sized(plane, size) for plane in self._frames.at(frame)], axis=-1)
        if self._info.transfer == "linear":
            from any2bokeh.optics.transfer import srgb_encode

            pixels = srgb_encode(pixels)
        return np.rint(np.clip(pixels, 0, 1) * 255).astype(np.uint8)


def outline_of(
    matte: NDArray[np.float32], *, is_followed: bool = True, kind: DetectedKind | None = None
) -> Outline | None:
    """The outline of a matte ``(h, w)`` in [0, 1]; None where it shows nothing."""
    height, width = matte.shape
    is_on = (matte > 0.5).astype(np.uint8)
    found, _ = cv2.findContours(is_on, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not found:
        return None
    most = max(cv2.contourArea(each) for each in found)
    parts: list[Points] = []
    for each in found:
        if len(each) < 3 or cv2.contourArea(each) < _PART * most:
            continue
        corners = cv2.approxPolyDP(each, _SIMPLIFIED_PX, closed=True)[:, 0] + 0.5
        parts.append([(round(float(x) / width, 4), round(float(y) / height, 4)) for x, y in corners])
    if not parts:
        return None
    box = box_around(matte)
    depth = cv2.distanceTransform(cv2.copyMakeBorder(is_on, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0), cv2.DIST_L2, 3)
    row, column = np.unravel_index(int(depth[1:-1, 1:-1].argmax()), is_on.shape)
    inside = round((float(column) + 0.5) / width, 4), round((float(row) + 0.5) / height, 4)
    corners = box.x0, box.y0, box.x1, box.y1
    return Outline(parts=parts, box=corners, inside=inside, is_followed=is_followed, kind=kind)


def _offered(view: View) -> list[Outline]:
    from any2bokeh.focus.candidates import candidates
    from any2bokeh.focus.saliency import saliency

    found = (
        outline_of(each.matte, kind=each.kind) for each in candidates(view, saliency(view, None), detectors_at_hand())
    )
    return [each for each in found if each is not None]


def _sized(plane: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    if plane.shape == size[::-1]:
        return np.asarray(plane, np.float32)
    return np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_AREA), np.float32)
