"""What can be followed, and what cannot."""

import numpy as np
import pytest

from any2bokeh.subject.scenery import is_scenery
from tests.subject.scenes import HEIGHT, WIDTH, Scene

SCENE = Scene(lambda index: (80, 60), 1)


def rectangle(rows: slice, columns: slice) -> np.ndarray:
    matte = np.zeros((HEIGHT, WIDTH), np.float32)
    matte[rows, columns] = 1
    return matte


def test_a_subject_has_an_outline():
    assert not is_scenery(SCENE.mask(0).astype(np.float32), SCENE.disparity(0))


def test_a_subject_cut_by_one_border_is_still_one():
    scene = Scene(lambda index: (5, 60), 1)
    assert not is_scenery(scene.mask(0).astype(np.float32), scene.disparity(0))


@pytest.mark.parametrize(
    "matte",
    [
        rectangle(slice(10, 35), slice(110, 160)),  # a piece of the wall
        rectangle(slice(0, HEIGHT), slice(0, 110)),  # most of the picture
        rectangle(slice(90, HEIGHT), slice(0, WIDTH)),  # the floor, from border to border
    ],
    ids=["wall", "most", "floor"],
)
def test_walls_and_floors_have_none(matte: np.ndarray):
    assert is_scenery(matte, SCENE.disparity(0))
