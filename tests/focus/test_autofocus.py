"""Which subject is picked, and when that changes."""

from dataclasses import replace

import numpy as np
import pytest

from any2bokeh.focus import Autofocus, BoxTarget, FocusScript, resolve
from any2bokeh.focus.finder import Range
from any2bokeh.focus.tracked_subjects import TrackedSubjects
from any2bokeh.subject import TrackerChoice
from tests.subject.detection.at_hand import tiny_detectors
from tests.subject.detection.tiny_onnx import FACE_COLOUR, PERSON_COLOUR
from tests.subject.scenes import BALL, HEIGHT, RADIUS, WALL, WIDTH, Scene, SceneDisparity, ScenePictures

__all__ = ["tiny_detectors"]

FPS = 24
FACE = 0.45
"""Disparity of a face, which is behind the ball."""


def decide(scene: Scene, autofocus: Autofocus | None = None, *, start: int = 0) -> tuple[FocusScript, np.ndarray]:
    disparity = SceneDisparity(scene)
    subjects = TrackedSubjects(ScenePictures(scene), disparity, TrackerChoice("classical"))
    script = (autofocus or Autofocus()).find(subjects, Range(start, scene.frame_count, FPS))
    track = resolve(
        script,
        disparity=disparity,
        frame_count=scene.frame_count,
        fps=FPS,
        start=start,
        blur_strength=8,
        subjects=subjects,
    )
    return script, track.focus_disparity


def roams(index: int) -> tuple[float, float]:
    return 95 + 25 * np.sin(index / 9), 60


def is_around(target: object, centre: tuple[float, float]) -> bool:
    assert isinstance(target, BoxTarget)
    x, y = (target.x0 + target.x1) / 2 * WIDTH, (target.y0 + target.y1) / 2 * HEIGHT
    return bool(np.hypot(x - centre[0], y - centre[1]) < RADIUS / 2)


def test_the_subject_before_the_wall_is_picked_and_kept():
    scene = Scene(roams, 100)
    script, focus = decide(scene)
    [keyframe] = script.keyframes
    assert (keyframe.frame, keyframe.strength) == (0, "weak")
    assert is_around(keyframe.target, roams(0))
    assert np.abs(focus - BALL).max() < 0.02


def test_it_is_an_ordinary_script():
    script, _ = decide(Scene(roams, 30))
    assert FocusScript.loads(script.dumps()) == script


def test_when_the_subject_leaves_the_focus_is_held_and_then_racks():
    def leaves(index: int) -> tuple[float, float]:
        return (95.0, 60.0) if index < 30 else (95.0 + 8 * (index - 30), 60.0)

    scene = Scene(leaves, 110, second=lambda index: (50 + 3 * np.sin(index / 6), 60))
    settings = Autofocus()
    script, focus = decide(scene, settings)
    first, second = script.keyframes
    assert is_around(first.target, leaves(0))
    assert is_around(second.target, (50 + 3 * np.sin(second.frame / 6), 60))
    gone = next(index for index in range(110) if not scene.mask(index).any())
    rack = round(settings.rack_s * FPS)
    held = round(settings.lost_hold_s * FPS)
    assert gone + held <= second.frame - rack + 3  # the last sliver may be lost a little earlier
    assert second.frame - rack <= gone + held + 3
    assert np.abs(focus[: second.frame - rack] - BALL).max() < 0.02
    assert np.abs(focus[second.frame :] - (BALL - 0.15)).max() < 0.02
    assert (np.diff(focus[second.frame - rack : second.frame]) <= 1e-9).all(), "one way, without hunting"


@pytest.mark.slow
def test_two_subjects_that_draw_the_eye_by_turns_do_not_make_it_hunt():
    def now_and_then(phase: float):
        def path(index: int) -> tuple[float, float]:
            wobble = 8 * np.sin(index * 1.3) * (np.sin(index / 8 + phase) > 0)  # moves for a second, rests for a second
            return (60 if phase else 130) + wobble, 60

        return path

    scene = Scene(now_and_then(0), 100, second=now_and_then(np.pi))
    script, _ = decide(scene)
    assert len(script.keyframes) == 1
    nervous, _ = decide(scene, Autofocus(min_hold_s=0, rack_s=0.1, preference=1, preference_s=0))
    assert len(nervous.keyframes) > 2, "the scene tempts to hunt"


@pytest.mark.slow
def test_a_much_more_salient_subject_is_racked_to_but_not_before_the_minimum_hold():
    def comes(index: int) -> tuple[float, float]:
        return (-80.0, 60.0) if index < 20 else (min(-30 + 6.0 * (index - 20), 100) + 7 * np.sin(index), 60)

    # The one behind rests near the border; the one that comes is nearer and moves, in the middle.
    scene = Scene(comes, 130, second=lambda index: (165, 25))
    eager = Autofocus(preference=1.2, preference_s=0.5)
    script, focus = decide(scene, eager)
    assert len(script.keyframes) == 2
    assert is_around(script.keyframes[0].target, (165, 25))
    assert script.keyframes[1].frame >= round((eager.min_hold_s + eager.rack_s) * FPS)
    assert np.abs(focus[script.keyframes[1].frame :] - BALL).max() < 0.03
    patient, _ = decide(scene, replace(eager, min_hold_s=60))
    assert len(patient.keyframes) == 1


def test_a_cut_is_decided_anew_and_not_eased_across():
    class TwoShots(Scene):
        def disparity(self, index: int) -> np.ndarray:
            disparity = super().disparity(index)
            if index >= 40:
                disparity[disparity == np.float32(BALL)] = 0.9
            return disparity

    scene = TwoShots(lambda index: (60, 60) if index < 40 else (130, 55), 70, cut_at=40)
    script, focus = decide(scene)
    assert [(keyframe.frame, keyframe.cut) for keyframe in script.keyframes] == [(0, False), (40, True)]
    assert np.abs(focus[:40] - BALL).max() < 0.02
    assert np.abs(focus[40:] - 0.9).max() < 0.02


def test_where_there_is_no_subject_the_middle_is_held():
    scene = Scene(lambda index: (-90, -90), 60)
    script, focus = decide(scene)
    assert len(script.keyframes) == 1
    assert np.abs(focus - focus[0]).max() < 1e-9
    assert focus[0] == pytest.approx(WALL, abs=0.05)


def test_a_part_is_decided_by_itself():
    script, focus = decide(Scene(roams, 60), start=25)
    assert script.keyframes[0].frame == 25
    assert len(focus) == 35


@pytest.mark.parametrize("frame_count", [1, 2, 3])
def test_short_clips_are_decided(frame_count: int):
    script, focus = decide(Scene(roams, frame_count))
    assert len(script.keyframes) == 1
    assert len(focus) == frame_count


class SceneWithFace(Scene):
    """A scene with a small face, or a person, behind the ball from some frame on."""

    def __init__(self, *, since: int = 0, frame_count: int, colour: tuple[int, int, int] = FACE_COLOUR) -> None:
        super().__init__(roams, frame_count)
        object.__setattr__(self, "shown", (since, colour))

    def pixels(self, index: int) -> np.ndarray:
        picture = super().pixels(index)
        since, colour = self.shown  # type: ignore[attr-defined]
        if index >= since:
            picture[8:30, 150:172] = colour
        return picture

    def disparity(self, index: int) -> np.ndarray:
        disparity = super().disparity(index)
        if index >= self.shown[0]:  # type: ignore[attr-defined]
            disparity[8:30, 150:172] = FACE
        return disparity


@pytest.mark.usefixtures("tiny_detectors")
@pytest.mark.parametrize("colour", [FACE_COLOUR, PERSON_COLOUR])
def test_a_face_or_person_comes_before_a_larger_subject(colour: tuple[int, int, int]):
    scene = SceneWithFace(frame_count=16, colour=colour)
    script, focus = decide(scene)
    assert [keyframe.frame for keyframe in script.keyframes] == [0], "the ball does not take it away"
    assert np.abs(focus - FACE).max() < 0.02
    without, focus = decide(scene, Autofocus(detect="off"))
    assert is_around(without.keyframes[0].target, roams(0))
    assert np.abs(focus - BALL).max() < 0.02


@pytest.mark.usefixtures("tiny_detectors")
def test_the_focus_racks_to_a_face_that_comes_into_view():
    settings = Autofocus(min_hold_s=0.3, preference_s=0.25, rack_s=0.2)
    script, focus = decide(SceneWithFace(since=12, frame_count=50), settings)
    first, second = script.keyframes
    assert is_around(first.target, roams(0))
    assert 12 + 6 <= second.frame <= 12 + 6 + 6 + 6  # preference, looks every 0.25 s, rack
    assert np.abs(focus[:12] - BALL).max() < 0.02
    assert np.abs(focus[second.frame :] - FACE).max() < 0.02


@pytest.mark.usefixtures("tiny_detectors")
def test_a_remark_says_that_faces_come_first():
    scene = SceneWithFace(frame_count=3)
    subjects = TrackedSubjects(ScenePictures(scene), SceneDisparity(scene), TrackerChoice("classical"))
    Autofocus().find(subjects, Range(0, 3, FPS))
    assert "--detect off" in subjects.warnings()[0]
