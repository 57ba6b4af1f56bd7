"""Scale and shift between two maps."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from any2bokeh.disparity.stabilise.relation import fit_relation


def values(seed: int, count: int = 4000) -> np.ndarray:
    return np.random.default_rng(seed).random(count).astype(np.float32)


@settings(max_examples=30, deadline=None)
@given(scale=st.floats(0.1, 10), shift=st.floats(-2, 2))
def test_an_exact_line_is_found(scale: float, shift: float) -> None:
    here = values(0)
    relation = fit_relation(here, (scale * here + shift).astype(np.float32))
    assert relation is not None
    assert relation.scale == pytest.approx(scale, rel=1e-4)
    assert relation.shift == pytest.approx(shift, abs=1e-3)


def test_a_third_of_outliers_has_no_say() -> None:
    rng = np.random.default_rng(1)
    here = values(1)
    there = 1.3 * here - 0.1 + 0.01 * rng.standard_normal(here.size)
    there[: here.size // 3] = rng.random(here.size // 3) * 3
    relation = fit_relation(here, there.astype(np.float32))
    assert relation is not None
    assert relation.scale == pytest.approx(1.3, abs=0.01)  # seen 0.0005 off; least squares gives 0.7
    assert relation.shift == pytest.approx(-0.1, abs=0.01)


def test_noise_on_both_sides_does_not_shrink_the_scale() -> None:
    rng = np.random.default_rng(2)
    true = values(2, 20_000)
    here, there = (true + 0.1 * rng.standard_normal(true.size) for _ in range(2))
    relation = fit_relation(here.astype(np.float32), there.astype(np.float32))
    assert relation is not None
    assert relation.scale == pytest.approx(1, abs=0.02)  # least squares gives 0.89


def test_the_two_maps_may_change_places() -> None:
    rng = np.random.default_rng(3)
    here = values(3)
    there = (0.6 * here + 0.2 + 0.02 * rng.standard_normal(here.size)).astype(np.float32)
    one, other = fit_relation(here, there), fit_relation(there, here)
    assert one is not None
    assert other is not None
    assert one.scale * other.scale == pytest.approx(1, abs=1e-3)


def test_where_nothing_fixes_the_line_there_is_none() -> None:
    rng = np.random.default_rng(40)
    here = values(4)
    assert fit_relation(here[:20], here[:20]) is None
    assert fit_relation(here, np.full_like(here, 0.5)) is None
    assert fit_relation(here, rng.random(here.size).astype(np.float32)) is None
    assert fit_relation(here, -here) is None
    assert fit_relation(here, here, np.zeros_like(here)) is None


def test_missing_values_have_no_say() -> None:
    here = values(5)
    there = 2 * here
    there[::3] = np.nan
    here[1::5] = np.inf
    relation = fit_relation(here, there)
    assert relation is not None
    assert relation.scale == pytest.approx(2, rel=1e-5)
