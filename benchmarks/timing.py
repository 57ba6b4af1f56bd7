"""Costs of methods that take turns, so that what else the machine does falls on all of them alike."""

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

Job = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Cost:
    """What one frame costs.

    Attributes:
        median_ms: wall-clock time, median over runs.
        iqr_ms: wall-clock time, distance between the quartiles.
        min_ms: wall-clock time, least of all runs: nearest to what a quiet machine would show.
        cpu_ms: processor time of all threads together, median.
        cpu_min_ms: processor time, least of all runs.
        frames_per_s: at the median.
        runs: how many runs there were.
    """

    median_ms: float
    iqr_ms: float
    min_ms: float
    cpu_ms: float
    cpu_min_ms: float
    frames_per_s: float
    runs: int

    @classmethod
    def of(cls, wall_s: Sequence[float], cpu_s: Sequence[float], frames: int = 1) -> "Cost":
        """Cost of a frame where each run took ``frames`` of them."""
        wall = [1e3 * seconds / frames for seconds in wall_s]
        cpu = [1e3 * seconds / frames for seconds in cpu_s]
        low, _, high = statistics.quantiles(wall, method="inclusive") if len(wall) > 1 else (wall[0],) * 3
        median = statistics.median(wall)
        return cls(median, high - low, min(wall), statistics.median(cpu), min(cpu), 1e3 / median, len(wall))


def timed(job: Job) -> tuple[float, float]:
    """Seconds of wall-clock time and of processor time, all threads, that a job takes."""
    wall, cpu = time.perf_counter(), time.process_time()
    job()
    cpu = time.process_time() - cpu
    return time.perf_counter() - wall, cpu


def round_robin(jobs: Mapping[str, Sequence[Job]], *, rounds: int, frames: int = 1) -> dict[str, Cost]:
    """Cost of every method, its jobs run in turn with those of the others.

    Args:
        jobs: a job for every input, as many for each method. The first of each is run once beforehand, untimed.
        rounds: how often all jobs are run.
        frames: how many frames each job renders.
    """
    for method in jobs.values():
        method[0]()
    samples: dict[str, list[tuple[float, float]]] = {name: [] for name in jobs}
    names = list(jobs)
    for turn in range(rounds):
        for number in range(len(jobs[names[0]])):
            # Who goes first moves on, so that nobody always follows the one that empties the caches.
            first = (turn + number) % len(names)
            for name in names[first:] + names[:first]:
                samples[name].append(timed(jobs[name][number]))
    return {name: Cost.of(*zip(*pairs, strict=True), frames=frames) for name, pairs in samples.items()}
