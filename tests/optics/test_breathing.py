import numpy as np
import pytest

from any2bokeh.errors import InputError
from any2bokeh.optics.breathing import Breathing, zoomed


def test_zoom_is_that_of_a_thin_lens():
    focal_m, nearest_m = 0.085, 1.2
    distances_m = np.array([1.2, 2.0, 5.0, 1e9])
    zoom = Breathing(focal_m / nearest_m).zoom(nearest_m / distances_m)
    image_distance = focal_m * distances_m / (distances_m - focal_m)
    np.testing.assert_allclose(zoom, image_distance / image_distance.min(), rtol=1e-9)


@pytest.mark.parametrize("strength", [-0.3, -0.05, 0.0, 0.05, 0.3])
def test_no_frame_is_smaller_than_the_frame(strength):
    zoom = Breathing(strength).zoom(np.linspace(0, 1, 9))
    assert zoom.min() == 1
    assert np.all(np.sign(np.diff(zoom)) == np.sign(strength))


def test_a_picture_is_enlarged_about_its_middle():
    y, x = np.mgrid[-40:41, -60:61].astype(np.float32)
    picture = np.stack([x, y, np.exp(-(x**2 + y**2) / 200)])
    large = zoomed(picture, 1.25, smooth=True)
    inner = (slice(8, -8), slice(8, -8))
    np.testing.assert_allclose(large[0][inner], x[inner] / 1.25, atol=0.02)  # cv2 counts in 1/32 px
    np.testing.assert_allclose(large[1][inner], y[inner] / 1.25, atol=0.02)
    np.testing.assert_allclose(large[2][inner], np.exp(-(x**2 + y**2) / 1.25**2 / 200)[inner], atol=2e-3)


def test_steps_of_disparity_stay_steps():
    disparity = np.zeros((1, 48, 64), np.float32)
    disparity[:, :, 40:] = 0.8
    assert set(np.unique(zoomed(disparity, 1.1, smooth=False))) == {0.0, np.float32(0.8)}


def test_without_zoom_the_very_picture_comes_back():
    picture = np.zeros((3, 4, 4), np.float32)
    assert zoomed(picture, 1.0, smooth=True) is picture


@pytest.mark.parametrize("strength", [0.6, -0.6, float("nan")])
def test_breathing_outside_its_range_is_refused(strength):
    with pytest.raises(InputError, match="breathing is"):
        Breathing(strength)
