"""What blur a picture lacks."""

import cv2
import numpy as np
import pytest

from any2bokeh.errors import InputError
from any2bokeh.optics.source_blur import SourceLens, without_source_blur
from tests.source_blur.scenes import disc

DISPARITY = np.linspace(0, 1, 101, dtype=np.float32)


def added(lens: SourceLens, focus: float, blur_strength: float) -> np.ndarray:
    """Signed radius that is added at each disparity, in reference pixels."""
    bent = without_source_blur(DISPARITY, lens.radius(DISPARITY), focus, blur_strength)
    return blur_strength * (bent - np.float32(focus))


@pytest.mark.parametrize("source_focus", [0.5, 0.2, 0.9])
def test_squared_radii_add_up_to_what_is_wanted(source_focus: float):
    lens = SourceLens(8, source_focus)
    wanted, there, more = 16 * (DISPARITY - 0.5), lens.radius(DISPARITY), added(lens, 0.5, 16)
    enough = there >= np.abs(wanted)
    # Worst seen 1e-6, from float32.
    np.testing.assert_allclose(np.hypot(more, there)[~enough], np.abs(wanted)[~enough], atol=2e-5)
    assert (more[enough] == 0).all()
    assert (np.sign(more[~enough]) == np.sign(wanted[~enough])).all()


@pytest.mark.parametrize("source_focus", [0.5, 0.2, 0.9, 1.4])
def test_a_weaker_source_keeps_what_is_in_front_of_what(source_focus: float):
    assert (np.diff(added(SourceLens(12, source_focus), 0.4, 16)) >= -1e-6).all()


def test_a_stronger_source_gets_nothing():
    assert (added(SourceLens(16, 0.5), 0.5, 8) == 0).all()


def test_a_sharp_source_gets_all():
    np.testing.assert_allclose(added(SourceLens(0, 0.5), 0.3, 16), 16 * (DISPARITY - 0.3), atol=1e-5)


def test_the_second_moment_of_two_discs_is_that_of_one():
    """The reason for squares: variances add."""

    def variance(kernel: np.ndarray) -> float:
        at = np.arange(len(kernel)) - len(kernel) // 2
        return float((kernel.sum(axis=0) * at**2).sum())

    both = cv2.filter2D(np.pad(disc(6.0), 12), -1, disc(8.0), borderType=cv2.BORDER_CONSTANT)
    # Worst seen 0.3 %, of the pixels.
    assert variance(both) == pytest.approx(variance(disc(10.0)), rel=0.01)


@pytest.mark.parametrize(("k", "d"), [(-1, 0.5), (float("nan"), 0.5), (float("inf"), 0.5), (8, 3.0), (8, float("nan"))])
def test_numbers_outside_their_range_are_refused(k: float, d: float):
    with pytest.raises(InputError, match="source"):
        SourceLens(k, d)
