"""Wrong maps: right where they say so, wrong at edges where they do not, the same from the same seed."""

import cv2
import numpy as np
import pytest

from any2bokeh.synthesis import wrong_map
from any2bokeh.synthesis.layer_compositing import Layers
from any2bokeh.synthesis.wrong_map import TrueFrames, wrong_maps

SIZE = (64, 96)


@pytest.fixture(scope="module")
def truth() -> TrueFrames:
    """A disc of disparity 0.7 before a wall at 0.2, in two frames between which it moves by 2 px."""
    y, x = np.mgrid[: SIZE[0], : SIZE[1]].astype(np.float32)
    resolved = []
    for t in range(2):
        disc = np.clip(18.5 - np.hypot(x - 40 - 2 * t, y - 32), 0, 1).astype(np.float32)
        levels = np.stack([np.full(SIZE, level, np.float32) for level in (0.7, 0.2)])
        light = np.stack([np.full((*SIZE, 3), level, np.float32) for level in (0.6, 0.1)])
        resolved.append(Layers(np.stack([disc, np.ones_like(disc)]), light, levels).resolved())
    names = ("disparity", "alpha", "near", "far", "shares")
    return TrueFrames(
        *(np.stack([getattr(one, name) for one in resolved]) for name in names),
        luma=np.stack([one.clean.mean(axis=0) for one in resolved]),
    )


def test_every_way_gives_maps_of_all_frames_from_the_seed_alone(truth: TrueFrames):
    for way in wrong_map._WAYS:
        maps, enlarged = way.make(np.random.default_rng(4), truth)
        again, _ = way.make(np.random.default_rng(4), truth)
        assert maps.shape == truth.disparity.shape, way.make.__name__
        assert maps.dtype == np.float32, way.make.__name__
        assert isinstance(enlarged, bool)
        np.testing.assert_array_equal(maps, again)


def test_a_share_of_maps_is_exact_and_the_rest_is_wrong_at_edges(truth: TrueFrames):
    rng = np.random.default_rng(1)
    wrong = []
    for _ in range(120):
        maps = wrong_maps(rng, truth)
        right = truth.disparity
        if maps.tone is not None:
            right = np.stack([maps.tone.applied(one, t) for t, one in enumerate(right)])
        wrong.append(np.abs(maps.disparity - right))
    # Faint noise counts as right.
    exact = np.mean([error.max() < 0.02 for error in wrong])
    assert 0.08 < exact < 0.3
    in_band = truth.near != truth.far
    at_edges, elsewhere = (np.mean([error[where].mean() for error in wrong]) for where in (in_band, ~in_band))
    assert at_edges > 2 * elsewhere


def test_small_maps_are_told_where_they_were_interpolated_linearly(truth: TrueFrames):
    seen = set()
    for seed in range(12):
        maps, enlarged = wrong_map.small(np.random.default_rng(seed), truth)
        seen.add(enlarged)
        # The step of 0.5 is a ramp of two pixels at least. Worst seen: 0.19.
        if enlarged:
            assert np.abs(np.diff(maps, axis=2)).max() < 0.35
    assert seen == {True, False}


def test_regrown_maps_keep_to_the_levels_inside(truth: TrueFrames):
    for seed in range(6):
        maps, _ = wrong_map.regrown(np.random.default_rng(seed), truth)
        far_inside = cv2.erode((truth.disparity[0] > 0.5).astype(np.uint8), np.ones((15, 15), np.uint8)) > 0
        np.testing.assert_allclose(maps[0][far_inside], 0.7, atol=1e-6)


def test_averaged_maps_mix_by_coverage(truth: TrueFrames):
    maps, _ = wrong_map.mixed_as_light(np.random.default_rng(0), truth)
    np.testing.assert_allclose(maps, 0.2 + 0.5 * truth.shares[:, 0], atol=0.5 / 128)
