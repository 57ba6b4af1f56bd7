from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from any2bokeh.app.frame_pool import FramePool, ReducedMaps
from any2bokeh.app.session import Session
from any2bokeh.disparity import open_disparity
from tests.app.conftest import FRAMES, ready

COUNT = 90


class Reading:
    """Numbers that are read like frames; it knows how many readers are open, and how many items were read."""

    def __init__(self) -> None:
        self.open = self.most = self.read = 0

    def __call__(self, start: int) -> Iterator[int]:
        self.open += 1
        self.most = max(self.most, self.open)
        try:
            for index in range(start, COUNT):
                self.read += 1
                yield index
        finally:
            self.open -= 1


@settings(max_examples=40, deadline=None)
@given(order=st.lists(st.integers(0, COUNT - 1), max_size=60), readers=st.integers(1, 3))
def test_items_come_in_any_order_through_few_readers(order: list[int], readers: int):
    reading = Reading()
    pool = FramePool(reading, COUNT, readers=readers, kept=5)
    assert [pool.at(index) for index in order] == order
    assert reading.most <= readers
    assert len(pool._items) <= 5
    pool.close()
    assert reading.open == 0


def test_many_that_go_on_together_share_a_reader():
    reading = Reading()
    pool = FramePool(reading, COUNT)
    running = [pool.frames(start) for start in range(0, 24, 2)]
    for _ in range(COUNT - 24):
        for each in running:
            next(each)
    assert reading.read < 1.2 * COUNT


def test_the_end_is_told():
    pool = FramePool(Reading(), COUNT + 3)  # fewer than were promised
    assert list(pool.frames(COUNT - 2)) == [COUNT - 2, COUNT - 1]
    with pytest.raises(IndexError, match="frame 91 of 93"):
        pool.at(91)


def test_maps_are_those_at_full_size_reduced(demo_clip: Path):
    maps = open_disparity(demo_clip / "disparity.mkv", clip_frame_count=FRAMES)
    reduced = ReducedMaps(maps, (96, 54))
    assert reduced.at(7).shape == (1, 54, 96)
    np.testing.assert_allclose(reduced.at(7)[0], maps.at(7)[0].reshape(54, 2, 96, 2).mean(axis=(1, 3)), atol=1e-6)
    assert len(list(reduced.frames(20))) == FRAMES - 20
    same = ReducedMaps(maps, (192, 108))
    np.testing.assert_array_equal(same.at(3), maps.at(3))


def test_subjects_however_many_are_followed_once(session: Session):
    session.open_demo()
    project = session.opened()
    for frame in range(0, FRAMES, 2):
        project.focus(frame, 0.2 + 0.025 * frame, 0.5, is_locked=True)
    ready(session)
    following, script = project.follower._following, project.now.script
    assert following is not None
    assert script is not None
    assert {(k.target, k.frame) for k in script.keyframes} <= set(following.subjects._subjects)
    assert len(following._pictures._running) <= 2
    project.focus(1, 0.5, 0.5, is_locked=True)
    ready(session)
    assert project.follower._following is following
