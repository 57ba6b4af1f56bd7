"""Memory does not grow with the clip."""

import tracemalloc

import pytest

from any2bokeh.focus import Autofocus, FocusScript, Keyframe, resolve
from any2bokeh.focus.finder import Range
from any2bokeh.focus.tracked_subjects import TrackedSubjects
from any2bokeh.subject import TrackerChoice
from tests.focus.test_autofocus import roams
from tests.focus.test_tracked_subjects import ball
from tests.subject.scenes import Scene, SceneDisparity, ScenePictures

FPS = 24


def peak_bytes(frame_count: int, *, automatic: bool) -> int:
    """Most that Python and NumPy hold at once while the focus of a clip is found."""
    scene = Scene(roams, frame_count)
    disparity = SceneDisparity(scene)
    tracemalloc.start()
    try:
        subjects = TrackedSubjects(ScenePictures(scene), disparity, TrackerChoice("classical"))
        if automatic:
            script = Autofocus().find(subjects, Range(0, frame_count, FPS))
        else:
            script = FocusScript(keyframes=(Keyframe(0, ball(scene, track=True)),))
        track = resolve(
            script, disparity=disparity, frame_count=frame_count, fps=FPS, blur_strength=8, subjects=subjects
        )
        assert len(track.focus_disparity) == frame_count
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.slow  # minutes
@pytest.mark.parametrize(("automatic", "frame_count"), [(False, 2000), (True, 600)], ids=["tracking", "autofocus"])
def test_memory_is_flat(automatic: bool, frame_count: int):
    peak_bytes(40, automatic=automatic)  # what is made once
    short, long = (peak_bytes(count, automatic=automatic) for count in (100, frame_count))
    # A frame takes 62 KB as pixels and 83 KB as disparity; kept are a few numbers. Autofocus has passed at 2,000 too.
    assert long - short < 300 * (frame_count - 100)
