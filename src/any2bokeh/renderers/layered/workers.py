"""Threads that share the jobs of a frame."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any


class Workers:
    """Threads that take jobs in turn; the caller's is one of them.

    Args:
        threads: how many; None = all cores.
    """

    def __init__(self, threads: int | None = None) -> None:
        self.threads = threads or available_cores()
        self._pool = ThreadPoolExecutor(max(self.threads - 1, 1))

    def each(
        self, jobs: Sequence[Any], work: Callable[..., Any], *, workspace: Callable[[], object] | None = None
    ) -> list[Any]:
        """Do ``work`` for every job; what it returned, in the order of the jobs.

        The threads take the jobs in turn, each thread with a workspace of its own. What a job raises is raised once no
        thread is at work any more.
        """
        turn = iter(range(len(jobs)))
        results: list[Any] = [None] * len(jobs)

        def take() -> None:
            own = () if workspace is None else (workspace(),)
            for job in turn:  # next() of a range iterator is atomic under the GIL
                results[job] = work(jobs[job], *own)

        others = [self._pool.submit(take) for _ in range(min(self.threads, len(jobs)) - 1)]
        try:
            take()
            for other in others:
                other.result()
        except BaseException:
            list(turn)  # the others take no more
            wait(others)  # of what they write, the next frame is made
            raise
        return results


CORES_VARIABLE = "ANY2BOKEH_CORES"
"""Environment variable: how many cores this process may use, where others of the same machine use the rest."""


def available_cores() -> int:
    """Cores that this process may run on."""
    has_affinity = hasattr(os, "sched_getaffinity")
    cores = len(os.sched_getaffinity(0)) if has_affinity else os.cpu_count() or 1
    given = os.environ.get(CORES_VARIABLE, "")
    return min(cores, int(given)) if given.isdecimal() and int(given) else cores
