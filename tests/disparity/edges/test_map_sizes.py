"""Maps smaller than the picture: their steps become ramps, which are drawn sharp where the picture has them."""

import cv2
import numpy as np
import pytest

from any2bokeh.disparity import upsample
from any2bokeh.disparity.edges import ClassicalEdges, EdgeBands, bands_at_size
from any2bokeh.disparity.edges.bands import BandPixels
from any2bokeh.disparity.edges.enlarged import EnlargedMap
from any2bokeh.errors import InputError
from tests.disparity.edges.test_classical_edges import FAR, NEAR, Picture, blob, misplaced, textured, two_surfaces

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


@pytest.mark.parametrize("factor", FACTORS)
def test_right_small_maps_come_no_worse_than_they_are_enlarged_by_colour(factor: int):
    wrong = []
    for seed in (3, 8):
        is_near = blob(seed)
        picture = textured(seed, is_near)
        small = reduced(two_surfaces(is_near), factor)
        assert EnlargedMap.of(small, picture).trust > 0.5
        of_ramps = ClassicalEdges()(np.asarray(cv2.resize(small[0], is_near.shape[::-1]))[None], picture, enlarged=True)
        maps = bands_at_size(ClassicalEdges(), small, picture), EdgeBands.none(upsample(small, picture)), of_ramps
        wrong.append([misplaced(each.disparity[0], is_near) for each in maps])
        assert maps[0].is_mixed
    joined, by_colour, of_ramps = np.mean(wrong, axis=0)
    assert joined <= min(by_colour, of_ramps), wrong


def test_small_maps_that_colours_contradict_are_not_trusted():
    is_near = blob(3)
    picture = textured(3, is_near)
    small = reduced(np.roll(two_surfaces(is_near), 3, axis=1), 2)
    assert EnlargedMap.of(small, picture).trust == 0
    ramps = np.asarray(cv2.resize(small[0], is_near.shape[::-1]))[None]
    found, expected = bands_at_size(ClassicalEdges(), small, picture), ClassicalEdges()(ramps, picture, enlarged=True)
    np.testing.assert_array_equal(found.disparity, expected.disparity)
    np.testing.assert_array_equal(found.alpha, expected.alpha)


def test_an_enlarged_edge_moves_where_another_treatment_is_sure_of_the_same_surfaces():
    given = np.full((1, 1, 6), FAR, np.float32)
    given[..., 3:] = NEAR
    at = np.arange(6, dtype=np.int32)
    near, far = np.full(6, NEAR, np.float32), np.full(6, FAR, np.float32)
    sides = BandPixels(at, near, far, (at >= 3).astype(np.float32))
    # Unsure; sure; sure of another surface; sure, and so it is; sure; not in question.
    shares = np.array([0.7, 0.95, 0.95, 0.95, 0.05], np.float32)
    other_near = np.where(at == 2, 1, near).astype(np.float32)
    placed = BandPixels(at[:5], other_near[:5], far[:5], shares)
    found = EnlargedMap(given, sides, 1.0).joined(placed)
    np.testing.assert_array_equal(found.disparity[0, 0], np.where([0, 1, 0, 1, 0, 1], NEAR, FAR).astype(np.float32))
    np.testing.assert_array_equal(found.band.at, [0, 1, 3, 4])
    np.testing.assert_array_equal(found.band.near_share > 0.5, [False, True, True, False])
    np.testing.assert_array_equal(given[0, 0, :3], np.float32(FAR))
    # With less trust, less is asked for.
    assert EnlargedMap(given, sides, 0.1).joined(placed).disparity[0, 0, 0] == np.float32(NEAR)


def reduced(disparity: Picture, factor: int) -> Picture:
    """A map ``(1, h, w)`` of means."""
    small = cv2.resize(disparity, None, fx=1 / factor, fy=1 / factor, interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32)[None]


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
