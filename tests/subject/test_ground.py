"""The ground is told from what stands on it, by its disparity alone."""

import numpy as np
import pytest

from any2bokeh.subject import BoxSeed, PointSeed, View
from any2bokeh.subject.ground import ground
from any2bokeh.subject.scenery import is_scenery
from any2bokeh.subject.seeding import seed_matte

HEIGHT, WIDTH = 216, 288
HORIZON = 0.4


def standing(*, slant: float = 0.0, noise: float = 0.002) -> tuple[np.ndarray, np.ndarray]:
    """Disparity of a box that stands on a ground before a wall, and where the box is; the colours of both are alike."""
    y, x = np.mgrid[:HEIGHT, :WIDTH] / np.array([HEIGHT, WIDTH]).reshape(2, 1, 1)
    disparity = np.maximum(0.1, 0.1 + 1.3 * (y - HORIZON) + slant * (x - 0.5))
    is_box = (x > 0.4) & (x < 0.6) & (y > 0.3) & (y < 0.8)
    disparity[is_box] = 0.1 + 1.3 * (0.8 - HORIZON)
    disparity += np.random.default_rng(1).normal(0, noise, disparity.shape)
    return disparity.clip(0, 1).astype(np.float32), is_box


def grey(disparity: np.ndarray) -> View:
    noise = np.random.default_rng(2).integers(80, 120, (*disparity.shape, 1)).repeat(3, axis=2)
    return View(noise.astype(np.uint8), disparity)


@pytest.mark.parametrize("slant", [-0.15, 0.0, 0.15])
def test_the_ground_is_found_and_not_what_stands_on_it(slant: float):
    disparity, is_box = standing(slant=slant)
    found = ground(disparity)
    lower = np.arange(HEIGHT)[:, None] > 0.6 * HEIGHT
    assert found[lower & ~is_box].mean() > 0.9
    assert found[is_box].mean() < 0.1


@pytest.mark.parametrize("seed", [PointSeed(0.5, 0.5), BoxSeed(0.35, 0.25, 0.65, 0.83)])
def test_a_subject_is_taken_without_the_ground_that_it_stands_on(seed: PointSeed | BoxSeed):
    disparity, is_box = standing()
    matte = seed_matte(grey(disparity), seed) > 0.5
    # Worst seen 0.97; with the ground, which is as near at the box's foot, 0.55 from the point.
    assert (matte & is_box).sum() / (matte | is_box).sum() > 0.9


def test_the_ground_itself_can_be_pointed_at():
    disparity, is_box = standing()
    for y in (0.78, 0.9):  # at the foot of the box, where both are alike, and below
        matte = seed_matte(grey(disparity), PointSeed(0.15, y))
        beside = matte[round(y * HEIGHT) - 4 : round(y * HEIGHT) + 4, : int(0.3 * WIDTH)]
        assert (beside > 0.5).mean() > 0.8  # seen 0.86: noise leaves holes
        assert ((matte > 0.5) & is_box).sum() < 0.02 * is_box.sum()
        assert is_scenery(matte, disparity), "its disparity is held"
    assert not is_scenery(seed_matte(grey(disparity), PointSeed(0.5, 0.5)), disparity)


@pytest.mark.parametrize("kind", ["flat", "wall", "noise", "ceiling"])
def test_there_is_no_ground_where_nothing_looks_like_one(kind: str):
    y, x = np.mgrid[:HEIGHT, :WIDTH] / np.array([HEIGHT, WIDTH]).reshape(2, 1, 1)
    maps = {
        "flat": np.full((HEIGHT, WIDTH), 0.4),
        "wall": 0.2 + 0.6 * x,
        "noise": np.random.default_rng(0).uniform(0, 1, (HEIGHT, WIDTH)),
        "ceiling": 0.9 - 0.8 * y,
    }
    assert not ground(maps[kind].astype(np.float32)).any()
