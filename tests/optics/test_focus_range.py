import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from any2bokeh.errors import InputError
from any2bokeh.optics.focus_range import FocusRange

DISPARITY = np.linspace(0, 1, 501, dtype=np.float32)


def test_a_plain_range_returns_the_very_array():
    assert FocusRange().applied(DISPARITY, 0.5, 16) is DISPARITY


def test_all_of_the_slab_is_in_focus_and_blur_sets_in_without_a_kink():
    away = FocusRange(slab=0.1, shoulder=0.04).applied(DISPARITY, 0.5, 16) - 0.5
    distance = np.abs(DISPARITY - 0.5)
    assert (away[distance <= 0.0599] == 0).all()
    np.testing.assert_allclose(np.abs(away)[distance >= 0.141], distance[distance >= 0.141] - 0.1, atol=1e-6)
    slope = np.diff(away) / np.diff(DISPARITY)
    assert slope.max() <= 1.001
    assert np.abs(np.diff(slope)).max() < 0.03


def test_near_and_far_are_multiplied_apart():
    away = FocusRange(near=0.5, far=2).applied(DISPARITY, 0.4, 16) - 0.4
    np.testing.assert_allclose(away[DISPARITY > 0.4], 0.5 * (DISPARITY[DISPARITY > 0.4] - 0.4), atol=1e-6)
    np.testing.assert_allclose(away[DISPARITY < 0.4], 2 * (DISPARITY[DISPARITY < 0.4] - 0.4), atol=1e-6)


def test_the_largest_radius_is_approached_and_never_passed():
    radius = 40 * np.abs(FocusRange(max_radius_px=12).applied(DISPARITY, 0.2, 40) - np.float32(0.2))
    plain = 40 * np.abs(DISPARITY - np.float32(0.2))
    assert radius.max() <= 12
    assert radius.max() > 11
    np.testing.assert_allclose(radius[plain < 9], plain[plain < 9], atol=1e-4)


@given(
    slab=st.floats(0, 0.5), shoulder=st.floats(0, 0.3), near=st.floats(0, 4), far=st.floats(0, 4),
    focus=st.floats(0, 1), most=st.floats(0.5, 100), strength=st.floats(0.1, 100),
)  # fmt: skip
def test_what_is_in_front_stays_in_front(slab, shoulder, near, far, focus, most, strength):
    mapped = FocusRange(slab, shoulder, near, far, most).applied(DISPARITY, focus, strength)
    assert (np.diff(mapped) >= -1e-6).all()
    assert np.isfinite(mapped).all()


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"slab": -0.1}, "focus slab is -0.1"),
        ({"near": 17}, "near blur is 17"),
        ({"max_radius_px": 0}, "largest radius is 0"),
        ({"far": float("nan")}, "far blur is nan"),
    ],
)
def test_values_outside_their_range_are_named(arguments, named):
    with pytest.raises(InputError, match=named):
        FocusRange(**arguments)
