"""Regions of the multi-plane image."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from any2bokeh import mpi
from any2bokeh.errors import InputError


def test_thresholds_are_those_of_the_paper() -> None:
    expected = [(i / 4) ** (1 / 0.5**1.5) for i in (1, 2, 3)]
    np.testing.assert_allclose(mpi.region_thresholds(0.5, alpha=1.5), expected, rtol=1e-15)
    np.testing.assert_allclose(mpi.region_thresholds(1.0), [0.25, 0.5, 0.75], rtol=1e-15)


def test_default_alpha_is_the_papers() -> None:
    np.testing.assert_array_equal(mpi.region_thresholds(0.3), mpi.region_thresholds(0.3, alpha=1.0))


def test_focus_at_infinity_is_the_limit() -> None:
    disparity = np.array([[0.0, 1e-7, 0.3, 1.0]], np.float32)
    np.testing.assert_array_equal(mpi.region_index(disparity, 0.0), [[0, 3, 3, 3]])
    np.testing.assert_array_equal(mpi.region_index(disparity, 1e-200), [[0, 3, 3, 3]])


def test_region_counts_the_thresholds_passed() -> None:
    disparity = np.array([[0.9, 0.8, 0.75, 0.5, 0.2, 0.0]], np.float32)
    # Differences from 1: .1 .2 .25 .5 .8 1; thresholds .25 .5 .75, none passed by being equal.
    np.testing.assert_array_equal(mpi.region_index(disparity, 1.0), [[0, 0, 0, 1, 3, 3]])


def test_rounding_of_the_focus_does_not_tip_a_tie() -> None:
    disparity = np.array([[0.4375, 0.25]], np.float32)  # 1/16 and 1/4 from the focus, the first two thresholds
    for focus in (0.5, np.nextafter(0.5, 0), np.nextafter(0.5, 1)):
        np.testing.assert_array_equal(mpi.region_index(disparity, float(focus)), [[0, 1]])


def test_one_region_is_all() -> None:
    assert mpi.region_index(np.linspace(0, 1, 9, dtype=np.float32)[None], 0.4, region_count=1).max() == 0


@given(st.floats(0, 1), st.floats(0.1, 4), st.integers(1, 8))
def test_thresholds_rise_within_the_unit_interval(focus: float, alpha: float, count: int) -> None:
    thresholds = mpi.region_thresholds(focus, alpha=alpha, region_count=count)
    assert thresholds.shape == (count - 1,)
    assert np.all(np.diff(thresholds) >= 0)
    assert np.all((thresholds >= 0) & (thresholds < 1))


def test_disparity_difference_is_absolute_float32() -> None:
    difference = mpi.disparity_difference(np.array([[0.25, 0.75]], np.float32), 0.5)
    assert difference.dtype == np.float32
    np.testing.assert_array_equal(difference, [[0.25, 0.25]])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"focus_disparity": 1.2}, "focus disparity is 1.2"),
        ({"focus_disparity": float("nan")}, "focus disparity is nan"),
        ({"focus_disparity": 0.5, "alpha": 0.0}, "alpha of the MPI regions is 0"),
        ({"focus_disparity": 0.5, "alpha": float("inf")}, "alpha of the MPI regions is inf"),
        ({"focus_disparity": 0.5, "region_count": 0}, "number of MPI regions is 0"),
    ],
)
def test_arguments_out_of_range_are_named(arguments: dict[str, float], message: str) -> None:
    with pytest.raises(InputError, match=message):
        mpi.region_thresholds(**arguments)  # pyright: ignore[reportArgumentType]
