import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from any2bokeh.app.render_job import RenderJob
from any2bokeh.app.render_queue import RenderQueue
from any2bokeh.errors import InputError
from tests.app.conftest import HANGS_AFTER_S, wait_for


class Work:
    """Frames that are done when they are let."""

    def __init__(self, frames: int = 3) -> None:
        self.frames = frames
        self.go = threading.Semaphore(0)
        self.began = threading.Event()

    def __call__(self, report: Callable[[int, int], None]) -> Path:
        self.began.set()
        report(0, self.frames)
        for done in range(1, self.frames + 1):
            self.go.acquire(timeout=HANGS_AFTER_S)
            report(done, self.frames)
        return Path("result.mp4")


def job(work) -> RenderJob:
    return RenderJob("render", work, name="clip-bokeh.mp4")


def test_job_runs_and_says_how_far_it_is():
    work = Work()
    one = job(work)
    RenderQueue().add(one)
    assert work.began.wait(HANGS_AFTER_S)
    assert (one.state, one.seconds_left) == ("running", None)
    before_s = time.monotonic()
    for done in (1, 2):
        time.sleep(0.02)
        work.go.release()
        wait_for(lambda done=done: one.snapshot()["done"] == done, one.snapshot)
    left_s = one.seconds_left
    # Of three frames one is left, and one was timed: the second, with the 0.02 s that it was kept waiting.
    assert left_s is not None
    assert 0.02 <= left_s < time.monotonic() - before_s
    work.go.release()
    assert one.wait(HANGS_AFTER_S)
    assert (one.state, one.result, one.snapshot()["done"]) == ("done", Path("result.mp4"), 3)


def test_one_at_a_time_in_order_of_arrival():
    queue, works = RenderQueue(), [Work(1) for _ in range(3)]
    jobs = [job(work) for work in works]
    for each in jobs:
        queue.add(each)
    assert works[0].began.wait(HANGS_AFTER_S)
    assert [queue.place(each) for each in jobs] == [0, 1, 2]
    assert [each.state for each in jobs] == ["running", "waiting", "waiting"]
    for number, work in enumerate(works):
        assert work.began.wait(HANGS_AFTER_S)
        assert not any(later.began.is_set() for later in works[number + 1 :])
        work.go.release()
        assert jobs[number].wait(HANGS_AFTER_S)


def test_flood_is_refused_and_the_queue_goes_on():
    queue, first = RenderQueue(most_waiting=2), Work(1)
    jobs = [job(first), job(Work(0)), job(Work(0))]
    for each in jobs:
        queue.add(each)
    for _ in range(50):
        with pytest.raises(InputError, match="2 renders are already waiting"):
            queue.add(job(Work(0)))
    first.go.release()
    assert all(each.wait(HANGS_AFTER_S) for each in jobs)
    last = job(Work(0))
    queue.add(last)
    assert last.wait(HANGS_AFTER_S)


def test_running_job_is_cancelled_at_its_next_frame():
    work = Work()
    one = job(work)
    RenderQueue().add(one)
    assert work.began.wait(HANGS_AFTER_S)
    one.cancel()
    assert one.snapshot()["state"] == "cancelling"
    work.go.release()
    assert one.wait(HANGS_AFTER_S)
    assert (one.state, one.result) == ("cancelled", None)


def test_waiting_job_is_cancelled_at_once_and_frees_its_place():
    queue, first, never = RenderQueue(most_waiting=1), Work(1), Work(0)
    running, waiting, other = job(first), job(never), job(Work(0))
    queue.add(running)
    queue.add(waiting)
    waiting.cancel()
    assert waiting.wait(0)
    assert waiting.state == "cancelled"
    queue.add(other)
    first.go.release()
    assert other.wait(HANGS_AFTER_S)
    assert not never.began.is_set()
    assert waiting.state == "cancelled"


def test_what_the_visitor_can_mend_is_told_and_the_rest_is_logged(caplog: pytest.LogCaptureFixture):
    def bad_input(report):
        raise InputError("the disk is full; free some space")

    def defect(report):
        raise KeyError("/secret/place")

    jobs = [job(bad_input), job(defect)]
    queue = RenderQueue()
    for each in jobs:
        queue.add(each)
        assert each.wait(HANGS_AFTER_S)
    assert [each.state for each in jobs] == ["failed", "failed"]
    assert jobs[0].message == "The disk is full; free some space."
    assert "bug in the studio" in jobs[1].message
    assert "/secret" not in jobs[1].message
    assert "/secret/place" in caplog.text


def test_closing_drops_what_waits():
    queue, first = RenderQueue(), Work(1)
    running, waiting = job(first), job(Work(0))
    queue.add(running)
    queue.add(waiting)
    queue.close()
    assert waiting.wait(HANGS_AFTER_S)
    assert waiting.state == "cancelled"
    with pytest.raises(InputError, match="closing"):
        queue.add(job(Work(0)))
    first.go.release()
    assert running.wait(HANGS_AFTER_S)
