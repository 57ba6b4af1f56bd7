"""Renders wait their turn."""

import threading
from collections import deque

from any2bokeh.app.memory import give_back_memory
from any2bokeh.app.render_job import RenderJob
from any2bokeh.errors import InputError


class RenderQueue:
    """Runs jobs, a few at a time, in the order in which they came.

    Args:
        at_once: how many run at a time.
        most_waiting: how many may wait.
    """

    def __init__(self, *, at_once: int = 1, most_waiting: int = 8) -> None:
        self._at_once, self._most = at_once, most_waiting
        self._waiting: deque[RenderJob] = deque()
        self._running = 0
        self._lock = threading.Lock()
        self._closed = False

    def add(self, job: RenderJob) -> None:
        """Take a job on.

        Raises:
            InputError: too many wait already.
        """
        with self._lock:
            if self._closed:
                raise InputError("the studio is closing; start it again")
            self._waiting = deque(each for each in self._waiting if each.is_live)
            is_free = self._running < self._at_once
            if not is_free and len(self._waiting) >= self._most:
                raise InputError(f"{len(self._waiting)} renders are already waiting; try again in a few minutes")
            if not is_free:
                self._waiting.append(job)
                return
            self._running += 1
        threading.Thread(target=self._work, args=(job,), name="any2bokeh render", daemon=True).start()

    def place(self, job: RenderJob) -> int:
        """How many go before a job that waits; 0 for one that does not wait."""
        with self._lock:
            return self._waiting.index(job) + self._running if job in self._waiting else 0

    def close(self) -> None:
        """Drop what waits; what runs is the caller's to cancel."""
        with self._lock:
            self._closed = True
            for job in self._waiting:
                job.cancel()
            self._waiting.clear()

    def _work(self, job: RenderJob) -> None:
        while True:
            job.run()
            give_back_memory()
            with self._lock:
                if not self._waiting:
                    self._running -= 1
                    return
                job = self._waiting.popleft()
