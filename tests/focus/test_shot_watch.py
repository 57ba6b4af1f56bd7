"""Cuts, while a clip is read."""

import numpy as np

from any2bokeh.focus.shot_watch import ShotWatch
from tests.focus.tracking.scenes import Scene, across


def cuts(scene: Scene) -> list[int]:
    watch = ShotWatch(scene.pixels(0))
    return [index for index in range(1, scene.frame_count) if watch.sees_cut(scene.pixels(index))]


def test_a_cut_is_seen_once():
    assert cuts(Scene(across, 20, cut_at=12)) == [12]


def test_a_moving_subject_is_no_cut():
    assert cuts(Scene(across, 30)) == []


def test_a_change_of_light_is_no_cut():
    scene = Scene(across, 2)
    watch = ShotWatch(scene.pixels(0))
    assert not watch.sees_cut((scene.pixels(1) * 0.8).astype(np.uint8))
