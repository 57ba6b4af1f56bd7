"""Maps smaller than the picture: their steps become ramps, which are drawn sharp where the picture has them."""

import cv2
import numpy as np
import pytest

from any2bokeh.disparity import upsample
from any2bokeh.disparity.edges import ClassicalEdges, bands_at_size
from any2bokeh.errors import InputError
from tests.disparity.edges.test_classical_edges import FAR, NEAR, blob, misplaced, textured, two_surfaces

FACTORS = [2, 4]


@pytest.mark.parametrize("factor", FACTORS)
@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("seed", [3, 8])
def test_edges_of_small_maps_come_to_the_picture(factor: int, bits: int, seed: int):
    is_near = blob(seed)
    small = cv2.resize(two_surfaces(is_near), None, fx=1 / factor, fy=1 / factor, interpolation=cv2.INTER_AREA)
    codes = 2**bits - 1
    small = (np.round(small * codes) / codes).astype(np.float32)[None]
    picture = textured(seed, is_near)
    found = bands_at_size(ClassicalEdges(), small, picture).disparity
    assert found.shape == (1, *is_near.shape)
    interpolated = cv2.resize(small[0], is_near.shape[::-1], interpolation=cv2.INTER_LINEAR)
    assert misplaced(np.asarray(interpolated, np.float32), is_near) > 0.1
    assert misplaced(found[0], is_near) < 0.015  # worst seen: 0.0052 (seed 3, 4 times smaller)


def test_maps_without_steps_are_upsampled():
    slope = np.tile(np.linspace(0.2, 0.5, 32, dtype=np.float32), (24, 1))[None]
    picture = textured(1, blob(1))
    np.testing.assert_array_equal(bands_at_size(ClassicalEdges(), slope, picture).disparity, upsample(slope, picture))


def test_maps_of_the_pictures_size_are_treated_as_they_are():
    is_near = blob(3)
    exact = two_surfaces(is_near)[None]
    assert bands_at_size(ClassicalEdges(), exact, textured(3, is_near)).disparity is exact


def test_larger_maps_are_sampled_first():
    is_near = blob(3)
    large = np.repeat(np.repeat(two_surfaces(is_near), 2, axis=0), 2, axis=1)[None]
    found = bands_at_size(ClassicalEdges(), large, textured(3, is_near)).disparity
    np.testing.assert_array_equal(found[0], two_surfaces(is_near))


def test_another_aspect_is_refused():
    with pytest.raises(InputError, match="aspect"):
        bands_at_size(ClassicalEdges(), np.zeros((1, 48, 30), np.float32), textured(1, blob(1)))


def test_rims_of_overshoot_are_taken_off():
    is_near = blob(3)
    small = cv2.resize(two_surfaces(is_near), None, fx=1 / 3, fy=1 / 3, interpolation=cv2.INTER_AREA)
    ringing = np.asarray(cv2.resize(small, is_near.shape[::-1], interpolation=cv2.INTER_CUBIC), np.float32)
    assert ringing.max() > NEAR + 0.03
    assert ringing.min() < FAR - 0.03
    found = ClassicalEdges()(ringing[None], textured(3, is_near)).disparity[0]
    off = np.minimum(np.abs(found - NEAR), np.abs(found - FAR))
    assert (off > 0.02).mean() < 0.25 * (np.minimum(np.abs(ringing - NEAR), np.abs(ringing - FAR)) > 0.02).mean()
