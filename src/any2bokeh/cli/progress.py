"""How far a job is: a bar on a terminal, plain lines elsewhere.

The bar is on standard error, the lines on standard output, so that standard error holds nothing but what went wrong.
"""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

_SECONDS_BETWEEN_LINES = 5.0

RENDERING = "rendering {total} frames; the first run on a machine compiles the renderer"
ESTIMATING = "estimating disparity of {total} frames"
JOINING = "joining segments of {total} frames"


class Report(Protocol):
    """Takes the frames done so far and the frames of the whole job."""

    def __call__(self, done: int, total: int, /) -> None: ...

    def within(self, share: float, /) -> None:
        """How much of the next frame is done, to 1; told of large frames alone."""
        ...


@contextmanager
def progress_report(*, quiet: bool, doing: str = RENDERING) -> Iterator[Report]:
    """What a job tells its progress.

    Args:
        quiet: say nothing.
        doing: what the first plain line says, with ``{total}`` for the frames of the job.
    """
    if quiet:
        yield _Silence()
    elif sys.stderr.isatty():
        with _bar() as report:
            yield report
    else:
        yield _Lines(doing)


class _Silence:
    def __call__(self, done: int, total: int, /) -> None:
        pass

    def within(self, share: float, /) -> None:
        pass


@contextmanager
def _bar() -> Iterator[Report]:
    from rich import progress
    from rich.console import Console

    columns = [
        progress.BarColumn(),
        progress.MofNCompleteColumn(),
        progress.TextColumn("frames"),
        progress.TimeElapsedColumn(),
        progress.TimeRemainingColumn(),
    ]
    bar = progress.Progress(*columns, console=Console(stderr=True), transient=True)
    job = bar.add_task("", total=None)

    class Bar:
        done = 0

        def __call__(self, done: int, total: int, /) -> None:
            # On screen only while there is something to do: two jobs of one command share the terminal.
            if done == 0:
                bar.start()
            self.done = done
            bar.update(job, completed=done, total=total)
            if done == total:
                bar.stop()

        def within(self, share: float, /) -> None:
            bar.update(job, completed=self.done + share)

    try:
        yield Bar()
    finally:
        bar.stop()


class _Lines:
    def __init__(self, doing: str) -> None:
        self._doing = doing
        self._first = self._last = 0.0  # when the first frames were done, and when the last line was printed
        self._at_first = 0  # how many they were: one, or a segment of a cluster
        self._done = self._total = 0

    def __call__(self, done: int, total: int, /) -> None:
        self._done, self._total = done, total
        now = time.monotonic()
        if done == 0:
            print(self._doing.format(total=total), flush=True)
            self._last, self._at_first = now, 0
        elif self._at_first == 0:
            self._first, self._at_first = now, done  # what comes before is compilation, and no measure of the rest
        if done > self._at_first and (done == total or now - self._last >= _SECONDS_BETWEEN_LINES):
            self._last = now
            rate = (done - self._at_first) / max(now - self._first, 1e-9)
            print(f"{done}/{total} frames, {rate:.1f} a second", flush=True)

    def within(self, share: float, /) -> None:
        now = time.monotonic()
        if share < 1 and now - self._last >= _SECONDS_BETWEEN_LINES:
            self._last = now
            print(f"{self._done}/{self._total} frames, {share:.0%} of the next", flush=True)
