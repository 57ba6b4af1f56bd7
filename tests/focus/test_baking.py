"""A found focus as keyframes."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from any2bokeh.focus import FocusScript, resolve
from any2bokeh.focus.baking import TOLERANCE, baked


class NoDisparity:
    def __init__(self, frame_count: int) -> None:
        self.frame_count = frame_count

    def frames(self, start: int = 0, stop: int | None = None):
        raise AssertionError("baked keyframes need no disparity")

    def at(self, index: int):
        raise AssertionError("baked keyframes need no disparity")


def played_back(script: FocusScript, frame_count: int, start: int = 0) -> NDArray[np.float64]:
    return resolve(
        script, disparity=NoDisparity(frame_count), frame_count=frame_count, fps=24, start=start, blur_strength=1
    ).focus_disparity


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40), st.integers(0, 30))
def test_the_focus_comes_back(values: list[float], start: int):
    focus = np.array(values)
    script = baked(focus, start=start, fps=24)
    found = played_back(script, start + len(focus), start)
    assert np.abs(found - focus).max() <= TOLERANCE + 1e-4  # keyframes have four decimals


def test_straight_lines_need_few_keyframes():
    focus = np.concatenate([np.full(50, 0.3), np.linspace(0.3, 0.7, 20), np.full(50, 0.7)])
    assert len(baked(focus).keyframes) == 4


def test_no_line_crosses_a_cut():
    focus = np.concatenate([np.linspace(0.2, 0.4, 30), np.linspace(0.8, 0.7, 30)])
    script = baked(focus, start=10, cuts=[40])
    assert [keyframe.frame for keyframe in script.keyframes if keyframe.cut] == [40]
    np.testing.assert_allclose(played_back(script, 70, 10), focus, atol=TOLERANCE)
