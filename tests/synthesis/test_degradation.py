"""The five ways of making disparity wrong."""

import importlib.util
from pathlib import Path

import cv2
import numpy as np
import pytest

from any2bokeh.errors import InputError
from any2bokeh.synthesis.degradation import DEGRADATIONS, degraded

HEIGHT, WIDTH = 48, 66


def _map() -> np.ndarray:
    disparity = np.full((HEIGHT, WIDTH), 0.2, np.float32)
    disparity[10:30, 20:40] = 0.8
    return disparity


@pytest.mark.parametrize("way", DEGRADATIONS)
def test_a_way_gives_the_numbers_of_the_script_beside_the_data(way, shared_data: Path):
    spec = importlib.util.spec_from_file_location("spoil_disparity", shared_data / "spoil_disparity.py")
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    for frame in (0, 3):
        theirs = np.round(script.spoil(_map(), way, frame) * 65535) / 65535
        # Worst seen 0; a step of 8 bits where another build of OpenCV rounds the last bit of a small map differently.
        assert np.mean(np.abs(degraded(_map(), way, frame) - theirs) > 1e-6) < 0.01


def test_edges_grow_and_shrink_by_two_pixels():
    assert np.flatnonzero(degraded(_map(), "grown2", 0)[20] > 0.5)[[0, -1]].tolist() == [18, 41]
    assert np.flatnonzero(degraded(_map(), "shrunk2", 0)[20] > 0.5)[[0, -1]].tolist() == [22, 37]


@pytest.mark.parametrize(("way", "sigma"), [("soft1", 1.0), ("soft2", 2.0)])
def test_a_soft_step_is_the_integral_of_a_gaussian(way, sigma):
    from math import erf

    row = degraded(_map(), way, 0)[20, :30]
    expected = [0.2 + 0.3 * (1 + erf((x + 0.5 - 20) / (sigma * 2**0.5))) for x in range(30)]
    np.testing.assert_allclose(row, expected, atol=0.006)  # worst seen 0.005, of the sampled Gaussian


def test_a_network_errs_differently_in_every_frame_and_alike_in_every_run():
    first, again, later = (degraded(_map(), "model", frame) for frame in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - later).max() > 0.1
    inner = cv2.erode(_map(), np.ones((13, 13))) > 0.5
    # Scale and shift: at most 0.01 * 0.8 + 0.01; half a level of 8 bits.
    assert np.abs(first - 0.8)[inner].max() < 0.02
    assert np.abs(first[38:] - 0.2).max() < 0.02


def test_an_unknown_way_is_refused():
    with pytest.raises(InputError, match="soft1, soft2, grown2, shrunk2, model"):
        degraded(_map(), "worse", 0)  # type: ignore[arg-type]
