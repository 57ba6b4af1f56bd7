"""The lines of ``--json``: events on standard output, on which nothing else is then printed."""

import io
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Literal, TextIO

from any2bokeh import __version__
from any2bokeh.events import (
    ClipFailed,
    ClipFinished,
    ClipStarted,
    Event,
    FrameEvents,
    FramesDone,
    Remark,
    RunFailed,
    RunFinished,
    RunStarted,
    line_of,
)
from any2bokeh.remote.address import renamed

COMMANDS = frozenset({"refocus", "batch"})
_JSON, _HELP = "--json", {"--help", "--help-all"}
_SECONDS_BETWEEN_FRAMES = 0.25


@dataclass(slots=True)
class _Stage:
    """What is known of the rate of a stage of a clip."""

    began_s: float | None = None
    at_first: int = 0  # frames when the first were done


class EventStream:
    """Writes events as lines; each is flushed, so that whoever reads sees it at once.

    A reader that goes away stops no render: its lines are dropped.

    Args:
        output: where lines go; None = nowhere.
    """

    def __init__(self, output: TextIO | None = None) -> None:
        self._output = output
        self._is_on = output is not None
        self._lock = threading.Lock()
        self._number = 0
        self._began_s = time.monotonic()
        self._last_frames_s = -_SECONDS_BETWEEN_FRAMES
        self._stages: dict[tuple[int, str], _Stage] = {}
        self._open_clips: dict[int, None] = {}
        self._is_ended = False

    @property
    def is_on(self) -> bool:
        """Whether events were asked for, in place of the result as text."""
        return self._is_on

    @property
    def seconds(self) -> float:
        """Since the run began."""
        return round(time.monotonic() - self._began_s, 3)

    def tell(self, event: Event) -> None:
        """Write an event; of ``FramesDone``, as many as are wanted, with their rate."""
        with self._lock:
            if isinstance(event, FramesDone):
                rated = self._rated(event)
                if rated is not None:
                    self._write(rated)
                return
            if isinstance(event, ClipStarted):
                self._open_clips[event.clip] = None
            elif isinstance(event, ClipFinished | ClipFailed):
                self._open_clips.pop(event.clip, None)
            self._write(event)
            self._is_ended = isinstance(event, RunFinished | RunFailed)

    def failed(self, message: str, exit_code: int, *, is_defect: bool = False) -> None:
        """End the stream, and tell the same of the clips that were being worked on."""
        with self._lock:
            if self._is_ended:
                return
            message = " ".join(message.split())
            for clip in self._open_clips:
                self._write(ClipFailed(clip, message, is_defect))
            self._write(RunFailed(message, exit_code, self.seconds))
            self._is_ended = True

    def frames(self, stage: Literal["estimating", "rendering"], clip: int = 0) -> "FrameEvents":
        """A callback that takes the frames done so far and the frames of a stage."""
        return FrameEvents(self.tell, stage, clip)

    def notice(self, shown: Callable[[str], None] | None, clip: int = 0) -> Callable[[str], None]:
        """A callback that takes remarks on a clip, and passes them on to what shows them to people."""

        def notice(remark: str) -> None:
            self.tell(Remark(remark, clip=clip))
            if shown is not None:
                shown(remark)

        return notice

    def _rated(self, event: FramesDone) -> FramesDone | None:
        now = time.monotonic()
        key = event.clip, event.stage
        if event.within is not None:
            if now - self._last_frames_s < _SECONDS_BETWEEN_FRAMES:
                return None
            self._last_frames_s = now
            return event
        stage = self._stages.setdefault(key, _Stage())
        if event.done == 0:
            self._stages[key] = _Stage()
        elif stage.began_s is None:
            stage.began_s, stage.at_first = now, event.done
        is_last = event.done == event.total
        if is_last:
            del self._stages[key]
        if event.done == 0 or (not is_last and now - self._last_frames_s < _SECONDS_BETWEEN_FRAMES):
            return None
        self._last_frames_s = now
        done, elapsed = event.done - stage.at_first, 0.0 if stage.began_s is None else now - stage.began_s
        if done <= 0 or elapsed <= 0:
            return event
        rate = done / elapsed
        return replace(event, frames_per_s=round(rate, 3), left_s=round((event.total - event.done) / rate, 1))

    def _write(self, event: Event) -> None:
        if self._output is None:
            return
        try:
            line = renamed(line_of(event, number=self._number, time_s=time.time()))
            self._number += 1
            self._output.write(line + "\n")
            self._output.flush()
        except (OSError, ValueError):  # the reader is gone, or has closed the file
            abandoned, self._output = self._output, None
            _leave(abandoned)


_CURRENT: ContextVar[EventStream | None] = ContextVar("_CURRENT", default=None)


def current_events() -> EventStream:
    """The stream of the run; one that writes nowhere where nobody asked for one."""
    return _CURRENT.get() or EventStream()


@contextmanager
def events_told(arguments: Sequence[str]) -> Iterator[EventStream]:
    """The stream of a run with these arguments, begun before they are parsed, so that a wrong one is an event, too."""
    if not arguments or arguments[0] not in COMMANDS or _JSON not in arguments or not _HELP.isdisjoint(arguments):
        yield EventStream()
        return
    with _only_ours() as output:
        events = EventStream(output)
        token = _CURRENT.set(events)
        try:
            events.tell(RunStarted(arguments[0], __version__, os.getpid()))
            yield events
        finally:
            _CURRENT.reset(token)


@contextmanager
def _only_ours() -> Iterator[TextIO]:
    """Standard output for events; what anything else prints there goes to standard error meanwhile."""
    before, kept = sys.stdout, None
    output = before
    with suppress(OSError, ValueError, io.UnsupportedOperation):
        before.flush()
        if before.fileno() == 1:  # not what a program that calls ``run`` has put in its place
            kept = os.dup(1)
            os.dup2(2, 1)
            output = open(kept, "w", encoding="utf-8", newline="\n", closefd=False)  # noqa: SIM115  flushed each line
    sys.stdout = sys.stderr
    try:
        yield output
    finally:
        sys.stdout = before
        if kept is not None:
            os.dup2(kept, 1)
            os.close(kept)


def _leave(output: TextIO) -> None:
    """Let what could not be written go nowhere, so that the end of the process does not fail over it."""
    with suppress(OSError, ValueError, io.UnsupportedOperation):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, output.fileno())
        os.close(nowhere)
