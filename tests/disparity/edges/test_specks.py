"""A few pixels that touch nothing of the surface they were given to."""

import cv2
import numpy as np
import pytest

from any2bokeh.disparity.edges import thin
from any2bokeh.disparity.edges.bands import BandPixels, EdgeBands
from any2bokeh.disparity.edges.specks import SPECK_PX, are_specks
from any2bokeh.plate.lattice import LEVELS, SPACING
from any2bokeh.plate.passage import carried
from any2bokeh.plate.silhouette import Silhouette, steadied
from any2bokeh.plate.view import View

NEAR, FAR = 0.6, 0.1


def halves() -> np.ndarray:
    """Near on the left."""
    disparity = np.full((48, 64), FAR, np.float32)
    disparity[:, :32] = NEAR
    return disparity


def of(changes: np.ndarray, disparity: np.ndarray) -> np.ndarray:
    """Which of the pixels that change to the other surface are specks, as a mask."""
    at = np.flatnonzero(changes).astype(np.int32)
    near, far = np.full(at.size, NEAR, np.float32), np.full(at.size, FAR, np.float32)
    result = np.zeros(disparity.shape, bool)
    result.ravel()[at] = are_specks(disparity, at, (near, far), disparity.ravel()[at] < 0.3, SPECK_PX)
    return result


@pytest.mark.parametrize("column", [20, 50], ids=["far in near", "near in far"])
def test_dots_within_a_surface_are_specks(column: int):
    changes = np.zeros((48, 64), bool)
    changes[10, column] = changes[20, column] = changes[21, column + 1] = True
    np.testing.assert_array_equal(of(changes, halves()), changes)


def test_what_lies_beside_its_surface_is_none():
    changes = np.zeros((48, 64), bool)
    changes[10, 31] = changes[20, 32] = changes[21, 33] = True
    assert not of(changes, halves()).any()


def test_a_hair_is_none():
    changes = np.zeros((48, 64), bool)
    changes[10:20, 50] = True
    assert not of(changes, halves()).any()


@pytest.mark.parametrize("seed", range(8))
def test_parts_are_those_of_labels_of_the_whole_frame(seed: int):
    """Where the surface a pixel changes to is nowhere around, specks are the connected parts that are small enough."""
    rng = np.random.default_rng(seed)
    shape = tuple(rng.integers(1, 40, 2))
    changes = rng.random(shape) < rng.choice([0.05, 0.2, 0.4])
    to_near = rng.random(shape) < 0.5
    at = np.flatnonzero(changes).astype(np.int32)
    # Of nothing between the two, nothing is nearer than their middle where it changes to the nearer, nor farther.
    surfaces = np.where(to_near, NEAR, -NEAR).astype(np.float32).ravel()[at]
    found = are_specks(np.zeros(shape, np.float32), at, (surfaces, surfaces), to_near.ravel()[at], SPECK_PX)
    twin = np.zeros(shape, bool)
    for one_way in (changes & to_near, changes & ~to_near):
        _, labels, about, _ = cv2.connectedComponentsWithStats(one_way.astype(np.uint8), connectivity=8)
        twin |= one_way & (about[:, cv2.CC_STAT_AREA] <= SPECK_PX)[labels]
    np.testing.assert_array_equal(found, twin.ravel()[at])


def test_nothing_changes():
    assert not of(np.zeros((48, 64), bool), halves()).any()


def test_others_do_not_turn_dots_of_a_surface():
    """Frames around that show a hole of one pixel, and an edge that lies a pixel farther: the edge goes along alone."""
    own, other = halves(), halves()
    other[20, 26] = FAR
    other[:, 31] = FAR
    pixels = np.full((3, 48, 64), 0.5, np.float32)
    view = View.of(0, pixels, own[None])
    share = np.full(own.shape, 0.55, np.float32) * (own > 0.3)
    band = np.zeros(own.shape, bool)
    band[:, 24:40] = True
    near, far = np.full(own.shape, NEAR, np.float32), np.full(own.shape, FAR, np.float32)
    silhouette = Silhouette(other, np.full(other.shape, 127, np.int8))
    still = _still(view)
    bands = EdgeBands(own[None], band, near, far, share, 0 * share, np.zeros((3, 48, 64), np.float32), pixels * 0)
    found = steadied(own[None], BandPixels.of(bands), view, [(silhouette, view)] * 2, [still] * 2, (1.0, 1.0))[0]
    assert (found[2:-2, 31] == FAR).all()
    assert found[20, 26] == NEAR


def test_a_ripple_is_no_thin_thing():
    """Beside a much nearer surface, a dot that is a little nearer than what it lies in stays; a hair is lifted."""
    sharp = np.full((48, 64), 0.17, np.float32)
    sharp[:, :24] = 0.52
    sharp[:, 33:] = 0.1
    sharp[10, 28] = sharp[20, 27] = sharp[21, 28] = 0.22
    dots = sharp == np.float32(0.22)
    sharp[30:44, 28] = 0.3
    lifted = thin.lifted(sharp, 5, 1)
    np.testing.assert_array_equal(lifted[dots], sharp[dots])
    assert (lifted[30:44, 28] == np.float32(0.52)).all()


def _still(view: View) -> np.ndarray:
    """Where a frame's nodes are in another that shows the same."""
    rows, columns = ((side - 1) // SPACING + 2 for side in view.low.shape)
    return carried(None, np.zeros((rows, columns, LEVELS, 6), np.float32), ahead=True)
