"""Few pixels asked by themselves get what they get among all others."""

import cv2
import numpy as np
import pytest

from any2bokeh.disparity.edges import colour, thin
from any2bokeh.disparity.edges.classical import Steps


def _scene(stride: int) -> tuple[Steps, np.ndarray]:
    """Discs of several disparities, and a noisy picture that shows them a little beside their places."""
    rng = np.random.default_rng(4)
    y, x = np.mgrid[:61, :94].astype(np.float32)
    disparity, pixels = np.full(y.shape, 0.1, np.float32), np.full((3, *y.shape), 0.3, np.float32)
    for at, (row, column) in enumerate(((20, 25), (34, 48), (28, 70))):
        value = np.float32(0.3 + 0.2 * at)
        disparity[(y - row) ** 2 + (x - column) ** 2 < 15**2] = value
        pixels[:, (y - row) ** 2 + (x - column + 1) ** 2 < 15**2] = value
    return Steps.of(disparity, stride), pixels + rng.normal(0, 0.05, pixels.shape).astype(np.float32)


@pytest.mark.parametrize("stride", [1, 2])
def test_a_list_of_pixels_has_the_odds_of_the_frame(stride: int):
    step, pixels = _scene(stride)
    wanted = np.zeros(step.side.shape, np.uint8)
    wanted.ravel()[step.band] = colour.COLOUR
    of_frame, clean = np.zeros_like(step.disparity), np.zeros((2, *step.side.shape), np.float32)
    surfaces = (step.disparity, pixels, step.distance, step.near, step.far)
    colour.find_odds(wanted, stride, *surfaces, np.float32(1), of_frame, clean)
    at = step.band[colour.by_cells(step.band, stride, step.side.shape[1])]
    odds = np.empty(at.size, np.float32)
    colour.find_odds_at(at, stride, *surfaces, odds)
    assert np.count_nonzero(odds) > 500
    # worst seen 2.4e-7, on the first of these: quotients are rounded otherwise where they are added to something
    np.testing.assert_allclose(odds, of_frame.ravel()[at], rtol=0, atol=3e-6)


def test_odds_are_those_of_the_formula():
    stride = 1
    step, pixels = _scene(stride)
    at = step.band[colour.by_cells(step.band, stride, step.side.shape[1])]
    odds = np.empty(at.size, np.float32)
    colour.find_odds_at(at, stride, step.disparity, pixels, step.distance, step.near, step.far, odds)
    alone = [n for n in range(at.size) if n == 0 or (_cell(at[n]) != _cell(at[n - 1]))]  # the first of each cell
    for n in alone[::7]:
        # worst seen 3.2e-7, of odds up to 3
        assert odds[n] == pytest.approx(_odds(step, pixels, *divmod(int(at[n]), 94)), abs=2e-5)


def _cell(at: int) -> tuple[int, int]:
    return at // 94 // 4, at % 94 // 4


def _odds(step: Steps, pixels: np.ndarray, y: int, x: int) -> float:
    """Log odds of a pixel that is the first of its cell, in double precision."""
    top, left = y // 4 * 4, x // 4 * 4
    near, far = float(step.near[y, x]), float(step.far[y, x])
    sums = np.zeros((2, 2))
    for j in range(max(top - 6, 0), min(top + 11, 61), 3):
        for i in range(max(left - 6, 0), min(left + 11, 94), 3):
            of = [abs(step.disparity[j, i] - surface) < 0.3 * (near - far) for surface in (near, far)]
            if not any(of):
                continue
            sure = min(step.distance[j, i] / 3.5, 1.0) ** 3
            weight = sure / (1 + ((j - y) ** 2 + (i - x) ** 2) / 16)
            difference = np.minimum(pixels[:, j, i], 1).astype(float) - np.minimum(pixels[:, y, x], 1)
            sums[0 if of[0] else 1] += weight / (1 + (difference**2).sum() / 0.08**2) ** 2, weight
    if sums[:, 1].min() < 0.05:
        return 0.0
    like_near, like_far = sums[:, 0] / sums[:, 1] + 0.03
    return float(np.log(like_near / like_far))


@pytest.mark.parametrize(("side_px", "reach_px"), [(5, 8), (7, 8), (17, 8), (17, 16), (1, 3)])
def test_extremes_in_reach_follow_from_smaller_squares(side_px: int, reach_px: int):
    plane = np.random.default_rng(5).random((23, 31), np.float32)
    low, high = thin._extremes(plane, side_px)
    square = np.ones((2 * reach_px + 1, 2 * reach_px + 1), np.uint8)
    farthest, nearest = cv2.erode(plane, square), cv2.dilate(plane, square)
    for y in range(23):
        for x in range(31):
            found = thin._extremes_at((low, high, side_px // 2), y, x, reach_px)
            assert found == (farthest[y, x], nearest[y, x])
