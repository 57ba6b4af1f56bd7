"""A focal plane in metres, on disparity that is metric and on disparity that is not."""

from pathlib import Path

import numpy as np
import pytest

from any2bokeh.disparity import EstimatedDisparity
from any2bokeh.disparity.estimators.base import MapMeaning
from any2bokeh.errors import InputError
from any2bokeh.focus.plane import FocusPlane
from any2bokeh.optics.lens import Lens
from any2bokeh.recipe import Recipe
from any2bokeh.shot import Shot
from any2bokeh.video import open_source
from tests import clips
from tests.disparity.test_estimated import SquareEstimator


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def test_metres_become_disparity_and_blur(tmp_path: Path):
    with open_source(clips.write_frames(tmp_path / "in")) as source:
        maps = EstimatedDisparity(source, SquareEstimator(meaning=MapMeaning("depth", is_metric=True)))
        metres = maps.inverse_metres_per_unit
        assert metres is not None
        lens = Lens(1.4, 50)
        shot = Shot.open(source, Recipe(focus=FocusPlane(4.0), disparity=maps, blur_strength=lens))
        np.testing.assert_allclose(shot.track.focus_disparity, 1 / (4.0 * metres))
        expected = Lens(1.4, 50, focus_distance_m=4.0).blur_strength(1 / (4.0 * metres))
        np.testing.assert_allclose(shot.track.blur_strength, expected)
        assert shot.inverse_metres_per_unit == pytest.approx(metres)
        with pytest.raises(InputError, match="nearer than anything in the clip; give"):
            Shot.open(source, Recipe(focus=FocusPlane(0.05), disparity=maps, blur_strength=lens))


def test_metres_are_known_of_a_part_too(tmp_path: Path):
    with open_source(clips.write_frames(tmp_path / "in")) as source:
        square = SquareEstimator(meaning=MapMeaning("depth", is_metric=True))
        maps = EstimatedDisparity(source, square, start=3, stop=7)
        shot = Shot.open(
            source, Recipe(focus=FocusPlane(4.0), disparity=maps, blur_strength=Lens(1.4, 50)), start=3, stop=7
        )
        assert shot.inverse_metres_per_unit == maps.inverse_metres_per_unit
        expected = Lens(1.4, 50, focus_distance_m=4.0).blur_strength(float(shot.track.focus_disparity[0]))
        np.testing.assert_allclose(shot.track.blur_strength, expected)


def test_relative_disparity_knows_no_metres(tmp_path: Path):
    with open_source(clips.write_frames(tmp_path / "in")) as source:
        maps = EstimatedDisparity(source, SquareEstimator())
        with pytest.raises(InputError, match="a focus distance of 4 m alone needs a metric depth model"):
            Shot.open(source, Recipe(focus=FocusPlane(4.0), disparity=maps, blur_strength=Lens(1.4, 50)))
