"""Threads that share a frame: the picture does not depend on which of them does what, or when."""

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from any2bokeh.optics.highlights import Highlights
from any2bokeh.renderers.layered import LayeredRenderer, layers
from any2bokeh.renderers.layered.layered_image import LayeredImage
from any2bokeh.renderers.layered.workers import Workers
from tests.renderers.layered.test_strips import tall_frame

LOOKS = [{"highlights": Highlights("auto")}, {"axial_chromatic": 0.1}]


class InOrder(Workers):
    """Does all jobs in one thread, in an order of its own; the frame is divided as for three."""

    def __init__(self, order: Callable[[int], Sequence[int]]) -> None:
        super().__init__(3)
        self._order = order

    def each(
        self, jobs: Sequence[Any], work: Callable[..., Any], *, workspace: Callable[[], object] | None = None
    ) -> list[Any]:
        results: list[Any] = [None] * len(jobs)
        for job in self._order(len(jobs)):
            own = () if workspace is None else (workspace(),)
            results[job] = work(jobs[job], *own)
        return results


@pytest.mark.parametrize("look", LOOKS, ids=str)
def test_jobs_may_be_done_in_any_order(look):
    """What a job reads, no other job of its step writes."""
    frame, rng = tall_frame(), np.random.default_rng(0)
    expected = LayeredRenderer(**look, threads=1).render_frame(frame)
    for order in (range, lambda count: range(count)[::-1], lambda count: [int(job) for job in rng.permutation(count)]):
        renderer = LayeredRenderer(**look)
        renderer._workers = InOrder(order)
        np.testing.assert_array_equal(renderer.render_frame(frame), expected)


def test_threads_that_come_to_the_same_hidden_pixel_write_the_same():
    """Two are given all of each ring, where the threads of a frame have only the borders of their parts in common."""
    frame = replace(tall_frame(), bands=None)
    assert frame.hidden is not None
    image = LayeredImage.of(frame, transfer="none")
    scale = np.float32(image.px_per_disparity)
    light = np.ascontiguousarray(frame.hidden.pixels.transpose(1, 2, 0))
    seen = light, scale * (frame.hidden.disparity[0] - np.float32(frame.focus_disparity)), frame.hidden.known
    first = np.flatnonzero(image.level == 1).astype(np.int32)

    def fill(at_once: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        image.level[image.level > 1] = 0
        ring, number = first, 2
        with ThreadPoolExecutor(at_once) as pool:
            while ring.size:
                planes = image.light, image.defocus, image.kind, image.level, image.source
                jobs = [pool.submit(layers.fill_ring, ring, number, *planes, seen) for _ in range(at_once)]
                ring = np.unique(np.concatenate([job.result() for job in jobs]))
                number += 1
        hidden = image.level > 1
        return image.light[layers.BEHIND][hidden], image.defocus[layers.BEHIND][hidden]

    expected = fill(1)
    assert len(expected[0]) > 1000
    for _ in range(20):
        for found, alone in zip(fill(2), expected, strict=True):
            np.testing.assert_array_equal(found, alone)


def test_what_a_job_raises_is_raised_once_no_thread_is_at_work():
    """Else it would write into the memory of the next frame."""
    both, ended = threading.Barrier(2), []

    def work(job: int) -> None:
        both.wait(300)  # of hanging
        if threading.current_thread() is threading.main_thread():
            raise MemoryError
        time.sleep(0.1)  # longer than it takes to raise
        ended.append(job)

    with pytest.raises(MemoryError):
        Workers(2).each(range(2), work)
    assert len(ended) == 1
