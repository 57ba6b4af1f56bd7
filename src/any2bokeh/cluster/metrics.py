"""What a cluster counts for Prometheus; Ray exports it on the metrics port of each machine.

Ray puts ``ray_`` before the names and adds labels of its own, such as the machine. Outside Ray nothing is counted.
"""

import sys
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from typing import Any, Literal

Failure = Literal["input", "defect", "lost"]
"""Bad input; a defect of any2bokeh, or a machine that lacks a package; a process or machine that was lost for good."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One of them.

    Attributes:
        kind: class of ``ray.util.metrics``.
        name: without what Ray adds.
        description: for people.
        labels: names of labels.
        boundaries: of a histogram's buckets.
    """

    kind: Literal["Counter", "Gauge", "Histogram"]
    name: str
    description: str
    labels: tuple[str, ...] = ()
    boundaries: tuple[float, ...] = field(default=())

    def made(self) -> Any:
        """The metric of Ray."""
        more = {"boundaries": list(self.boundaries)} if self.boundaries else {}
        kind = getattr(import_module("ray.util.metrics"), self.kind)
        return kind(self.name, description=self.description, tag_keys=self.labels, **more)


FRAMES = Metric("Counter", "any2bokeh_frames", "Frames rendered.")
SEGMENTS = Metric("Counter", "any2bokeh_segments", "Segments that are complete.")
FRAME_SECONDS = Metric(
    "Histogram",
    "any2bokeh_frame_seconds",
    "Seconds that a frame takes, the mean of each segment.",
    boundaries=(0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 60),
)
FAILURES = Metric("Counter", "any2bokeh_failures", "Tries of a task that failed, by kind.", labels=("kind",))
WAITING = Metric("Gauge", "any2bokeh_segments_waiting", "Segments of a clip that are not complete.", labels=("clip",))

METRICS = (FRAMES, SEGMENTS, FRAME_SECONDS, FAILURES, WAITING)


def count_segment(frames: int, seconds: float) -> None:
    """A segment is complete; called where it was rendered."""
    if _is_in_ray() and frames > 0:
        _made(FRAMES).inc(frames)
        _made(SEGMENTS).inc()
        _made(FRAME_SECONDS).observe(seconds / frames)


def count_failure(kind: Failure) -> None:
    """A try of a task failed; called where tasks are handed out, as a process that is lost counts nothing."""
    if _is_in_ray():
        _made(FAILURES).inc(tags={"kind": kind})


def show_waiting(clip: str, segments: int) -> None:
    """So many segments of a clip are not complete."""
    if _is_in_ray():
        _made(WAITING).set(segments, tags={"clip": clip})


@cache
def _made(metric: Metric) -> Any:
    return metric.made()


def _is_in_ray() -> bool:
    """Whether this process belongs to a cluster; Ray is not imported to find out."""
    ray = sys.modules.get("ray")
    return ray is not None and bool(ray.is_initialized())
