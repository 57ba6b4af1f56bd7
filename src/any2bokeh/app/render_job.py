"""One render: waiting, running, done, and how far it is."""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from any2bokeh.app.snapshot import JobSnapshot

JobKind = Literal["render"]
JobState = Literal["waiting", "running", "done", "failed", "cancelled"]

Report = Callable[[int, int], None]


class Cancelled(Exception):
    """The user does not want the render any more."""


class RenderJob:
    """A render of a user.

    Args:
        kind: ``render`` makes the whole clip.
        work: renders to a file and returns it; told how far it is through the report, whose exceptions end it.
        name: what the result is called when it is downloaded.
        decisions: what it renders, to be compared with what is decided later.
        changed: called when it has gone on, from any thread.
    """

    def __init__(
        self,
        kind: JobKind,
        work: Callable[[Report], Path],
        *,
        name: str,
        decisions: object = None,
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        self.kind: JobKind = kind
        self.name = name
        self.decisions = decisions
        self._changed = changed
        self.state: JobState = "waiting"
        self.result: Path | None = None
        self.message = ""
        self.elapsed_s = 0.0
        self._work = work
        self._done, self._total = 0, 0
        self._began_s = self._first_s = 0.0
        self._lock = threading.Lock()
        self._cancel = threading.Event()
        self._ended = threading.Event()

    def run(self) -> None:
        """Render, in the calling thread. Never raises; ``state`` and ``message`` tell."""
        from any2bokeh.app.user_message import user_message

        self._began_s = time.monotonic()
        with self._lock:
            if not self.is_live:
                return
            self.state = "running"
        self._changed()
        try:
            self._require_wanted()
            self.result = self._work(self._report)
            self.state = "done"
        except Cancelled:
            self.state = "cancelled"
        except Exception as error:
            self.message = user_message(error, doing="the render")
            self.state = "failed"
        finally:
            self.elapsed_s = time.monotonic() - self._began_s
            self._ended.set()
            self._changed()

    def cancel(self) -> None:
        """End it at its next frame; at once where it still waits."""
        self._cancel.set()
        with self._lock:
            if self.state == "waiting":
                self.state = "cancelled"
                self._ended.set()
        self._changed()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Until it has ended, or so long; whether it has."""
        return self._ended.wait(timeout_s)

    @property
    def is_live(self) -> bool:
        return self.state in ("waiting", "running")

    @property
    def seconds_left(self) -> float | None:
        """Of the render, at the speed so far; None before there is one."""
        if self.state != "running" or self._done < 2:
            return None  # the first frame may wait for the compiler
        per_frame_s = (time.monotonic() - self._first_s) / (self._done - 1)
        return per_frame_s * (self._total - self._done)

    def snapshot(self, *, ahead: int = 0) -> "JobSnapshot":
        """What the page shows of it; ``ahead`` is how many go before it."""
        left = self.seconds_left
        return {
            "kind": self.kind,
            "state": "cancelling" if self._cancel.is_set() and self.is_live else self.state,
            "done": self._done,
            "total": self._total,
            "seconds_left": None if left is None else round(left, 1),
            "elapsed_s": round(self.elapsed_s, 1),
            "message": self.message,
            "name": self.name,
            "ahead": ahead,
        }

    def _report(self, done: int, total: int) -> None:
        self._require_wanted()
        if done == 1:
            self._first_s = time.monotonic()
        self._done, self._total = done, total
        self._changed()

    def _require_wanted(self) -> None:
        if self._cancel.is_set():
            raise Cancelled
