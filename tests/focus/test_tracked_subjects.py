"""The disparity of a subject that is followed."""

import numpy as np
import pytest

from any2bokeh.focus import BoxTarget, FocusScript, Keyframe, PointTarget, resolve
from any2bokeh.focus.mask import EASE_ON_S
from any2bokeh.focus.tracked_subjects import TrackedSubject, TrackedSubjects
from any2bokeh.subject import ClassicalTracker, TrackerChoice
from tests.subject.scenes import (
    BALL,
    HEIGHT,
    WIDTH,
    Scene,
    SceneDisparity,
    ScenePictures,
    across,
    away_and_back,
)

FPS = 24


def subject(scene: Scene, target: PointTarget | BoxTarget, frame: int = 0) -> tuple[TrackedSubject, ScenePictures]:
    pictures = ScenePictures(scene)
    return TrackedSubject(
        target, frame, tracker=ClassicalTracker(), pictures=pictures, disparity=SceneDisparity(scene)
    ), pictures


def ball(scene: Scene, frame: int = 0, *, track: bool = False) -> PointTarget:
    x, y = scene.path(frame)
    return PointTarget(x / WIDTH, y / HEIGHT, track=track)


def test_each_frame_is_tracked_once_and_only_when_it_is_asked_for():
    scene = Scene(across, 40)
    followed, pictures = subject(scene, ball(scene, 5), 5)
    assert followed.disparity(4) is None
    assert pictures.read == 0
    assert followed.disparity(20) == pytest.approx(BALL, abs=0.01)
    assert followed.disparity(8) == pytest.approx(BALL, abs=0.01)
    assert pictures.read == 16


def test_where_it_is_not_in_view_there_is_no_disparity():
    scene = Scene(away_and_back, 60)
    followed, _ = subject(scene, ball(scene))
    seen = [followed.disparity(frame) is not None for frame in range(60)]
    assert seen[0]
    assert not any(seen[25:38])
    assert seen[59]


@pytest.mark.parametrize("target", [PointTarget(0.05, 0.1), BoxTarget(0.6, 0.1, 0.9, 0.4)])
def test_scenery_is_held_at_its_disparity_and_not_tracked(target: PointTarget | BoxTarget):
    scene = Scene(lambda index: (60, 70), 30)
    followed, pictures = subject(scene, target)
    assert [followed.disparity(frame) for frame in (0, 12, 29)] == [pytest.approx(0.2, abs=0.01)] * 3
    assert pictures.read == 1


def followed_focus(
    scene: Scene, script: FocusScript, *, start: int = 0, stop: int | None = None
) -> tuple[np.ndarray, ScenePictures]:
    pictures, disparity = ScenePictures(scene), SceneDisparity(scene)
    subjects = TrackedSubjects(pictures, disparity, TrackerChoice("classical"))
    track = resolve(
        script,
        disparity=disparity,
        frame_count=scene.frame_count,
        fps=FPS,
        blur_strength=8,
        subjects=subjects,
        start=start,
        stop=stop,
    )
    return track.focus_disparity, pictures


class Nearing(Scene):
    """The ball comes nearer."""

    def disparity(self, index: int) -> np.ndarray:
        disparity = super().disparity(index)
        disparity[disparity == np.float32(BALL)] = BALL + 0.004 * index
        return disparity


def test_the_focus_goes_with_the_subject():
    scene = Nearing(across, 50)
    focus, _ = followed_focus(scene, FocusScript(keyframes=(Keyframe(0, ball(scene, track=True)),)))
    true = BALL + 0.004 * np.arange(50)
    assert np.abs(focus - true).max() < 0.02  # smoothing at the two ends


def test_without_track_the_reading_is_held():
    scene = Nearing(across, 50)
    focus, pictures = followed_focus(scene, FocusScript(keyframes=(Keyframe(0, ball(scene)),)))
    assert focus.tolist() == [focus[0]] * 50
    assert pictures.read == 0


def test_a_lost_subject_is_waited_for_and_eased_back_on_to():
    class Farther(Scene):
        def disparity(self, index: int) -> np.ndarray:
            disparity = super().disparity(index)
            if index > 30:
                disparity[disparity == np.float32(BALL)] = BALL - 0.1
            return disparity

    scene = Farther(away_and_back, 75)
    focus, _ = followed_focus(scene, FocusScript(keyframes=(Keyframe(0, ball(scene, track=True)),)))
    seen_until, seen_from = 20, 44
    assert np.abs(focus[: seen_until + 1] - BALL).max() < 0.01
    assert np.abs(focus[seen_until : seen_from - 4] - focus[seen_until]).max() < 0.01
    assert focus[-1] == pytest.approx(BALL - 0.1, abs=0.01)
    steps = np.abs(np.diff(focus))
    assert steps.max() < 0.1 / (EASE_ON_S * FPS) * 1.8, "eased, not jumped"


def test_a_part_has_the_focus_of_the_whole():
    scene = Nearing(across, 50)
    script = FocusScript(keyframes=(Keyframe(3, ball(scene, 3, track=True)),))
    whole, _ = followed_focus(scene, script)
    part, pictures = followed_focus(scene, script, start=20, stop=30)
    np.testing.assert_array_equal(part, whole[20:30])
    assert pictures.read < 35, "what comes after the part is not looked at"


def test_following_needs_pictures():
    from any2bokeh.errors import InputError

    scene = Scene(across, 10)
    script = FocusScript(keyframes=(Keyframe(0, ball(scene, track=True)),))
    with pytest.raises(InputError, match="track to false"):
        resolve(script, disparity=SceneDisparity(scene), frame_count=10, fps=FPS, blur_strength=8)


def test_subjects_that_are_not_wanted_any_more_are_forgotten_but_for_a_few():
    scene = Scene(across, 10)
    subjects = TrackedSubjects(ScenePictures(scene), SceneDisparity(scene), TrackerChoice("classical"))
    keys = [(ball(scene, frame, track=True), frame) for frame in range(6)]
    for target, frame in keys:
        subjects.subject(target, frame)
    first = subjects.subject(*keys[0])
    subjects.forget({keys[0], keys[5]}, most=2)
    assert set(subjects._subjects) == {keys[0], keys[3], keys[4], keys[5]}
    assert subjects.subject(*keys[0]) is first


def test_a_subject_that_has_rested_is_followed_on_as_if_it_had_not():
    scene = Scene(away_and_back, 40)
    target = ball(scene)
    rested, pictures = subject(scene, target)
    assert [rested.disparity(frame) is not None for frame in (0, 9)] == [True, True]
    rested.rest()
    assert rested.disparity(5) is not None
    assert pictures.read == 10  # what is known is not found again
    straight, _ = subject(scene, target)
    for frame in range(40):
        assert (rested.disparity(frame), rested.slab(frame)) == (straight.disparity(frame), straight.slab(frame))


def test_all_rest_but_the_subjects_that_were_followed_last():
    scene = Scene(across, 10)
    subjects = TrackedSubjects(ScenePictures(scene), SceneDisparity(scene), TrackerChoice("classical"))
    each = [subjects.subject(ball(scene, frame, track=True), frame) for frame in range(4)]
    for followed in (*each, each[0]):
        followed.disparity(8)
    each[0].disparity(9)
    subjects.rest(most=2)
    assert [followed._tracked is None for followed in each] == [False, True, True, False]
