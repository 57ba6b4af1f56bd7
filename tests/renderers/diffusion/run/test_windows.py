"""Window plans, and blending in one pass."""

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from any2bokeh.errors import InputError
from any2bokeh.renderers.diffusion.run.blending import blended_groups
from any2bokeh.renderers.diffusion.run.windows import Fade, WindowPlan, plan_windows

plans = st.integers(1, 9).flatmap(
    lambda window: st.builds(
        WindowPlan, st.just(window), st.integers(0, window - 1), st.sampled_from(["cosine", "linear"])
    )
)


@pytest.mark.parametrize("frame_count", range(1, 9))
def test_a_clip_within_one_window_is_one_window(frame_count: int) -> None:
    (window,) = plan_windows(frame_count, WindowPlan())
    assert window.frames == range(frame_count)
    np.testing.assert_array_equal(window.weights, np.ones(frame_count))


@given(plans, st.integers(1, 60))
def test_every_frame_is_covered_and_no_window_adds_nothing(plan: WindowPlan, frame_count: int) -> None:
    windows = list(plan_windows(frame_count, plan))
    weight = np.zeros(frame_count)
    covered = np.zeros(frame_count, bool)
    for window in windows:
        frames = list(window.frames)
        assert not covered[frames].all()
        covered[frames] = True
        weight[frames] += window.weights
    assert covered.all()
    assert (weight > 0).all()
    if 2 * plan.overlap <= plan.window:
        np.testing.assert_allclose(weight, 1.0, atol=1e-12)


@pytest.mark.parametrize(
    ("fade", "expected"), [("cosine", [0, 0.1464466, 0.5, 0.8535534]), ("linear", [0, 0.25, 0.5, 0.75])]
)
def test_shapes_of_the_fade(fade: Fade, expected: list[float]) -> None:
    np.testing.assert_allclose(WindowPlan(8, 4, fade).fade_in(), expected, atol=1e-7)


@settings(deadline=None)
@given(plans, st.integers(1, 40))
def test_one_pass_equals_the_plan(plan: WindowPlan, frame_count: int) -> None:
    noise = torch.randn(200, frame_count, dtype=torch.float64)
    calls: list[list[int]] = []

    def predict(window: list[int]) -> torch.Tensor:
        calls.append(window)
        return noise[len(calls) - 1, window]

    groups = list(blended_groups(range(frame_count), plan, predict))
    result = [(frame, value) for group in groups for frame, value in group]

    windows = list(plan_windows(frame_count, plan))
    assert calls == [list(window.frames) for window in windows]
    weighted, weight = np.zeros(frame_count), np.zeros(frame_count)
    for number, window in enumerate(windows):
        frames = list(window.frames)
        weighted[frames] += window.weights * noise[number, frames].numpy()
        weight[frames] += window.weights
    assert [frame for frame, _ in result] == list(range(frame_count))
    np.testing.assert_allclose([float(value) for _, value in result if value is not None], weighted / weight)
    # Groups start at multiples of the stride.
    assert [group[0][0] for group in groups] == list(range(0, frame_count, plan.stride))


@given(plans, st.integers(1, 40))
def test_no_more_than_a_window_is_read_ahead(plan: WindowPlan, frame_count: int) -> None:
    read = 0

    def frames() -> Iterator[int]:
        nonlocal read
        for frame in range(frame_count):
            read += 1
            yield frame

    given_out = 0
    for group in blended_groups(frames(), plan, lambda window: torch.zeros(len(window))):
        assert read - given_out <= plan.window
        given_out += len(group)
    assert given_out == frame_count


def test_a_window_that_nobody_needs_gives_none() -> None:
    groups = list(blended_groups(range(20), WindowPlan(), lambda window: torch.ones(8) if window[0] == 0 else None))
    values = [value for group in groups for _, value in group]
    assert all(value is not None for value in values[:8])
    assert all(value is None for value in values[8:])


def test_an_empty_clip_gives_nothing() -> None:
    assert list(blended_groups([], WindowPlan(), lambda window: None)) == []


@pytest.mark.parametrize(
    ("window", "overlap", "fade", "message"),
    [
        (0, 0, "cosine", "window is 0 frames"),
        (8, 8, "cosine", "overlap is 8 frames with a window of 8"),
        (8, 9, "cosine", "overlap is 9 frames with a window of 8"),
        (8, -1, "cosine", "overlap is -1 frames"),
        (8, 4, "sudden", "fade is 'sudden'; allowed is cosine or linear"),
    ],
)
def test_bad_plans_are_named(window: int, overlap: int, fade: Fade, message: str) -> None:
    with pytest.raises(InputError, match=message):
        WindowPlan(window, overlap, fade)
