"""Torn rims: found where noise lies between two surfaces alone, and given to the one whose colours they have."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from any2bokeh.disparity.edges.classical import FirstLook
from any2bokeh.disparity.edges.learned import EdgeModel, LearnedEdges
from any2bokeh.disparity.edges.learned.network import Shape
from any2bokeh.disparity.edges.learned.torn import TornRims, mended
from any2bokeh.synthesis.perturb import perlin_noise
from tests.disparity.edges.test_classical_edges import (
    FAR,
    NEAR,
    Picture,
    blob,
    blurred,
    grown,
    misplaced,
    textured,
    two_surfaces,
)

UNTRAINED = LearnedEdges(EdgeModel.untrained(Shape(channels=8, dilations=(1,), head=8)))


def torn(is_near: NDArray[np.bool_], kept_px: int, lost_px: int) -> tuple[Picture, NDArray[np.bool_]]:
    """A map ``(H, W)`` whose near surface ends so far outside (inside, if negative) of its outline on the left, and is
    torn from there on to so far outside; and where it is.
    """
    sure, rim = (grown(is_near.astype(np.float32), px) > 0 for px in (kept_px, lost_px))
    noise = perlin_noise(is_near.shape, 6, np.random.default_rng(5))
    is_left = np.arange(is_near.shape[1]) < is_near.shape[1] // 2
    where = rim & ~sure & is_left
    surfaces = two_surfaces(np.where(is_left, sure, is_near))
    return np.where(where, FAR + (NEAR - FAR) * (0.1 + 0.6 * noise), surfaces).astype(np.float32), where


def look_at(given: Picture, pixels: Picture) -> FirstLook:
    look = FirstLook.of(given[None], pixels, enlarged=False)
    assert look is not None
    return look


@pytest.mark.parametrize("stride", [1, 2])
def test_rims_are_found_between_their_two_surfaces(stride: int):
    given, where = torn(blob(3), -6, 0)
    given = given.repeat(stride, axis=0).repeat(stride, axis=1)
    where = where.repeat(stride, axis=0).repeat(stride, axis=1)
    rims = TornRims.of(given, stride)
    found = np.zeros(given.shape, bool)
    found.reshape(-1)[rims.at] = True
    assert np.count_nonzero(found & where) > 0.8 * np.count_nonzero(where)
    assert np.count_nonzero(found & ~where) == 0
    # Here and there noise lies on a plane; worst seen 0.005.
    assert (rims.near != np.float32(NEAR)).mean() < 0.01
    assert (rims.far != np.float32(FAR)).mean() < 0.01


def hair(height: int = 96, width: int = 128) -> Picture:
    """Strands of one pixel and two, of a disparity between two surfaces that both lie close."""
    given = np.full((height, width), FAR, np.float32)
    given[:40] = NEAR
    for x in range(10, width - 20, 12):
        for y in range(40, 80):
            given[y, x + y // 7 : x + y // 7 + 1 + x % 2] = 0.45
    return given


def slanted(height: int = 96, width: int = 128) -> Picture:
    """A near thing that turns away steeply, before a background."""
    across = np.linspace(0.95, 0.4, 50)
    given = np.full((height, width), 0.1, np.float32)
    given[20:80, 40:90] = across
    return given


RIGHT = {
    "one thing": two_surfaces(blob(3)),
    "grown": grown(two_surfaces(blob(3)), 2),
    "hair": hair(),
    "slanted": slanted(),
    "slanted, 8 bits": np.rint(slanted() * 255).astype(np.float32) / np.float32(255),
}


@pytest.mark.parametrize("kind", RIGHT)
def test_other_maps_have_hardly_any(kind: str):
    given = RIGHT[kind]
    look = look_at(given, textured(3, given > 0.3))
    # Worst seen 0.004 of the band, of hair.
    assert TornRims.of(given, 1).at.size < 0.01 * look.step.band.size
    assert mended(given[None], look) is None


def test_ramps_of_a_soft_map_are_none():
    is_near = blob(3)
    given = blurred(two_surfaces(is_near), 2)
    assert mended(given[None], look_at(given, textured(3, is_near))) is None


@pytest.mark.parametrize("seed", [3, 4])
@pytest.mark.parametrize("extent", [(-6, 0), (0, 6)], ids=["lost", "swollen"])
def test_colours_tell_which_surface_rims_are_of(seed: int, extent: tuple[int, int]):
    is_near = blob(seed)
    given, where = torn(is_near, *extent)
    before = given.copy()
    found = mended(given[None], look_at(given, textured(seed, is_near)))
    assert found is not None
    np.testing.assert_array_equal(given, before)
    truth = two_surfaces(is_near)
    wrong = np.abs(found.disparity[0] - truth) > 0.05
    assert np.count_nonzero(wrong[where]) < 0.2 * np.count_nonzero(where)
    np.testing.assert_array_equal(found.disparity[0][~where], given[~where])
    assert misplaced(found.disparity[0], is_near) < 0.25 * misplaced(given, is_near)


def test_rims_stay_where_colours_do_not_tell():
    is_near = blob(3)
    given, _ = torn(is_near, -6, 0)
    same = textured(3, np.zeros_like(is_near))  # both surfaces have the same colours
    assert mended(given[None], look_at(given, same)) is None


def test_the_treatment_mends_them_before_all_else():
    is_near = blob(3)
    given, _ = torn(is_near, -6, 0)
    pixels = textured(3, is_near)
    bands = UNTRAINED(given[None], pixels)
    without = mended(given[None], look_at(given, pixels))
    assert without is not None
    assert misplaced(bands.disparity[0], is_near) < 0.25 * misplaced(given, is_near)
    np.testing.assert_array_equal(bands.disparity, UNTRAINED(without.disparity, pixels).disparity)
    np.testing.assert_array_equal(bands.disparity, UNTRAINED.placed(given[None], pixels).disparity)


def test_a_map_that_is_hardly_doubted_keeps_them():
    is_near = blob(3)
    given, _ = torn(is_near, -6, 0)
    model = EdgeModel.untrained(Shape(channels=8, dilations=(1,), head=8))
    unasked = LearnedEdges(replace(model, gates=replace(model.gates, doubt=10.0)))
    disparity = given[None]
    assert unasked(disparity, textured(3, is_near)).disparity is disparity
