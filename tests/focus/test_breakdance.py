"""Real footage: the dancer of ../shared/data, against the mask that comes with the clip."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from any2bokeh.focus import Autofocus, BoxTarget, FocusFinder, FocusScript, Keyframe, PointTarget, TrackerChoice
from any2bokeh.recipe import Recipe
from any2bokeh.shot import Shot
from any2bokeh.video import open_source

FRAMES = 84
# In the dancer, and tightly around him, in frame 0.
POINT = PointTarget(0.38, 0.68, track=True)
BOX = BoxTarget(0.262, 0.007, 0.498, 0.941, track=True)


def found(clip: Path, focus: FocusScript | FocusFinder) -> tuple[Shot, list[float]]:
    """What is found, and how far each matte covers the mask (intersection over union)."""
    overlaps = [0.0] * FRAMES

    def note(frame: int, tracked: object) -> None:
        matte: NDArray[np.float32] = tracked.matte  # type: ignore[attr-defined]
        picture = cv2.imread(str(clip / "mask" / f"{frame:05d}.png"), cv2.IMREAD_GRAYSCALE)
        assert picture is not None
        is_on = cv2.resize(matte, picture.shape[::-1]) > 0.5
        overlaps[frame] = float((is_on & (picture > 127)).sum() / (is_on | (picture > 127)).sum())

    with open_source(clip / "frames") as source:
        shot = Shot.open(
            source,
            Recipe(focus=focus, disparity=clip / "disparity", tracker=TrackerChoice("classical"), blur_strength=16),
            on_tracked_frame=note,
        )
    return shot, overlaps


@pytest.fixture(scope="module")
def true_focus(shared_data: Path) -> NDArray[np.float64]:
    clip = shared_data / "breakdance"
    return found(clip, FocusScript.on_mask(clip / "mask", 16))[0].track.focus_disparity


@pytest.mark.parametrize("target", [POINT, pytest.param(BOX, marks=pytest.mark.slow)], ids=["point", "box"])
def test_the_dancer_is_followed(target: PointTarget | BoxTarget, shared_data: Path, true_focus: NDArray[np.float64]):
    script = FocusScript(keyframes=(Keyframe(0, target),))
    shot, overlaps = found(shared_data / "breakdance", script)
    assert min(overlaps) > 0.75  # worst seen 0.82
    assert np.mean(overlaps) > 0.85  # seen 0.90 for both
    away = np.abs(shot.track.focus_disparity - true_focus)
    assert len(away) == FRAMES
    assert (away < 0.05).mean() >= 0.9  # seen: all, the worst 0.011


@pytest.mark.slow
def test_autofocus_stays_on_the_dancer(shared_data: Path, true_focus: NDArray[np.float64]):
    shot, overlaps = found(shared_data / "breakdance", Autofocus())
    assert len(shot.script.keyframes) <= 3  # changes its mind at most twice; seen: never
    assert (np.abs(shot.track.focus_disparity - true_focus) < 0.05).mean() >= 0.9  # seen: all
    assert (np.array(overlaps) > 0.5).mean() >= 0.9  # seen: all
