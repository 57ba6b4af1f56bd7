"""Disparity brought to the size of the picture."""

import cv2
import numpy as np
import pytest

from any2bokeh.disparity import upsample
from any2bokeh.errors import InputError

HEIGHT, WIDTH, FACTOR = 288, 512, 4


def scene(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Disparity ``(H, W)`` and picture ``(3, H, W)``: textured blobs with wavy outlines, a pole, over a slope."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)

    def texture(size: int) -> np.ndarray:
        noise = rng.random((HEIGHT // size, WIDTH // size)).astype(np.float32)
        return 0.06 * (cv2.resize(noise, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC) - 0.5)

    disparity = 0.1 + 0.3 * y / HEIGHT
    picture = np.stack([0.35 + 0.1 * y / HEIGHT, 0.4 + 0 * y, 0.3 + 0.1 * x / WIDTH]) + texture(6)
    for blob in range(5):
        centre_x, centre_y = rng.uniform(0.1, 0.9) * WIDTH, rng.uniform(0.2, 0.8) * HEIGHT
        radius, angle = rng.uniform(0.05, 0.15) * WIDTH, np.arctan2(y - centre_y, x - centre_x)
        inside = np.hypot(x - centre_x, y - centre_y) < radius * (1 + 0.25 * np.sin(5 * angle + blob))
        disparity = np.where(inside, 0.45 + 0.08 * blob, disparity)
        picture = np.where(inside, rng.random(3)[:, None, None] + texture(4), picture)
    pole = np.abs(x - 0.5 * WIDTH - 0.3 * (y - HEIGHT / 2)) < 2.5
    disparity = np.where(pole, 0.95, disparity)
    picture = np.where(pole, np.array([0.9, 0.85, 0.1])[:, None, None], picture)
    picture = np.stack([cv2.GaussianBlur(plane.astype(np.float32), (0, 0), 0.6) for plane in picture])
    picture += 0.02 * rng.standard_normal(picture.shape)
    return disparity.astype(np.float32), np.clip(picture, 0, 1).astype(np.float32)


def down(disparity: np.ndarray, interpolation: int) -> np.ndarray:
    return cv2.resize(disparity, (WIDTH // FACTOR, HEIGHT // FACTOR), interpolation=interpolation)


def near_edges(disparity: np.ndarray) -> np.ndarray:
    window = np.ones((3, 3), np.uint8)
    is_edge = cv2.dilate(disparity, window) - cv2.erode(disparity, window) > 0.03
    return cv2.dilate(is_edge.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("interpolation", "bound"),
    # error over that of bicubic; worst seen 0.14 and, of maps that are aliased, 0.34
    [(cv2.INTER_AREA, 0.2), (cv2.INTER_NEAREST, 0.45)],
)
def test_edges_are_closer_to_the_truth_than_bicubic(seed: int, interpolation: int, bound: float) -> None:
    disparity, picture = scene(seed)
    small = down(disparity, interpolation)
    bicubic = cv2.resize(small, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    edges = near_edges(disparity)
    ours_error = np.abs(upsample(small[None], picture)[0] - disparity)[edges].mean()
    bicubic_error = np.abs(bicubic - disparity)[edges].mean()
    assert ours_error <= bound * bicubic_error


@pytest.mark.parametrize("seed", range(3))
def test_few_pixels_float_between_two_surfaces(seed: int) -> None:
    disparity, picture = scene(seed)
    small = down(disparity, cv2.INTER_AREA)
    window = np.ones((9, 9), np.uint8)
    farthest, nearest = cv2.erode(disparity, window), cv2.dilate(disparity, window)
    edges = near_edges(disparity)

    def floating(candidate: np.ndarray) -> float:
        return float((np.minimum(np.abs(candidate - farthest), np.abs(candidate - nearest))[edges] > 0.05).mean())

    bilinear = cv2.resize(small, (WIDTH, HEIGHT), interpolation=cv2.INTER_LINEAR)
    # worst seen 0.066
    assert floating(upsample(small[None], picture)[0]) < 0.1 * floating(bilinear)


def test_a_slope_stays_a_slope_whatever_the_picture_shows() -> None:
    slope = np.tile(np.linspace(0.05, 0.95, 128, dtype=np.float32), (72, 1))
    picture = np.random.default_rng(0).random((3, 288, 512)).astype(np.float32)
    up = upsample(slope[None], picture)[0]
    # a step of the small map is 0.0071, a quarter of that is 0.00177
    assert np.abs(np.diff(up, axis=1)).max() < 0.0018
    np.testing.assert_array_equal(up, cv2.resize(slope, (512, 288)))


def test_the_same_size_comes_back_untouched() -> None:
    disparity, picture = scene(0)
    assert np.shares_memory(upsample(disparity[None], picture), disparity)


def test_a_constant_map_stays_constant() -> None:
    up = upsample(np.full((1, 18, 32), 0.37, np.float32), scene(1)[1])
    assert up.shape == (1, HEIGHT, WIDTH)
    np.testing.assert_array_equal(up, np.float32(0.37))


def test_values_stay_within_those_of_the_small_map() -> None:
    small = np.random.default_rng(2).random((1, 36, 64)).astype(np.float32)
    up = upsample(small, scene(2)[1])
    # rounding of a weighted mean; worst seen 0
    assert up.min() >= small.min() - 1e-6
    assert up.max() <= small.max() + 1e-6


def test_odd_sizes_are_covered() -> None:
    rng = np.random.default_rng(3)
    small = (rng.random((1, 37, 65)) > 0.5).astype(np.float32)
    up = upsample(small, rng.random((3, 149, 261)).astype(np.float32))
    assert up.shape == (1, 149, 261)
    assert set(np.unique(up.round(6))) <= {0.0, 1.0}


def test_light_above_one_is_no_defect() -> None:
    disparity, picture = scene(0)
    up = upsample(down(disparity, cv2.INTER_AREA)[None], picture * 40)
    assert np.isfinite(up).all()


def test_a_larger_map_is_sampled_without_mixing() -> None:
    disparity = (scene(0)[0] > 0.5).astype(np.float32)
    up = upsample(disparity[None], np.zeros((3, 96, 171), np.float32))
    assert up.shape == (1, 96, 171)
    assert set(np.unique(up)) == {0.0, 1.0}


def test_another_aspect_is_refused() -> None:
    with pytest.raises(InputError, match="disparity is 40x40 but the clip is 512x288"):
        upsample(np.zeros((1, 40, 40), np.float32), scene(0)[1])
