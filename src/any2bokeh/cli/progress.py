"""How far a job is: a bar on a terminal, plain lines elsewhere.

The bar is on standard error, the lines on standard output, so that standard error holds nothing but what went wrong.
"""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_SECONDS_BETWEEN_LINES = 5.0

RENDERING = "rendering {total} frames; the first run on a machine compiles the renderer"
ESTIMATING = "estimating disparity of {total} frames"
JOINING = "joining segments of {total} frames"

Report = Callable[[int, int], None]


@contextmanager
def progress_report(*, quiet: bool, doing: str = RENDERING) -> Iterator[Report]:
    """A callback that takes the frames done so far and the frames of the whole job.

    Args:
        quiet: say nothing.
        doing: what the first plain line says, with ``{total}`` for the frames of the job.
    """
    if quiet:
        yield lambda done, total: None
    elif sys.stderr.isatty():
        with _bar() as report:
            yield report
    else:
        yield _lines(doing)


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

    def report(done: int, total: int) -> None:
        # On screen only while there is something to do: two jobs of one command share the terminal.
        if done == 0:
            bar.start()
        bar.update(job, completed=done, total=total)
        if done == total:
            bar.stop()

    try:
        yield report
    finally:
        bar.stop()


def _lines(doing: str) -> Report:
    first = last = 0.0  # when the first frames were done, and when the last line was printed
    at_first = 0  # how many they were: one, or a segment of a cluster

    def report(done: int, total: int) -> None:
        nonlocal first, last, at_first
        now = time.monotonic()
        if done == 0:
            print(doing.format(total=total), flush=True)
            last, at_first = now, 0
        elif at_first == 0:
            first, at_first = now, done  # what comes before is compilation, and no measure of the rest
        if done > at_first and (done == total or now - last >= _SECONDS_BETWEEN_LINES):
            last = now
            print(f"{done}/{total} frames, {(done - at_first) / max(now - first, 1e-9):.1f} a second", flush=True)

    return report
