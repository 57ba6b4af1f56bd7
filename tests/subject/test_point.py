"""The disparity at a point and in a box."""

import cv2
import numpy as np
import pytest

from any2bokeh.subject.point import disparity_at_point, disparity_in_box, weighted_median

HEIGHT, WIDTH = 108, 192


def two_planes(*, blur_px: float = 0, seed: int = 0, noise: float = 0.004) -> np.ndarray:
    """Near (0.8) on the left half, far (0.3) on the right, ``(1, H, W)``, 8-bit steps."""
    disparity = np.where(np.arange(WIDTH) < WIDTH // 2, 0.8, 0.3)[None].repeat(HEIGHT, 0)
    if blur_px:
        disparity = cv2.GaussianBlur(disparity, (0, 0), blur_px)
    disparity = disparity + noise * np.random.default_rng(seed).standard_normal(disparity.shape)
    return (np.rint(disparity * 255) / 255).astype(np.float32)[None]


@pytest.mark.parametrize("blur_px", [0, 1.5])
@pytest.mark.parametrize("offset_px", [-40, -8, -3.5, 3.5, 8, 40])
def test_the_side_of_the_point_answers_undiluted(blur_px: float, offset_px: float) -> None:
    x = (WIDTH / 2 + offset_px) / WIDTH
    expected = 0.8 if offset_px < 0 else 0.3
    found = disparity_at_point(two_planes(blur_px=blur_px), x, 0.5)
    # a step of 8 bits and the skirt of the blur; worst seen 0.006
    assert found == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize("offset_px", [-1.5, -0.5, 0.5, 1.5])
def test_in_the_blur_of_an_edge_one_surface_answers(offset_px: float) -> None:
    found = disparity_at_point(two_planes(blur_px=1.5), (WIDTH / 2 + offset_px) / WIDTH, 0.5)
    # worst seen 0.012
    assert min(abs(found - 0.8), abs(found - 0.3)) < 0.02


def test_a_pole_can_be_pointed_at() -> None:
    disparity = two_planes()
    disparity[:, :, 150:153] = 0.95
    assert disparity_at_point(disparity, 151.5 / WIDTH, 0.5) == pytest.approx(0.95, abs=0.005)


def test_a_hole_is_seen_through() -> None:
    disparity = np.full((1, HEIGHT, WIDTH), 0.9, np.float32)
    disparity[:, 50:54, 90:94] = 0.1
    assert disparity_at_point(disparity, 92 / WIDTH, 52 / HEIGHT) == pytest.approx(0.1, abs=0.005)


def test_a_stray_pixel_does_not_answer() -> None:
    disparity = two_planes()
    disparity[0, HEIGHT // 2, 40] = 0.0
    assert disparity_at_point(disparity, 40.5 / WIDTH, 0.5) == pytest.approx(0.8, abs=0.005)


def test_noise_is_averaged_out() -> None:
    rng = np.random.default_rng(1)
    disparity = (0.5 + 0.01 * rng.standard_normal((1, HEIGHT, WIDTH))).astype(np.float32)
    # worst seen 0.0037
    for x in np.linspace(0.1, 0.9, 9):
        assert disparity_at_point(disparity, x, 0.5) == pytest.approx(0.5, abs=0.006)


def test_a_slope_answers_with_the_point() -> None:
    slope = np.tile(np.linspace(0.1, 0.9, WIDTH, dtype=np.float32), (HEIGHT, 1))[None]
    for x in (0.2, 0.5, 0.7):
        # half a pixel of the slope is 0.002; worst seen 0.0029
        assert disparity_at_point(slope, x, 0.5) == pytest.approx(0.1 + 0.8 * x, abs=0.004)


@pytest.mark.parametrize(("x", "y"), [(0, 0), (1, 0), (0, 1), (1, 1)])
def test_corners(x: float, y: float) -> None:
    assert disparity_at_point(two_planes(noise=0), x, y) == pytest.approx(0.8 if x == 0 else 0.3, abs=0.005)


def test_tiny_maps_and_constant_maps() -> None:
    assert disparity_at_point(np.full((1, 1, 1), 0.25, np.float32), 1, 1) == 0.25
    assert disparity_at_point(np.zeros((1, 8, 8), np.float32), 0.5, 0.5) == 0
    assert disparity_at_point(np.ones((1, 8, 8), np.float32), 0.5, 0.5) == 1
    assert disparity_in_box(np.ones((1, 8, 8), np.float32), 0, 0, 1, 1) == 1


def test_a_box_answers_with_what_fills_its_middle() -> None:
    disparity = np.full((1, HEIGHT, WIDTH), 0.3, np.float32)
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    disparity[0][np.hypot(rows - 54, columns - 60) < 20] = 0.8
    # the disc fills 79% of the box about it, and less of a loose one
    assert disparity_in_box(disparity, 40 / WIDTH, 34 / HEIGHT, 80 / WIDTH, 74 / HEIGHT) == pytest.approx(0.8)
    assert disparity_in_box(disparity, 32 / WIDTH, 26 / HEIGHT, 88 / WIDTH, 82 / HEIGHT) == pytest.approx(0.8)
    assert disparity_in_box(disparity, 0.6, 0.1, 0.9, 0.9) == pytest.approx(0.3)


def test_a_box_smaller_than_a_pixel_is_that_pixel() -> None:
    disparity = np.arange(16, dtype=np.float32).reshape(1, 4, 4) / np.float32(16)
    assert disparity_in_box(disparity, 0.55, 0.3, 0.551, 0.301) == disparity[0, 1, 2]
    assert disparity_in_box(disparity, 0.999, 0.999, 1, 1) == disparity[0, 3, 3]


def test_weighted_median() -> None:
    assert weighted_median(np.array([3.0, 1.0, 2.0]), np.array([1.0, 1.0, 1.0])) == 2
    assert weighted_median(np.array([3.0, 1.0, 2.0]), np.array([5.0, 1.0, 1.0])) == 3
