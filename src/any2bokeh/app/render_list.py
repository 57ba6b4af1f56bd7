"""The renders of one clip: those that wait and run, and the newest of those that are over."""

import threading
from dataclasses import dataclass
from pathlib import Path

from any2bokeh.app.render_job import RenderJob
from any2bokeh.app.render_queue import RenderQueue
from any2bokeh.app.snapshot import RenderSnapshot
from any2bokeh.errors import InputError

_MOST_LIVE = 4
_MOST_OVER = 6
"""Results take the disk of the session's folder; older ones make way."""


@dataclass(frozen=True, slots=True)
class _Entry:
    number: int
    job: RenderJob


class RenderList:
    """Renders in the order in which they were asked for.

    Args:
        queue: where they wait, beside those of other sessions.
    """

    def __init__(self, queue: RenderQueue) -> None:
        self._queue = queue
        self._entries: list[_Entry] = []
        self._lock = threading.Lock()

    def name_for(self, stem: str, suffix: str) -> str:
        """A name that none of them has."""
        with self._lock:
            taken = {each.job.name for each in self._entries}
        names = (f"{stem}-bokeh{'' if number == 1 else f'-{number}'}{suffix}" for number in range(1, len(taken) + 2))
        return next(name for name in names if name not in taken)

    def add(self, number: int, job: RenderJob) -> None:
        """Ask for one.

        Args:
            number: ours for it.
            job: the render.

        Raises:
            InputError: too many are under way.
        """
        with self._lock:
            live = sum(each.job.is_live for each in self._entries)
            if live >= _MOST_LIVE:
                raise InputError(f"{live} renders of yours are under way; wait for one or cancel one")
            self._queue.add(job)
            self._entries.append(_Entry(number, job))
            for each in [each for each in self._entries if not each.job.is_live][:-_MOST_OVER]:
                self._remove(each)

    @property
    def newest_done(self) -> RenderJob | None:
        """The one that was asked for last of those that are complete."""
        with self._lock:
            done = [each.job for each in self._entries if each.job.state == "done"]
        return done[-1] if done else None

    @property
    def is_live(self) -> bool:
        """Whether one waits or runs."""
        with self._lock:
            return any(each.job.is_live for each in self._entries)

    def result(self, number: int) -> RenderJob:
        """One that is complete.

        Raises:
            InputError: there is none of this number.
        """
        job = self._of(number).job
        if job.state != "done":
            raise InputError(f"{job.name} is not rendered yet; wait for it")
        return job

    def cancel(self, number: int) -> None:
        """End one, or remove it and its result where it is over.

        Raises:
            InputError: there is none of this number.
        """
        entry = self._of(number)
        if entry.job.is_live:
            entry.job.cancel()
            return
        with self._lock:
            self._remove(entry)

    def cancel_all(self) -> None:
        """End all that are under way."""
        with self._lock:
            entries = list(self._entries)
        for each in entries:
            if each.job.is_live:
                each.job.cancel()

    def wait(self, timeout_s: float) -> None:
        """Until all are over, or so long for each."""
        with self._lock:
            entries = list(self._entries)
        for each in entries:
            each.job.wait(timeout_s)

    def snapshot(self, decisions: object) -> list[RenderSnapshot]:
        """What the page shows of them; ``decisions`` are those of now."""
        with self._lock:
            entries = list(self._entries)
        return [
            {
                "number": each.number,
                "is_current": each.job.decisions == decisions,
                **each.job.snapshot(ahead=self._queue.place(each.job)),
            }
            for each in entries
        ]

    def _of(self, number: int) -> _Entry:
        with self._lock:
            found = next((each for each in self._entries if each.number == number), None)
        if found is None:
            raise InputError("this render is not there any more; reload the page")
        return found

    def _remove(self, entry: _Entry) -> None:
        if entry in self._entries:
            self._entries.remove(entry)
        result: Path | None = entry.job.result
        if result is not None:
            result.unlink(missing_ok=True)
