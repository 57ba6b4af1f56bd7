"""Playing a clip refocused: drafts of its frames, made ahead of where the page plays, and kept."""

import logging
import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain
from typing import Protocol

from any2bokeh.errors import InputError

_log = logging.getLogger(__name__)

LONG_SIDE_PX = 640
"""Longer side of a frame that is played: half the work of a picture that is looked at."""

# What is made is told, fetched and decoded before it is shown.
_AHEAD_S = 0.6
_MOST_LOOKED_AT = 2000
_LOOK_AGAIN_S = 0.2
_SLOWEST_AHEAD_S = 3.0


class MakesDrafts(Protocol):
    """What makes drafts of the clip as it is decided now."""

    def has(self, frame: int) -> bool | None:
        """Whether there is a draft of a frame; None where it cannot be made yet."""
        ...

    def make(self, frame: int) -> None:
        """Make it, and keep it.

        Raises:
            InputError: the clip cannot be read.
        """
        ...

    def frames(self) -> list[int]:
        """The frames of which there may be one, in order."""
        ...


@dataclass(frozen=True, slots=True)
class Head:
    """Where a page plays.

    Attributes:
        frame: where it began.
        since_s: when, of ``time.monotonic``.
    """

    frame: int
    since_s: float

    def at(self, now_s: float, span: range, fps: float) -> int:
        """The frame that is shown at a time, going round and round the frames of a span."""
        if self.frame not in span:
            return span.start
        gone = math.floor((now_s - self.since_s) * fps)
        return span.start + (self.frame - span.start + gone) % len(span)


class Playback:
    """Makes drafts while a page plays.

    The page plays at the speed of the clip, and shows what there is. What is made next is the first missing frame that
    can still be shown in time: on a slow machine the first round has gaps, which the next rounds fill.

    Args:
        drafts: makes and keeps them.
        fps: of the clip.
        span: the frames that are played, as they are chosen now.
        told: called when there is another draft, from another thread.
    """

    def __init__(
        self, drafts: MakesDrafts, *, fps: float, span: Callable[[], range], told: Callable[[], None] = lambda: None
    ) -> None:
        self._drafts, self._fps, self._span, self._told = drafts, fps, span, told
        self._head: Head | None = None
        self._takes_s = 0.0
        self._changed = threading.Condition()
        self._is_closed = False
        self._thread = threading.Thread(target=self._work, name="any2bokeh playback", daemon=True)

    @property
    def is_playing(self) -> bool:
        return self._head is not None

    def play(self, frame: int) -> None:
        """The page plays from a frame on."""
        with self._changed:
            self._head = Head(frame, time.monotonic())
            if self._thread.ident is None and not self._is_closed:
                self._thread.start()
            self._changed.notify_all()

    def stop(self) -> None:
        """It does not play any more. What has been made is kept."""
        with self._changed:
            self._head = None
            self._changed.notify_all()

    def ready(self) -> list[tuple[int, int]]:
        """The frames of which there are drafts, as runs: first, and the one after the last."""
        runs: list[tuple[int, int]] = []
        for frame in self._drafts.frames():
            if not self._drafts.has(frame):
                continue
            if runs and runs[-1][1] == frame:
                runs[-1] = runs[-1][0], frame + 1
            else:
                runs.append((frame, frame + 1))
        return runs

    def close(self) -> None:
        """End the work; returns when it has ended."""
        with self._changed:
            self._is_closed, self._head = True, None
            self._changed.notify_all()
        if self._thread.ident is not None:
            self._thread.join(30)

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._is_closed or self._head is not None)
                head = self._head
            if head is None:
                return
            try:
                frame = self._next(head)
                if frame is not None:
                    self._make(frame)
                    continue
            except InputError:
                pass  # who looks at the frame is told
            except Exception:
                if self._is_closed:
                    return
                _log.exception("a frame could not be made for playing")
            with self._changed:
                self._changed.wait(timeout=_LOOK_AGAIN_S)

    def _next(self, head: Head) -> int | None:
        """The frame to be made next; None where there is none, or none that can be made yet."""
        span = self._span()
        ahead_s = min(max(_AHEAD_S, 1.5 * self._takes_s), _SLOWEST_AHEAD_S)
        first = head.at(time.monotonic() + ahead_s, span, self._fps)
        round_it = chain(range(first, span.stop), range(span.start, first))
        looked_at = (frame for frame, _ in zip(round_it, range(_MOST_LOOKED_AT), strict=False))
        return next((frame for frame in looked_at if self._drafts.has(frame) is False), None)

    def _make(self, frame: int) -> None:
        began_s = time.monotonic()
        self._drafts.make(frame)
        self._takes_s = time.monotonic() - began_s
        self._told()
