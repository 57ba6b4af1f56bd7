"""What the machines of a cluster do: each function is one Ray task, and plain Python where it is called here."""

import ctypes
import os
import socket
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from any2bokeh.cluster import metrics

if TYPE_CHECKING:
    from any2bokeh.remote.stage import Staged
    from any2bokeh.renderers.base import Renderer
    from any2bokeh.segments.cut import Segment
    from any2bokeh.segments.order import Order
    from any2bokeh.segments.parts import Job, Parts
    from any2bokeh.shot import Shot


@dataclass(frozen=True, slots=True)
class Rendered:
    """A segment that is complete.

    Attributes:
        frames: that it has; fewer than it should where the clip ended early.
        seconds: wall-clock time that it took.
        remarks: on frames that turned out damaged.
        host: where it was rendered.
    """

    frames: int
    seconds: float = 0.0
    remarks: tuple[str, ...] = ()
    host: str = field(default_factory=socket.gethostname)


def probe(order: "Order", staged: "Staged | None" = None) -> str:
    """Make sure that the render is the same on this machine, and tell its name.

    Args:
        order: what is rendered.
        staged: what of it lies at addresses, and is copied to this machine first.

    Raises:
        InputError: the clip, a file of the recipe or the folder of the segments is missing or another one here, or so
            is the version.
    """
    job = _job(order, staged)
    with job.source:
        _parts(job, order)
    return socket.gethostname()


def look(order: "Order", cores: int, staged: "Staged | None" = None) -> list[str]:
    """Find disparity and focus of the clip, keep them beside the segments, and tell what is odd about them.

    Raises:
        InputError: see ``Shot.open``.
    """
    _use_cores(cores)
    from any2bokeh.segments.kept_shot import keep_shot
    from any2bokeh.shot import Shot

    remarks: list[str] = []
    job = _job(order, staged)
    with job.source:
        parts = _parts(job, order)
        if parts.kept_shot() is None:
            shot = Shot.open(job.source, job.recipe, start=job.start, stop=job.stop, notice=remarks.append)
            keep_shot(shot, parts.folder)
            if staged is not None:
                staged.send()
    return remarks


def render(order: "Order", segment: "Segment", cores: int, staged: "Staged | None" = None) -> Rendered:
    """Render one segment into the folder of the segments, and send it to the address of the result if it has one.

    Raises:
        InputError: see ``render_segment``; or the machine does not see what it should, see ``probe``.
    """
    _use_cores(cores)
    from any2bokeh.refocusing import render_segment
    from any2bokeh.segments.parts import segment_name

    began = time.perf_counter()
    with _bench(order, staged) as (job, shot, renderer):
        frames = render_segment(job, _parts(job, order), shot, renderer, segment)
        if staged is not None:
            staged.send(segment=segment_name(segment))
        remarks: list[str] = []
        job.source.tell(remarks.append, at_end=True)
        seconds = round(time.perf_counter() - began, 3)
        metrics.count_segment(frames, seconds)
        _give_memory_back()
        return Rendered(frames, seconds, tuple(remarks))


def leave(staged: "Staged") -> None:
    """Remove the copies that this machine has made of what lies at addresses."""
    _clear_benches()
    staged.leave()


_BENCHES: "dict[Order, tuple[Job, Shot, Renderer]]" = {}
"""Of the render that this process works on; opening a long clip, or a model, takes longer than many a segment."""


@contextmanager
def _bench(order: "Order", staged: "Staged | None") -> "Iterator[tuple[Job, Shot, Renderer]]":
    """What all segments of a render share; it is made anew after a failure."""
    from any2bokeh.engines import make_renderer
    from any2bokeh.errors import InputError

    if order not in _BENCHES:
        _clear_benches()
        job = _job(order, staged)
        job.source.tell(lambda remark: None)  # who gave the order knows them
        shot = _parts(job, order).kept_shot()
        if shot is None:
            raise InputError(
                f"disparity and focus of {order.clip} are not beside the segments on {socket.gethostname()}"
            )
        _BENCHES[order] = job, shot, make_renderer(job.recipe.engine, job.recipe.look, job.source.info)
    try:
        yield _BENCHES[order]
    except BaseException:
        _clear_benches()
        raise


def _clear_benches() -> None:
    for job, *_ in _BENCHES.values():
        job.source.close()
    _BENCHES.clear()


def _job(order: "Order", staged: "Staged | None") -> "Job":
    if staged is not None:
        staged.fetch()
    return order.job()


def _parts(job: "Job", order: "Order") -> "Parts":
    from any2bokeh.segments.parts import Parts

    return Parts.under_way(job, order.made_of, attempt=uuid.uuid4().hex[:8])


def _give_memory_back() -> None:
    """Return what was freed to the system, which glibc does not do by itself.

    Each segment has threads of its own. In a worker of Ray, beside its many threads, their memory comes from ever other
    pools of glibc: without this a worker had 1.17 GB after eight segments of 24 frames of 640x360; with it 0.52 GB, as
    a process of its own has.
    """
    with suppress(OSError, AttributeError):  # another system, another libc
        ctypes.CDLL("libc.so.6").malloc_trim(0)


def _use_cores(cores: int) -> None:
    """Let engines that are made in this process use so many; beside it other tasks use the others."""
    import cv2

    from any2bokeh.renderers.layered.workers import CORES_VARIABLE

    os.environ[CORES_VARIABLE] = str(cores)
    cv2.setNumThreads(cores)
