"""Frames that the page refocuses itself while a clip plays: their focus, and their disparity with treated edges."""

import io
import threading
from dataclasses import replace
from hashlib import sha256
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from any2bokeh.app.depth import ClipDepth, Maps
from any2bokeh.app.drafts import DraftStore
from any2bokeh.app.follower import FocusFollower, FocusOfFrame
from any2bokeh.app.frame_reader import FrameReader
from any2bokeh.app.refusal import NotYet
from any2bokeh.disparity import DisparitySource, upsample
from any2bokeh.disparity.edges import EdgeEstimator, EdgeTreatment, bands_at_size, edge_estimator
from any2bokeh.disparity.edges.bands import MixedPixels, TreatedMap
from any2bokeh.errors import InputError
from any2bokeh.focus import FocusScript
from any2bokeh.optics.focus_range import FocusRange

_IN_DISPARITY, _IN_CODES = 65535, 255


class _Given(NamedTuple):
    """A frame whose edges are still to be treated: disparity no larger than the pictures, and the picture."""

    disparity: NDArray[np.float32]
    pixels: NDArray[np.float32]


class PlayedFrames:
    """Tells the page of frames ahead of where it plays.

    To treat edges takes longer than all else. What comes of it is kept by what it was made of: the disparity, the
    choice of edges and the size, but not the focus, the blur or the lens. So the next round of a clip, and another
    focus, have it already. Frames are read for one answer at a time, in order; edges are treated for several answers
    at once, each in the thread that asks.

    Args:
        frame_count: of the clip.
        depth: its disparity.
        follower: its focus.
        frames: its pictures, at the size that is played.
        store: where treated disparity is kept.
    """

    def __init__(
        self, frame_count: int, depth: ClipDepth, follower: FocusFollower, frames: FrameReader, store: DraftStore
    ) -> None:
        self._frame_count, self._depth, self._follower = frame_count, depth, follower
        self._frames, self._store = frames, store
        self._opened: tuple[Maps, DisparitySource] | None = None
        self._edges: tuple[EdgeTreatment, EdgeEstimator | None] | None = None
        self._lock = threading.Lock()

    def message(self, frames: range, script: FocusScript | None, edges: EdgeTreatment) -> bytes:
        """Frames as ``live.disparity_message`` tells them; those that are known.

        Args:
            frames: which.
            script: what is in focus.
            edges: how edges of disparity are treated.

        Raises:
            InputError: no such frames, or disparity or pictures that cannot be read.
            NotYet: none of them is known.
        """
        from any2bokeh.app.live import PlayedFrame, disparity_message

        if not (frames and frames[0] >= 0 and frames[-1] < self._frame_count):
            asked = f"{len(frames)} frames from {frames.start}"
            raise InputError(f"{asked} were asked for; the clip has frames 0 to {self._frame_count - 1}")
        with self._follower.paused():
            with self._lock:
                found = [(frame, self._follower.known(frame)) for frame in frames]
                known, maps = [(frame, focus) for frame, focus in found if focus is not None], self._depth.ready(script)
                if maps is None or not known:
                    raise NotYet("the focus of these frames is still being found; try again in a few seconds")
                key = sha256(repr((maps, edges, self._frames.size)).encode()).hexdigest()[:24]
                treats = self._estimator(edges)
                read = [self._read(maps, frame, key, treats) for frame, _ in known]
            given = []
            for (frame, focus), each in zip(known, read, strict=True):
                treated = self._treated(frame, key, treats, each) if isinstance(each, _Given) else each
                disparity, mixed = _bent(treated, focus)
                given.append(PlayedFrame(frame, focus.focus_disparity, focus.blur_strength, disparity, mixed))
            return disparity_message(given)

    def _estimator(self, edges: EdgeTreatment) -> EdgeEstimator | None:
        if self._edges is None or self._edges[0] != edges:
            self._edges = edges, edge_estimator(edges)
        return self._edges[1]

    def _read(self, maps: Maps, frame: int, key: str, treats: EdgeEstimator | None) -> _Given | TreatedMap:
        """What is kept of a frame, or what it is to be made of."""
        kept = self._store.get(frame, key)
        if kept is not None:
            return _unpacked(kept)
        if self._opened is None or self._opened[0] != maps:
            self._opened = maps, self._depth.opened(maps)
        given, (width, height) = self._opened[1].at(frame), self._frames.size
        if given.shape[1] >= height:  # the picture has no say in how it is made smaller
            given = upsample(given, np.broadcast_to(np.float32(0), (3, height, width)))
            if treats is None:
                return TreatedMap.none(given)
        return _Given(given, np.ascontiguousarray(self._frames.at(frame)))

    def _treated(self, frame: int, key: str, treats: EdgeEstimator | None, given: _Given) -> TreatedMap:
        """Disparity at the size that is played, as drafts of that size have it."""
        found = TreatedMap.none(upsample(*given)) if treats is None else TreatedMap.of(bands_at_size(treats, *given))
        self._store.put(frame, key, _packed(found))
        return found


def _bent(treated: TreatedMap, focus: FocusOfFrame) -> tuple[NDArray[np.float32], MixedPixels]:
    """Disparity ``(H, W)``, and mixed pixels, from which a thin lens makes the blur of a frame."""
    range_, d_f, strength = FocusRange(slab=focus.slab), focus.focus_disparity, focus.blur_strength

    def bent(disparity: NDArray[np.float32]) -> NDArray[np.float32]:
        return range_.applied(disparity, d_f, strength)

    return bent(treated.disparity)[0], treated.mixed.with_disparity(bent)


def _packed(treated: TreatedMap) -> bytes:
    """What is kept of a map; of its mixed pixels, what the page is told."""
    mixed, file = treated.mixed, io.BytesIO()
    levels, light = _rounded(mixed.values[:4], _IN_DISPARITY), _rounded(mixed.background, _IN_CODES)
    np.savez(file, disparity=_rounded(treated.disparity, _IN_DISPARITY), at=mixed.at, levels=levels, light=light)
    return file.getvalue()


def _unpacked(kept: bytes) -> TreatedMap:
    with np.load(io.BytesIO(kept)) as arrays:
        disparity = arrays["disparity"] * np.float32(1 / _IN_DISPARITY)
        levels = arrays["levels"] * np.float32(1 / _IN_DISPARITY)
        light = arrays["light"] * np.float32(1 / _IN_CODES)
        # The light of the nearer surface is what the farther leaves of the pixel.
        mixed = MixedPixels(arrays["at"], np.concatenate([levels, np.zeros_like(light), light]))
    return replace(TreatedMap.none(disparity), mixed=mixed)


def _rounded(values: NDArray[np.float32], most: int) -> NDArray[np.unsignedinteger]:
    kind = np.uint16 if most > 255 else np.uint8
    return np.rint(np.clip(values, 0, 1) * np.float32(most)).astype(kind)
