from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from any2bokeh.app.depth import ClipDepth
from any2bokeh.app.picture import encoded
from any2bokeh.app.project import Project
from any2bokeh.engines import EngineSettings
from any2bokeh.errors import InputError
from any2bokeh.focus import FocusScript, Keyframe, PointTarget, TrackerChoice
from any2bokeh.preview import preview
from any2bokeh.recipe import Recipe
from any2bokeh.shot import Shot
from any2bokeh.video import open_source
from tests.app.conftest import (
    FAR,
    FAR_POINT,
    FRAMES,
    NEAR,
    NEAR_POINT,
    decoded_jpeg,
    detail_at,
    disparity_of,
    ready,
)

CLASSICAL = TrackerChoice("classical")


class Holder:
    """As much of a user as ``ready`` looks at."""

    def __init__(self, project: Project) -> None:
        self.project = project


@pytest.fixture
def project(demo_clip: Path, tmp_path: Path) -> Iterator[Project]:
    source = open_source(demo_clip / "clip.mp4")
    depth = ClipDepth(source, given=demo_clip / "disparity.mkv", cache=tmp_path / "cache")
    opened = Project(source, name="clip.mp4", depth=depth, tracker=CLASSICAL)
    yield opened
    opened.close()


def wait(project: Project) -> None:
    ready(Holder(project))  # pyright: ignore[reportArgumentType]
    assert project.follower.progress.stage == "ready", project.follower.progress


def picture(project: Project, frame: int, view: str = "result"):
    return decoded_jpeg(project.picture(frame, view).jpeg)


def test_nothing_is_blurred_before_the_first_click(project: Project):
    np.testing.assert_array_equal(picture(project, 0), picture(project, 0, "source"))


def test_click_brings_the_focus_to_what_is_there(project: Project):
    source = picture(project, 0, "source")
    project.blur(60)
    project.focus(0, *NEAR_POINT, is_locked=False)
    near = picture(project, 0)
    # Sharp where it was clicked (within JPEG), blurred at the other subject.
    assert detail_at(near, NEAR_POINT) > 0.9 * detail_at(source, NEAR_POINT)
    assert detail_at(near, FAR_POINT) < 0.4 * detail_at(source, FAR_POINT)
    project.focus(0, *FAR_POINT, is_locked=True)
    far = picture(project, 0)
    assert detail_at(far, FAR_POINT) > 0.9 * detail_at(source, FAR_POINT)
    assert detail_at(far, NEAR_POINT) < 0.4 * detail_at(source, NEAR_POINT)
    assert [row["locked"] for row in project.snapshot()["keyframes"]] == [True]


def test_more_blur_blurs_more(project: Project):
    project.focus(0, *NEAR_POINT, is_locked=False)
    details = []
    for strength in (0, 40, 100):
        project.blur(strength)
        details.append(detail_at(picture(project, 0), FAR_POINT))
    assert details[0] > 1.2 * details[1] > 1.2 * 1.2 * details[2]


def test_focus_is_what_a_render_will_use(project: Project, demo_clip: Path):
    project.focus(0, *NEAR_POINT, is_locked=False)
    project.focus(16, *FAR_POINT, is_locked=False)
    wait(project)
    assert project.now.script is not None
    shot = Shot.open(
        project.source, Recipe(focus=project.now.script, disparity=demo_clip / "disparity.mkv", tracker=CLASSICAL)
    )
    np.testing.assert_array_equal(project.follower.focus, shot.track.focus_disparity)
    np.testing.assert_array_equal(project.follower.blur, shot.track.blur_strength)
    assert project.follower.focus[0] == pytest.approx(NEAR, abs=0.01)
    assert project.follower.focus[-1] == pytest.approx(FAR, abs=0.01)


def test_picture_has_treated_edges(demo_clip: Path, tmp_path: Path):
    """Maps whose edges are wide look on the page as a draft of the render does, without its plate."""
    soft = tmp_path / "soft"
    soft.mkdir()
    for index in range(FRAMES):
        codes = cv2.GaussianBlur(disparity_of(index), (0, 0), 2) * 65535
        assert cv2.imwrite(str(soft / f"{index:03d}.png"), codes.astype(np.uint16))
    source = open_source(demo_clip / "clip.mp4")
    depth = ClipDepth(source, given=soft, cache=tmp_path / "cache")
    project = Project(source, name="clip.mp4", depth=depth, tracker=CLASSICAL)
    try:
        project.blur(60)
        project.focus(0, *FAR_POINT, is_locked=True)
        wait(project)
        assert project.now.script is not None
        shown = picture(project, 8)
        found = {}
        for edges in ("off", "auto"):
            look = EngineSettings(render_quality="draft")
            recipe = Recipe(project.now.script, soft, tracker=CLASSICAL, edges=edges, plate="off", engine=look)
            with open_source(demo_clip / "clip.mp4") as clip:
                pixels = preview(clip, 8, recipe).pixels
            found[edges] = float(np.abs(shown - decoded_jpeg(encoded(pixels))).mean())
    finally:
        project.close()
    # The page rounds pictures to 11 bits before JPEG. Worst seen: 0.22 codes; 1.47 with edges off.
    assert found["auto"] < 0.3 * found["off"]


def test_picture_does_not_wait_for_the_tracker(project: Project, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(project.follower, "_find", lambda *_: None)  # a tracker that takes for ever
    project.focus(0, *NEAR_POINT, is_locked=False)
    made = project.picture(20, "result")
    assert made.is_provisional
    assert made.focus is not None
    assert made.focus.focus_disparity == pytest.approx(disparity_of(0)[60, 60], abs=0.01)


def test_picture_is_final_once_the_subject_is_followed(project: Project):
    project.focus(0, *NEAR_POINT, is_locked=False)
    wait(project)
    assert not project.picture(20, "result").is_provisional


def test_newest_click_wins(project: Project):
    for number in range(12):
        project.focus(number, *(NEAR_POINT if number % 2 else FAR_POINT), is_locked=False)
    project.clear()
    project.focus(3, *FAR_POINT, is_locked=False)
    wait(project)
    assert project.follower.focus == pytest.approx(np.full(FRAMES, FAR), abs=0.01)


def test_blur_does_not_follow_the_subject_anew(project: Project, monkeypatch: pytest.MonkeyPatch):
    project.focus(0, *NEAR_POINT, is_locked=False)
    wait(project)
    before = project.follower.focus.copy()
    monkeypatch.setattr(TrackerChoice, "load", lambda self: pytest.fail("a tracker is loaded again"))
    for strength in range(1, 30):
        project.blur(strength)
    wait(project)
    np.testing.assert_array_equal(project.follower.focus, before)
    assert project.follower.blur == pytest.approx(np.full(FRAMES, 29.0))


def test_many_clicks_do_not_keep_many_decoders(project: Project):
    for number in range(6):
        project.focus(0, NEAR_POINT[0] + number / 500, NEAR_POINT[1], is_locked=False)
        wait(project)
        following = project.follower._following
        assert following is not None
        assert len(following._pictures._running) <= 2
    assert project.follower.focus[0] == pytest.approx(NEAR, abs=0.01)


def test_undo_and_redo_bring_pictures_back(project: Project):
    project.focus(0, *NEAR_POINT, is_locked=False)
    wait(project)
    before = project.picture(0, "result").jpeg
    project.focus(0, *FAR_POINT, is_locked=False)
    wait(project)
    after = project.picture(0, "result").jpeg
    assert after != before
    project.undo()
    wait(project)
    assert project.picture(0, "result").jpeg == before
    project.redo()
    wait(project)
    assert project.picture(0, "result").jpeg == after


def test_views(project: Project):
    project.focus(0, *NEAR_POINT, is_locked=False)
    tint = picture(project, 0, "plane") - 0.55 * picture(project, 0)
    depth = picture(project, 0, "depth")
    x, y = int(NEAR_POINT[0] * 192), int(NEAR_POINT[1] * 108)
    far_x, far_y = int(FAR_POINT[0] * 192), int(FAR_POINT[1] * 108)
    assert tint[y, x].argmax() == 1  # green in the focal plane
    assert tint[far_y, far_x].argmax() == 2  # blue behind it
    assert depth[y, x].argmax() == 1
    grey = depth[far_y, far_x]
    assert np.ptp(grey) < 8  # grey, as bright as it is near
    assert grey.mean() == pytest.approx(255 * (0.08 + 0.92 * FAR), abs=4)
    with pytest.raises(InputError, match=r"view is .*; allowed is "):
        project.picture(0, "../etc")
    with pytest.raises(InputError, match="no frame 24"):
        project.picture(FRAMES, "result")


def test_lens_numbers_give_the_strength_of_the_lens(project: Project):
    with pytest.raises(InputError, match="click"):
        project.blur_of_lens(f_number=2.0)
    project.focus(0, *NEAR_POINT, is_locked=False)
    wait(project)
    project.take_lens("portrait-85-f1.4")
    project.blur_of_lens(f_number=2.8, focus_distance_m=3.0)
    wide = replace(project.now.lens.optics)
    assert project.blur_at(0) == pytest.approx(wide.blur_strength(NEAR), rel=0.01)
    before = project.blur_at(0)
    project.blur_of_lens(f_number=5.6)
    assert project.blur_at(0) == pytest.approx(before / 2, rel=0.01)
    with pytest.raises(InputError, match="inside the focal length"):
        project.blur_of_lens(focus_distance_m=0.3, focal_length_mm=300)
    with pytest.raises(InputError, match="number of a lens"):
        project.blur_of_lens(look=1.0)
    assert project.blur_at(0) == pytest.approx(before / 2, rel=0.01)


def test_a_choice_of_lamps_is_one_step_of_undo_and_a_drag_another(project: Project):
    def shown() -> float | str:
        return project.snapshot()["lens"]["look"]["highlights"]

    assert shown() == 0
    for value in (1.0, 2.5, 3.0):  # a drag
        project.change_look(highlights=value)
    for value in ("auto", 8.0, 0.0):  # however quickly they follow
        project.change_look(is_choice=True, highlights=value)
    project.change_look(highlights=0.5)
    for value in (0, 8, "auto", 3, 0):
        project.undo()
        assert shown() == value
    for value in (3, "auto"):
        project.redo()
        assert shown() == value
    assert project.now.lens.look.recovery().is_automatic
    with pytest.raises(InputError, match="highlights is 'automatic'; give a number from 0 to 1000, or auto"):
        project.change_look(highlights="automatic")
    assert shown() == "auto"


@pytest.mark.parametrize("name", ["tele-200-f2", "phone-main", "portrait-85-f1.4", "cine-anamorphic-50-t2.3"])
def test_choosing_a_lens_changes_the_blur_in_one_step(project: Project, name: str):
    project.focus(0, *NEAR_POINT, is_locked=False)
    wait(project)
    before = project.blur_at(0)
    project.take_lens(name)
    assert project.blur_at(0) == pytest.approx(project.now.lens.optics.blur_strength(NEAR), rel=0.01)
    assert project.blur_at(0) != before
    project.undo()
    assert (project.blur_at(0), project.now.lens.name) == (before, "plain")
    project.redo()
    assert project.now.lens.name == name
    lens_gave = project.blur_at(0)
    project.take_lens("plain")
    assert project.blur_at(0) == lens_gave


def test_a_lens_waits_for_the_subject(project: Project):
    project.take_lens("phone-main")
    assert project.blur_at(0) == 20
    project.focus(0, *NEAR_POINT, is_locked=False)
    wait(project)
    project.settle()
    assert project.blur_at(0) == pytest.approx(project.now.lens.optics.blur_strength(NEAR), rel=0.01)
    project.blur(33)
    project.settle()
    assert project.blur_at(0) == 33
    project.undo()
    project.undo()
    assert project.now.script is None


def test_a_lens_keeps_the_relations_of_strengths(project: Project):
    project.focus(0, *NEAR_POINT, is_locked=False)
    project.blur(40, frame=9, begins=True)
    wait(project)
    project.take_lens("tele-200-f2")
    assert project.blur_at(9) == pytest.approx(2 * project.blur_at(0))
    assert [row["frame"] for row in project.snapshot()["keyframes"]] == [0, 9]


def test_the_slider_of_the_blur_deletes_nothing(project: Project):
    for frame, point in ((0, NEAR_POINT), (8, FAR_POINT), (16, NEAR_POINT)):
        project.focus(frame, *point, is_locked=False)
    project.blur(40, frame=5, begins=True)
    project.blur(60, frame=12, begins=True)
    rows = [row["frame"] for row in project.snapshot()["keyframes"]]
    assert rows == [0, 5, 8, 12, 16]
    for frame in (0, 6, 14, 20):
        for strength in (1, 50, 2):
            project.blur(strength, frame=frame)
        assert [row["frame"] for row in project.snapshot()["keyframes"]] == rows
    assert [project.blur_at(frame) for frame in (0, 6, 14)] == [2, 2, 2]


def test_loaded_script_is_taken_as_it_is(project: Project):
    script = FocusScript(
        keyframes=(Keyframe(0, PointTarget(*NEAR_POINT, track=True), 12.5), Keyframe(9, blur_strength=30)), fps=24.0
    )
    project.load(FocusScript.loads(script.dumps()))
    assert project.now.script == script
    assert [project.blur_at(frame) for frame in (0, 8, 9, 23)] == [12.5, 12.5, 30, 30]


def test_disparity_is_estimated_once_and_from_the_subject(demo_clip: Path, tmp_path: Path):
    source = open_source(demo_clip / "clip.mp4")
    depth = ClipDepth(source, given=None, model="rough", cache=tmp_path / "cache")
    project = Project(source, name="clip.mp4", depth=depth, tracker=CLASSICAL)
    try:
        assert project.snapshot()["finding"]["stage"] == "idle"
        project.focus(0, *NEAR_POINT, is_locked=False)
        wait(project)
        first = depth.ready(project.now.script)
        assert first is not None
        assert tmp_path in first.path.parents
        project.focus(12, *FAR_POINT, is_locked=False)  # the first subject is still the first
        wait(project)
        assert depth.ready(project.now.script) == first
        told = project.snapshot()
        assert (told["depth"], told["depth_is_rough"]) == ("rough built-in estimate", True)
        assert project.picture(0, "depth").focus is not None
    finally:
        project.close()
    assert not [path for path in (tmp_path / "cache").iterdir() if path.name.startswith(".partial")]


def test_closing_ends_the_thread(project: Project):
    project.focus(0, *NEAR_POINT, is_locked=False)
    project.close()
    assert not project.follower._thread.is_alive()
