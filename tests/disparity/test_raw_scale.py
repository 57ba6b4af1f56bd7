"""From what a model says to disparity in [0, 1]."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from any2bokeh.disparity.estimators import MapMeaning
from any2bokeh.disparity.raw_scale import ClipRange, on_scale, raw_disparity

DISPARITY, DEPTH = MapMeaning("disparity"), MapMeaning("depth")
METRES = MapMeaning("depth", is_metric=True)


def as_map(*values: float) -> np.ndarray:
    return np.array([[values]], np.float32)


def test_depth_becomes_its_inverse_and_the_sky_0():
    made = raw_disparity(as_map(1, 2, 8, np.inf), DEPTH)
    np.testing.assert_allclose(made[0, 0], [1, 0.5, 0.125, 0])


def test_depth_that_cannot_be_is_missing():
    made = raw_disparity(as_map(4, 0, -1, np.nan, -np.inf), DEPTH)[0, 0]
    assert made[0] == 0.25
    assert np.isnan(made[1:]).all()


def test_depth_of_almost_nothing_does_not_explode():
    # a thousandth of the median is the nearest that is believed
    assert raw_disparity(as_map(2, 2, 2, 1e-30), DEPTH).max() == pytest.approx(500)


def test_disparity_stays_and_what_is_not_finite_is_missing():
    made = raw_disparity(as_map(-3, 0, 7, np.nan, np.inf), DISPARITY)[0, 0]
    np.testing.assert_array_equal(made[:3], [-3, 0, 7])
    assert np.isnan(made[3:]).all()


def test_relative_disparity_spans_the_clip():
    clip_range = ClipRange()
    for low in (10, 20):
        clip_range.add(np.linspace(low, low + 10, 1000, dtype=np.float32).reshape(1, 10, 100))
    ends = clip_range.ends(DISPARITY)
    assert ends == pytest.approx((10, 30), abs=0.05)


@pytest.mark.parametrize("meaning", [DEPTH, METRES, MapMeaning("disparity", is_metric=True)])
def test_what_is_infinitely_far_stays_0(meaning: MapMeaning):
    clip_range = ClipRange()
    clip_range.add(np.linspace(0.2, 0.5, 1000, dtype=np.float32).reshape(1, 10, 100))
    low, high = clip_range.ends(meaning)
    assert low == 0
    assert high == pytest.approx(0.5, abs=1e-3)


def test_single_wild_pixels_do_not_stretch_the_scale():
    values = np.full((1, 100, 100), 2, np.float32)
    values[0, :50] = 1
    values[0, 0, 0], values[0, 99, 99] = -1e6, 1e6
    clip_range = ClipRange()
    clip_range.add(values)
    ends = clip_range.ends(DISPARITY)
    assert ends == (1, 2)
    assert (on_scale(values, ends).min(), on_scale(values, ends).max()) == (0, 1)


def test_a_clip_without_relief_is_finite():
    clip_range = ClipRange()
    clip_range.add(np.full((1, 4, 4), 3, np.float32))
    made = on_scale(np.full((1, 4, 4), 3, np.float32), clip_range.ends(DISPARITY))
    assert np.isfinite(made).all()
    assert ClipRange().ends(DISPARITY) == (0, 1)


def test_memory_is_bounded_and_the_range_still_right():
    clip_range = ClipRange()
    for index in range(3000):
        clip_range.add(np.linspace(0, 1 + index / 3000, 4096, dtype=np.float32).reshape(1, 64, 64))
    assert clip_range._count <= 2 << 20
    assert clip_range.ends(DISPARITY)[1] == pytest.approx(1.95, abs=0.05)


@given(st.lists(st.floats(-1e6, 1e6, width=32), min_size=2, max_size=50))
def test_the_scale_keeps_the_order(values: list[float]):
    clip_range = ClipRange()
    raw = np.array([[values]], np.float32)
    clip_range.add(raw)
    made = on_scale(raw, clip_range.ends(DISPARITY))[0, 0]
    assert ((made >= 0) & (made <= 1)).all()
    order = np.argsort(raw[0, 0], kind="stable")
    assert (np.diff(made[order]) >= 0).all()
