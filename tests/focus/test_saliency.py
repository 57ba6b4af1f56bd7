"""What draws the eye, and the subjects that are made of it."""

import cv2
import numpy as np
import pytest

from any2bokeh.focus.candidates import candidates, score
from any2bokeh.focus.saliency import LONG_SIDE_PX, saliency
from any2bokeh.subject.tracker import View
from tests.subject.scenes import HEIGHT, WIDTH, Scene, overlap


def ratio(scene: Scene, *, with_disparity: bool, with_motion: bool) -> float:
    """Mean saliency of the ball over that of the rest."""
    before, view = (View(scene.pixels(index), scene.disparity(index) if with_disparity else None) for index in (0, 1))
    salient = cv2.resize(saliency(view, before if with_motion else None), (WIDTH, HEIGHT))
    mask = scene.mask(1)
    return float(salient[mask].mean() / salient[~mask].mean())


@pytest.mark.parametrize("with_disparity", [True, False])
@pytest.mark.parametrize("with_motion", [True, False])
def test_a_ball_before_a_wall_draws_the_eye(with_disparity: bool, with_motion: bool):
    scene = Scene(lambda index: (90 + 4 * index, 60), 2)
    assert ratio(scene, with_disparity=with_disparity, with_motion=with_motion) > 1.5


def test_motion_and_nearness_add_to_it():
    still, moving = Scene(lambda index: (90, 60), 2), Scene(lambda index: (90 + 4 * index, 60), 2)
    of_still = ratio(still, with_disparity=False, with_motion=True)
    assert ratio(moving, with_disparity=False, with_motion=True) > of_still
    assert ratio(still, with_disparity=True, with_motion=True) > of_still


def test_the_motion_of_the_camera_is_taken_out():
    wide = Scene(lambda index: (90, 60), 1)
    pixels, disparity = wide.pixels(0), wide.disparity(0)
    panned = np.roll(pixels, 3, axis=1), np.roll(disparity, 3, axis=1)
    still = saliency(View(pixels, disparity), View(pixels, disparity))
    moved = saliency(View(*panned), View(pixels, disparity))
    inner = slice(8, -8)
    assert np.abs(moved[:, inner].mean() - still[:, inner].mean()) < 0.03


def test_a_map_has_the_size_and_the_range_that_are_promised():
    view = View(np.zeros((300, 500, 3), np.uint8), np.zeros((300, 500), np.float32))
    salient = saliency(view, view)
    assert salient.shape == (115, LONG_SIDE_PX)
    assert salient.dtype == np.float32
    assert 0 <= salient.min() <= salient.max() <= 1


def test_candidates_are_the_subjects_best_first():
    scene = Scene(lambda index: (110, 60), 1, second=lambda index: (40, 40))
    view = View(scene.pixels(0), scene.disparity(0))
    found = candidates(view, saliency(view, None))
    assert overlap(found[0].matte, scene.mask(0)) > 0.95
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
    assert sum(overlap(one.matte, scene.mask(0)) > 0.5 for one in found) == 1, "each subject once"


def test_a_scene_without_subjects_offers_none():
    flat = View(np.full((HEIGHT, WIDTH, 3), 128, np.uint8), np.full((HEIGHT, WIDTH), 0.5, np.float32))
    assert candidates(flat, saliency(flat, None)) == []
    assert score(np.zeros((HEIGHT, WIDTH), np.float32), saliency(flat, None)) == 0
