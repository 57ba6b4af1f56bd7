"""How values move."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from any2bokeh.focus.easing import eased


@pytest.mark.parametrize("easing", ["hold", "linear", "smooth"])
@pytest.mark.parametrize(("progress", "expected"), [(-1, 0), (0, 0), (1, 1), (3, 1)])
def test_ends(easing: str, progress: float, expected: float) -> None:
    assert eased(easing, progress) == expected  # type: ignore[arg-type]


def test_middles() -> None:
    assert eased("hold", 0.999) == 0
    assert eased("linear", 0.25) == 0.25
    assert eased("smooth", 0.5) == 0.5
    assert eased("smooth", 0.25) == 0.15625  # 3/16 - 2/64


@given(st.floats(0, 1), st.floats(0, 1))
def test_smooth_never_turns_back(a: float, b: float) -> None:
    low, high = sorted((a, b))
    assert eased("smooth", low) <= eased("smooth", high)


def test_smooth_starts_and_ends_at_rest() -> None:
    step = 1e-4
    # speed of 3t^2 - 2t^3 a step from its ends is 6 steps
    assert eased("smooth", step) / step < 7 * step
    assert (1 - eased("smooth", 1 - step)) / step < 7 * step
