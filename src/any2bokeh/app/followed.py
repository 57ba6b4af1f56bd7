"""What the tracker has seen of the subjects of a clip: a small matte for each frame."""

import threading
from collections import OrderedDict
from collections.abc import Iterable

import cv2
import numpy as np
from numpy.typing import NDArray

from any2bokeh.focus import BoxTarget, FocusScript, PointTarget, Target
from any2bokeh.subject.tracker import TrackedFrame

_MOST_BYTES = 24 << 20

Seen = tuple[Target, int]
"""What was pointed at, and in which frame."""


class FollowedSubjects:
    """Mattes of what is followed, from any thread; the oldest go where there are too many."""

    def __init__(self) -> None:
        self._mattes: OrderedDict[tuple[Seen, int], bytes] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def note(self, target: Target, first: int, frame: int, tracked: TrackedFrame) -> None:
        """A tracker says this of a subject in a frame."""
        if not tracked.visible:
            return
        codes = np.rint(tracked.matte * 255).astype(np.uint8)
        done, png = cv2.imencode(".png", codes)
        if not done:
            raise RuntimeError(f"PNG encoder refused {codes.shape}")
        with self._lock:
            self._bytes -= len(self._mattes.pop(((target, first), frame), b""))
            self._mattes[(target, first), frame] = png.tobytes()
            self._bytes += len(png)
            while self._bytes > _MOST_BYTES:
                _, old = self._mattes.popitem(last=False)
                self._bytes -= len(old)

    def matte(self, script: FocusScript | None, frame: int) -> NDArray[np.float32] | None:
        """Matte ``(h, w)`` in [0, 1] of what is in focus in a frame; None where nothing is followed or in view."""
        subject = _in_focus(script, frame)
        if subject is None:
            return None
        with self._lock:
            png = self._mattes.get((subject, frame))
        if png is None:
            return None
        codes = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_GRAYSCALE)
        assert codes is not None
        return codes.astype(np.float32) / np.float32(255)

    def forget_all_but(self, wanted: Iterable[Seen]) -> None:
        """Keep what the tracker still knows."""
        kept = set(wanted)
        with self._lock:
            for key in [key for key in self._mattes if key[0] not in kept]:
                self._bytes -= len(self._mattes.pop(key))


def _in_focus(script: FocusScript | None, frame: int) -> Seen | None:
    """The subject of the newest keyframe up to a frame; None where it holds a plane."""
    if script is None:
        return None
    newest = max(
        (k for k in script.keyframes if k.target is not None and k.frame <= frame), key=lambda k: k.frame, default=None
    )
    if newest is None or not isinstance(newest.target, PointTarget | BoxTarget) or not newest.target.track:
        return None
    return newest.target, newest.frame
