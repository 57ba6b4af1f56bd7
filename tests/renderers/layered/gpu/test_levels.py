"""Levels hold every bin once, and every radius within what shapes are kept for."""

import math

import numpy as np
import pytest

from any2bokeh.renderers.layered.bins import FOCUS_BIN, depth_bin
from any2bokeh.renderers.layered.gpu.levels import LIMITS, OF_ROUND, SHARED_LEAST_PX, runs_of

_PLACES = 2**13 - 1
"""Of samples around a tile, that a number in its list can tell apart; see ``tile.wgsl``."""


@pytest.mark.parametrize("limits", LIMITS.values(), ids=LIMITS)
@pytest.mark.parametrize("shift_px", [0.0, 3.0, -40.0])
@pytest.mark.parametrize(("nearest_px", "farthest_px"), [(0.2, -0.2), (5.0, -90.0), (300.0, 40.0), (-20.0, -21.0)])
def test_runs_hold_every_bin_once_and_every_radius(nearest_px, farthest_px, shift_px, limits):
    runs = runs_of(nearest_px, farthest_px, shift_px, limits)
    bins = [bin_ for run in runs for bin_ in range(run.near_bin, run.far_bin - 1, -1)]
    assert bins == list(range(bins[0], bins[-1] - 1, -1))
    for defocus in np.linspace(farthest_px, nearest_px, 501).astype(np.float32):
        [run] = [run for run in runs if run.far_bin <= depth_bin(defocus) <= run.near_bin]
        radius_px = abs(float(defocus) + shift_px) / 2**run.level
        assert radius_px <= limits.level_px * 1.001
        assert radius_px <= run.reach
        if run.cell_level == run.level:
            assert radius_px <= limits.alone_px * 1.001
        elif run.level == 0:
            assert radius_px > SHARED_LEAST_PX


@pytest.mark.parametrize("limits", LIMITS.values(), ids=LIMITS)
@pytest.mark.parametrize("shift_px", [0.0, 55.0, -290.0])
def test_a_tile_can_tell_its_samples_apart(shift_px, limits):
    for run in runs_of(400.0, -400.0, shift_px, limits):
        across = 2 ** (run.cell_level - run.level)
        assert ((16 + 2 * run.reach) / across + across - 1) ** 2 <= _PLACES
        assert 2 * run.reach + 2 < 256  # rows of a shape, in eight bits


def test_small_radii_stay_at_full_size():
    [run] = runs_of(11.0, -11.0, 0.0, OF_ROUND)
    assert run.level == 0
    assert run.near_bin > FOCUS_BIN > run.far_bin


def test_pixels_share_samples_of_large_radii_at_full_size():
    runs = runs_of(15.0, -15.0, 0.0, OF_ROUND)
    assert [(run.level, run.cell_level) for run in runs] == [(0, 1), (0, 0), (0, 1)]


def test_ends_of_a_frame_may_be_rounded_into_the_next_bin():
    edge = 8.5 * math.exp(0.3)  # between two bins
    below, above = np.float32(edge * (1 - 1e-6)), np.float32(edge * (1 + 1e-6))
    assert depth_bin(below) < depth_bin(above)
    assert runs_of(float(below), 0.0, 0.0, OF_ROUND)[0].near_bin >= depth_bin(above)
    assert runs_of(0.0, -float(below), 0.0, OF_ROUND)[-1].far_bin <= depth_bin(-above)
