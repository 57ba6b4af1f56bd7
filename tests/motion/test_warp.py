"""What another frame holds along the motion."""

import numpy as np
from numpy.typing import NDArray

from any2bokeh.motion.warp import composed, resized, stays_inside, warp

HEIGHT, WIDTH = 6, 10


def shift(x_px: float, y_px: float = 0, *, height: int = HEIGHT, width: int = WIDTH) -> NDArray[np.float32]:
    return np.broadcast_to(np.array([x_px, y_px], np.float32), (height, width, 2)).copy()


def test_content_is_taken_back():
    values = np.random.default_rng(0).random((HEIGHT, WIDTH)).astype(np.float32)
    np.testing.assert_array_equal(warp(values, shift(3))[:, :-3], values[:, 3:])
    colours = np.stack([values, values], axis=-1)
    np.testing.assert_array_equal(warp(colours, shift(0, 2))[:-2], colours[2:])


def test_beyond_the_border_is_the_border_or_what_is_said():
    values = np.random.default_rng(0).random((HEIGHT, WIDTH)).astype(np.float32)
    np.testing.assert_array_equal(warp(values, shift(3))[:, -3:], np.repeat(values[:, -1:], 3, axis=1))
    assert (warp(values, shift(3), outside=-2)[:, -3:] == -2).all()
    assert (warp(values, shift(3), outside=0)[:, -3:] == 0).all()


def test_what_leaves_the_picture_is_known():
    assert stays_inside(shift(3)).sum() == HEIGHT * (WIDTH - 3)
    assert stays_inside(shift(0, -2)).sum() == (HEIGHT - 2) * WIDTH


def test_two_motions_are_one():
    np.testing.assert_allclose(composed(shift(2), shift(1, -1)), shift(3, -1))


def test_motion_keeps_its_share_of_the_picture_at_another_size():
    np.testing.assert_allclose(resized(shift(3, 2), (3, 5)), shift(1.5, 1, height=3, width=5))
    np.testing.assert_allclose(resized(shift(3, 2), (12, 10)), shift(3, 4, height=12))
