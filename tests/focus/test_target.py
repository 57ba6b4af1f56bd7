"""What a target refuses."""

import math
from fractions import Fraction

import pytest

from any2bokeh.errors import InputError
from any2bokeh.focus import BoxTarget, DisparityTarget, MaskTarget, PointTarget


@pytest.mark.parametrize("value", [-0.001, 1.001, math.nan, math.inf, -math.inf, "0.5", None, True, 10**400])
def test_a_number_outside_the_unit_range_is_refused(value: object) -> None:
    for make in (DisparityTarget, lambda v: PointTarget(v, 0.5), lambda v: PointTarget(0.5, v)):
        with pytest.raises(InputError, match=r"is .*; allowed is a number from 0 to 1"):
            make(value)  # type: ignore[arg-type]


def test_the_ends_of_the_range_are_allowed() -> None:
    assert DisparityTarget(0).focus_disparity == 0
    assert PointTarget(1, 1.0).x == 1
    BoxTarget(0, 0, 1, 1)


def test_a_box_that_is_turned_over_is_refused() -> None:
    with pytest.raises(InputError, match=r"box x0 is 0\.6 and x1 is 0\.2"):
        BoxTarget(0.6, 0.1, 0.2, 0.5)
    with pytest.raises(InputError, match=r"box y0 is 0\.5 and y1 is 0\.5"):
        BoxTarget(0.1, 0.5, 0.2, 0.5)


@pytest.mark.parametrize("path", ["", 3, None, "a\0b"])
def test_a_mask_needs_a_path(path: object) -> None:
    with pytest.raises(InputError, match="give the path"):
        MaskTarget(path)  # type: ignore[arg-type]


def test_a_long_value_is_cut_short_in_the_message() -> None:
    with pytest.raises(InputError) as refused:
        DisparityTarget("x" * 10_000)  # type: ignore[arg-type]
    assert len(str(refused.value)) < 200


def test_fractions_are_not_json_numbers() -> None:
    with pytest.raises(InputError):
        DisparityTarget(Fraction(1, 2))  # type: ignore[arg-type]
