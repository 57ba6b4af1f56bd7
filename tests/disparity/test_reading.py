"""Levels of given disparity."""

from pathlib import Path

import numpy as np
import pytest

from any2bokeh.disparity import DisparityReading, Levels, open_disparity
from any2bokeh.errors import InputError

D = np.linspace(0, 1, 24, dtype=np.float32).reshape(1, 4, 6)


def test_levels_are_a_clipped_line_to_the_power_of_gamma(tmp_path: Path) -> None:
    np.save(tmp_path / "d.npy", D)
    reading = DisparityReading(levels=Levels(0.25, 0.75, 2.0))
    [got] = open_disparity(tmp_path / "d.npy", clip_frame_count=1, reading=reading).frames()
    # float32 arithmetic; worst seen 6e-8
    np.testing.assert_allclose(got, np.clip((D - 0.25) / 0.5, 0, 1) ** 2, atol=3e-7)


def test_polarity_comes_before_levels(tmp_path: Path) -> None:
    np.save(tmp_path / "d.npy", D)
    reading = DisparityReading(polarity="near-black", levels=Levels(high=0.5))
    [got] = open_disparity(tmp_path / "d.npy", clip_frame_count=1, reading=reading).frames()
    np.testing.assert_allclose(got, np.clip((1 - D) / 0.5, 0, 1), atol=3e-7)


def test_levels_that_change_nothing_give_the_same_numbers(tmp_path: Path) -> None:
    np.save(tmp_path / "d.npy", D)
    [got] = open_disparity(tmp_path / "d.npy", clip_frame_count=1, reading=DisparityReading(levels=Levels())).frames()
    np.testing.assert_array_equal(got, D)


def test_metres_survive_a_change_of_the_near_end_and_no_other(tmp_path: Path) -> None:
    np.save(tmp_path / "z.npy", np.full((1, 4, 6), 2.0, np.float32))

    def metres(levels: Levels) -> float | None:
        reading = DisparityReading(kind="depth", levels=levels)
        return open_disparity(tmp_path / "z.npy", clip_frame_count=1, reading=reading).inverse_metres_per_unit

    assert metres(Levels()) == 0.5
    assert metres(Levels(high=0.5)) == 0.25  # 1 stands for 4 m then
    assert metres(Levels(low=0.1)) is None
    assert metres(Levels(gamma=0.5)) is None


@pytest.mark.parametrize("ends", [(0.5, 0.5), (0.8, 0.2), (-0.1, 1), (0, 1.1), (np.nan, 1), (0, np.nan)])
def test_ends_outside_their_range_are_refused(ends: tuple[float, float]) -> None:
    with pytest.raises(InputError, match="0 <= LOW < HIGH <= 1"):
        Levels(*ends)


@pytest.mark.parametrize("gamma", [0, -1, 11, np.inf, np.nan])
def test_gamma_outside_its_range_is_refused(gamma: float) -> None:
    with pytest.raises(InputError, match="gamma of the disparity levels"):
        Levels(gamma=gamma)
