"""The steps from evidence to a matte."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from any2bokeh.subject.certainty import outline_certainty, seed_certainty
from any2bokeh.subject.matte import colour_guided_filter, hanging_together, without_holes

HEIGHT, WIDTH = 90, 160


def disc(x: float, y: float, radius: float) -> NDArray[np.bool_]:
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    return np.hypot(columns - x, rows - y) < radius


def picture(is_subject: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """A subject that differs from its ground in colour, and not in lightness."""
    noise = np.random.default_rng(0).integers(-3, 4, (HEIGHT, WIDTH, 3))
    return (np.where(is_subject[..., None], (150, 60, 60), (40, 98, 98)) + noise).astype(np.uint8)


def test_the_filter_solves_what_it_says():
    """Against the plain linear system of each window."""
    rng = np.random.default_rng(1)
    guide, values = rng.integers(0, 256, (24, 32, 3)).astype(np.uint8), rng.random((24, 32)).astype(np.float32)
    found = colour_guided_filter(values, guide, radius_px=3, edge=1e-3)

    def mean(array: NDArray[np.floating]) -> NDArray[np.floating]:
        return np.asarray(cv2.blur(array, (7, 7)), np.float64)

    colours = guide / 255
    centre, covariance = mean(colours), np.empty((24, 32, 3, 3))
    for i in range(3):
        for j in range(3):
            covariance[..., i, j] = mean(colours[..., i] * colours[..., j]) - centre[..., i] * centre[..., j]
    with_values = mean(colours * values[..., None]) - centre * mean(values.astype(np.float64))[..., None]
    slope = np.linalg.solve(covariance + 1e-3 * np.eye(3), with_values[..., None])[..., 0]
    offset = mean(values.astype(np.float64)) - (slope * centre).sum(axis=-1)
    expected = (mean(slope) * colours).sum(axis=-1) + mean(offset)
    np.testing.assert_allclose(found, expected, atol=1e-4)  # float32 against float64; worst seen 3e-6


def test_an_outline_is_found_between_colours_of_one_lightness():
    is_subject = disc(80, 45, 25)
    rough = np.asarray(cv2.GaussianBlur(disc(82, 46, 24).astype(np.float32), (0, 0), 3), np.float32)
    found = colour_guided_filter(rough, picture(is_subject), radius_px=6)
    assert ((found > 0.5) != is_subject).sum() < 0.3 * ((rough > 0.5) != is_subject).sum()


def test_somebody_else_of_the_same_colours_does_not_hang_together_with_the_subject():
    subject, head, other = disc(50, 55, 20), disc(50, 27, 6), disc(120, 60, 15)
    matte = (subject | head | other).astype(np.float32)
    kept = hanging_together(matte, subject.astype(np.float32), reach=0.03, share=0.004) > 0.5
    assert not (kept & other).any()
    assert (kept & (subject | head)).sum() > 0.97 * (subject | head).sum()  # a gap of 2 px parts no head
    # Also where the other one is larger.
    wide = subject | disc(120, 60, 28)
    kept = hanging_together(wide.astype(np.float32), subject.astype(np.float32), reach=0.03, share=0.004) > 0.5
    assert (kept == subject).mean() > 0.995


def test_eyes_are_filled_and_what_a_bent_arm_shows_is_not():
    body, eye, gap = disc(80, 45, 30), disc(70, 35, 3), disc(90, 50, 10)
    filled = without_holes((body & ~eye & ~gap).astype(np.float32), share=0.03) > 0.5
    assert filled[eye].all()
    assert not filled[gap].any()


def test_nothing_comes_of_nothing():
    empty = np.zeros((HEIGHT, WIDTH), np.float32)
    assert not hanging_together(empty, empty, reach=0.02, share=0.004).any()
    assert not without_holes(empty, share=0.03).any()
    assert without_holes(np.ones_like(empty), share=0.03).all()
    assert outline_certainty(picture(empty > 0), empty) == 0


def test_a_subject_is_told_from_a_patch_of_wall():
    is_subject = disc(80, 45, 20)
    pixels = picture(is_subject)
    assert outline_certainty(pixels, is_subject.astype(np.float32)) > 0.9
    assert outline_certainty(pixels, disc(30, 45, 15).astype(np.float32)) < 0.2
    assert outline_certainty(picture(disc(80, 45, 60)), disc(80, 45, 60).astype(np.float32)) == 0, "half the picture"


@pytest.mark.parametrize(("agreement", "expected"), [(0.2, 0), (0.65, 0.5), (1.0, 1)])
def test_guesses_that_agree_are_sure(agreement: float, expected: float):
    assert seed_certainty(agreement) == pytest.approx(expected)
