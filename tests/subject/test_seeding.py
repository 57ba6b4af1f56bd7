"""From a point or a box to the subject."""

import numpy as np
import pytest

from any2bokeh.errors import InputError
from any2bokeh.focus.target import BoxTarget, PointTarget
from any2bokeh.subject import MaskSeed, View
from any2bokeh.subject.seeding import seed_matte
from tests.subject.scenes import HEIGHT, WIDTH, Scene, overlap

SCENE = Scene(lambda index: (80, 60), 1)


def view(*, range_of_disparity: float = 1.0, with_disparity: bool = True) -> View:
    disparity = SCENE.disparity(0) * np.float32(range_of_disparity)
    return View(SCENE.pixels(0), disparity if with_disparity else None)


@pytest.mark.parametrize("offset", [(0, 0), (-12, 0), (8, 9)])
def test_any_point_of_a_subject_stands_for_all_of_it(offset: tuple[int, int]):
    seed = PointTarget((80 + offset[0]) / WIDTH, (60 + offset[1]) / HEIGHT)
    assert overlap(seed_matte(view(), seed), SCENE.mask(0)) > 0.97


@pytest.mark.parametrize("slack", [0, 6, 20])
def test_a_box_need_not_be_tight(slack: int):
    reach = 18 + slack
    seed = BoxTarget((80 - reach) / WIDTH, (60 - reach) / HEIGHT, (80 + reach) / WIDTH, (60 + reach) / HEIGHT)
    assert overlap(seed_matte(view(), seed), SCENE.mask(0)) > 0.95


@pytest.mark.parametrize("range_of_disparity", [1.0, 0.3])
def test_maps_that_use_little_of_the_scale_do_as_well(range_of_disparity: float):
    seed = PointTarget(80 / WIDTH, 60 / HEIGHT)
    assert overlap(seed_matte(view(range_of_disparity=range_of_disparity), seed), SCENE.mask(0)) > 0.95


def test_a_subject_is_parted_from_the_ground_that_it_stands_on():
    disparity = SCENE.disparity(0)
    rows = np.arange(HEIGHT)
    ground = np.where(rows > 70, 0.2 + (rows - 70) * 0.05, 0)[:, None]  # as near as the ball where the two touch
    mask = SCENE.mask(0)
    disparity = np.where(mask, disparity, np.maximum(disparity, np.minimum(ground, 1))).astype(np.float32)
    matte = seed_matte(View(SCENE.pixels(0), disparity), PointTarget(80 / WIDTH, 52 / HEIGHT))
    assert overlap(matte, mask) > 0.9


def test_a_painted_mask_is_taken_as_it_is_at_any_size():
    mask = np.kron(SCENE.mask(0), np.ones((2, 2))).astype(np.uint8) * 255
    assert overlap(seed_matte(view(), MaskSeed(mask)), SCENE.mask(0)) > 0.97


def test_an_empty_mask_is_refused():
    with pytest.raises(InputError, match="shows nothing"):
        MaskSeed(np.zeros((4, 4), np.uint8))
