"""A clip at a glance: thumbnails, the range of its disparity, its in and out points, its f-numbers."""

import shlex
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from any2bokeh.app.frame_reader import FrameReader
from any2bokeh.app.outlines import OutlineFinder, outline_of
from any2bokeh.app.overview import OverviewMaker
from any2bokeh.app.session import Session
from any2bokeh.errors import InputError
from any2bokeh.focus import BoxTarget, PointTarget, TrackerChoice
from any2bokeh.focus.pictures import LONG_SIDE_PX
from any2bokeh.subject import View
from any2bokeh.video import open_source
from any2bokeh.video.reduced import ReducedPictures
from tests import clips
from tests.app.conftest import (
    FAR_POINT,
    FRAMES,
    HANGS_AFTER_S,
    HEIGHT,
    NEAR,
    NEAR_POINT,
    WIDTH,
    Site,
    decoded_jpeg,
    disparity_of,
    picture_of,
    ready,
    wait_for,
)
from tests.subject.detection.at_hand import tiny_detectors
from tests.subject.detection.tiny_onnx import write_yunet

__all__ = ["tiny_detectors"]


@pytest.fixture
def opened(session: Session) -> Session:
    session.open_demo()
    return session


def test_thumbnails_show_the_frames(opened: Session):
    overview = opened.opened().overview
    wait_for(lambda: len(overview.now.frames) == overview.now.thumbnails, lambda: overview.now)
    assert overview.now.frames == tuple(range(FRAMES))  # a short clip has one for each frame
    strip = decoded_jpeg(overview.strip())
    width = round(80 * WIDTH / HEIGHT)
    assert strip.shape == (80, width * FRAMES, 3)
    for number in (0, FRAMES - 1):
        shown = strip[:, number * width : (number + 1) * width].mean(axis=(0, 1))
        # Both are reduced and packed; worst seen 1.5.
        assert np.abs(shown - picture_of(number).mean(axis=(0, 1))).max() < 4


def test_the_ribbon_is_the_range_of_the_disparity(opened: Session):
    opened.snapshot()
    overview = opened.opened().overview
    wait_for(lambda: None not in overview.now.ribbon, lambda: overview.now)
    assert len(overview.now.ribbon) == FRAMES
    for index in (0, FRAMES - 1):
        ends = overview.now.ribbon[index]
        # Every fourth pixel is looked at; worst seen 0.003.
        assert ends == pytest.approx(np.percentile(disparity_of(index), (2, 98)), abs=0.01)
        assert ends is not None
        assert ends[1] == pytest.approx(NEAR, abs=0.01)
    assert overview.now.inverse_metres_per_unit is None  # of relative disparity


def test_an_overview_ends_with_its_clip(demo_clip):
    with open_source(demo_clip / "clip.mp4") as source:
        maker = OverviewMaker(source, lambda path: pytest.fail("read after the end"))
        maker.close()
        maker.want(demo_clip / "disparity.mkv")
        maker._thread.join(HANGS_AFTER_S)  # on a new machine it may be compiling what decodes
        assert not maker._thread.is_alive()
        if not maker.now.frames:
            with pytest.raises(InputError, match="still being made"):
                maker.strip()


def test_a_render_keeps_to_in_and_out(opened: Session):
    ready(opened)
    project = opened.opened()
    whole = project.snapshot()
    assert (whole["in_frame"], whole["out_frame"], project.part) == (None, None, (0, FRAMES))
    project.play_only(4, 7)
    assert project.part == (4, 8)
    words = shlex.split(opened.snapshot()["command"])
    assert words[words.index("--frames") + 1] == "4:8"
    opened.render(format="mkv")
    assert opened.job is not None
    wait_for(lambda: opened.job is not None and not opened.job.is_live, lambda: opened.job)
    assert opened.job.state == "done", opened.job.message
    assert opened.job.result is not None
    assert len(clips.decoded(opened.job.result)) == 4
    assert opened.snapshot()["results"]["render"]["is_current"]
    project.play_only(4, 8)
    assert not opened.snapshot()["results"]["render"]["is_current"]
    project.play_only(0, FRAMES - 1)  # the ends of the clip are no points of their own
    assert (project.in_frame, project.out_frame) == (None, None)
    assert "--frames" not in opened.snapshot()["command"]


def test_in_and_out_are_undone_one_drag_at_a_time(opened: Session):
    project = opened.opened()
    for frame in (2, 3, 4):  # a drag comes through many frames
        project.play_only(frame, None)
    for frame in (20, 12):
        project.play_only(4, frame)
    project.change_look(blades=5, is_choice=True)
    parts = []
    while project.history.can_undo and len(parts) < 4:
        parts.append((project.in_frame, project.out_frame))
        project.undo()
    assert parts[:3] == [(4, 12), (4, 12), (4, None)]
    assert (project.in_frame, project.out_frame) == (None, None)
    project.redo()
    assert project.part == (4, FRAMES)


@pytest.mark.parametrize(("first", "last"), [(5, 4), (-1, 4), (0, FRAMES), (FRAMES, None)])
def test_points_outside_are_refused(opened: Session, first: int, last: int | None):
    with pytest.raises(InputError):
        opened.opened().play_only(first, last)
    assert opened.opened().part == (0, FRAMES)


def test_disparity_that_is_added_keeps_the_part(opened: Session, received, demo_clip):
    opened.opened().play_only(2, 9)
    opened.give_disparity(received(demo_clip / "disparity.mkv"), "mine.mkv")
    assert opened.opened().part == (2, 10)


def test_an_f_number_is_a_blur_strength_of_the_lens(opened: Session):
    ready(opened)
    project = opened.opened()
    product = project.f_number_times_blur
    assert product is not None
    project.aperture(2.8)
    assert project.blur_at(0) == pytest.approx(product / 2.8, abs=1e-3)
    assert project.now.lens.f_number == 2.8
    project.aperture(8, frame=10, begins=True)
    assert [frame for frame, _ in project._strengths()] == [0, 10]
    assert project.blur_at(12) == pytest.approx(product / 8, abs=1e-3)
    assert project.blur_at(0) == pytest.approx(product / 2.8, abs=1e-3)
    assert project.now.lens.f_number == 2.8  # what the clip begins with
    project.change(10, {"f_number": 4.0})
    assert project.blur_at(12) == pytest.approx(product / 4, abs=1e-3)
    project.undo()
    assert project.blur_at(12) == pytest.approx(product / 8, abs=1e-3)
    # Another focal length keeps the stops between them.
    project.blur_of_lens(focal_length_mm=85.0)
    ready(opened)
    project.settle()
    assert project.blur_at(0) / project.blur_at(12) == pytest.approx(8 / 2.8, rel=1e-3)
    with pytest.raises(InputError, match=r"f number is 0\.01"):
        project.aperture(0.01)


def test_an_f_number_before_anything_is_in_focus_is_refused(opened: Session):
    opened.opened().clear()
    with pytest.raises(InputError, match="click the subject"):
        opened.opened().aperture(2.0)


def test_views_of_the_matte_the_edges_and_the_setting_before(opened: Session):
    project = opened.opened()
    project.clear()
    project.focus(0, *NEAR_POINT, is_locked=False)
    ready(opened)
    matte = decoded_jpeg(project.picture(20, "matte").jpeg)[..., 0]
    (x, y), (far_x, far_y) = NEAR_POINT, FAR_POINT
    assert matte[int(y * HEIGHT), int(x * WIDTH)] > 200 > 50 > matte[int(far_y * HEIGHT), int(far_x * WIDTH)]
    edges = decoded_jpeg(project.picture(0, "edges").jpeg)
    colourful = edges.max(axis=2) - edges.min(axis=2)
    assert colourful[34:86, 30:38].mean() > 2 * colourful[:20, 60:100].mean()  # around the left side of the near square

    before = project.picture(0, "result").jpeg
    project.focus(0, *FAR_POINT, is_locked=False)
    ready(opened)
    assert project.picture(0, "result").jpeg != before
    assert project.picture(0, "last").jpeg == before
    project.change_look(blades=5)
    assert project.picture(0, "last").jpeg != before
    assert not decoded_jpeg(project.picture(0, "matte").jpeg)[int(y * HEIGHT), int(x * WIDTH)].any()


def test_there_may_be_no_setting_before(opened: Session):
    with pytest.raises(InputError, match="no earlier setting"):
        opened.opened().picture(0, "last")


def test_outlines_of_a_frame(opened: Session):
    project = opened.opened()
    project.clear()
    project.focus(0, *NEAR_POINT, is_locked=False)
    ready(opened)
    for frame in (0, 12, 23):  # the box is there on every frame
        followed = project.followed(frame)
        assert followed is not None
        left, top = 34 - frame // 4, 34
        expected = [left / WIDTH, top / HEIGHT, (left + 52) / WIDTH, (top + 52) / HEIGHT]
        assert followed["box"] == pytest.approx(expected, abs=0.03)
    under = project.outline_under(0, 0.705, FAR_POINT[1])
    assert under is not None
    assert under["is_followed"]
    assert under["box"] == pytest.approx([116 / WIDTH, 32 / HEIGHT, 150 / WIDTH, 66 / HEIGHT], abs=0.03)
    assert project.outline_under(0, 0.709, FAR_POINT[1]) is under  # found once
    ground = project.outline_under(0, 0.95, 0.95)
    assert ground is not None
    assert not ground["is_followed"]
    for each in project.outlines_offered(0):
        x, y = each["inside"]
        assert each["box"][0] < x < each["box"][2]
        assert each["box"][1] < y < each["box"][3]
    for bad in ((0, -0.1, 0.5), (0, 0.5, 1.5), (FRAMES, 0.5, 0.5)):
        with pytest.raises(InputError):
            project.outline_under(*bad)


def test_proposed_keyframes_can_be_edited_and_undone(opened: Session):
    project = opened.opened()
    project.clear()
    before = project.revision
    project.propose(opened.lock)
    wait_for(lambda: project.revision > before, lambda: project._proposer.progress)
    script = project.now.script
    assert script is not None
    assert script.keyframes[0].strength == "weak"
    assert script.keyframes[0].blur_strength == project.now.blur_strength
    project.change(script.keyframes[0].frame, {"easing": "linear"})
    project.undo()
    project.undo()
    assert project.now.script is None


def test_an_edit_ends_the_search(opened: Session):
    project = opened.opened()
    project.propose(opened.lock)
    project.focus(5, *FAR_POINT, is_locked=False)
    assert project._proposer.progress.state == "idle"
    script = project.now.script
    ready(opened)
    assert project.now.script == script


def test_pages_ask_for_them(site: Site):
    session = site.studio.arrive()
    session.open_demo()
    ready(session)
    wait_for(lambda: len(session.opened().overview.now.frames) == FRAMES, lambda: session.opened().overview.now)
    base = f"/api/{session.token}/"
    assert site.ask(base + "strip").headers["content-type"] == "image/jpeg"
    assert site.command(session, {"do": "part", "in_frame": 3, "out_frame": None}).json["clip"]["in_frame"] == 3
    assert site.command(session, {"do": "part", "in_frame": "3", "out_frame": None}).status == 400
    x, y = FAR_POINT
    answer = site.ask(f"{base}subjects?frame=0&which=under&x={x}&y={y}")
    assert answer.json["subjects"][0]["is_followed"]
    for wrong in ("which=under&x=2&y=0", "which=under&x=nan&y=0", "which=all", "which=under"):
        assert site.ask(f"{base}subjects?frame=0&{wrong}").status == 400
    assert site.ask(f"{base}final?frame=0&view=result&region=0,0,1,1&first=1").headers["x-provisional"] == "1"
    assert site.command(session, {"do": "aperture", "frame": 0, "f_number": 4}).status == 200


@pytest.mark.usefixtures("tiny_detectors")
def test_a_click_on_a_face_takes_the_face_and_hover_shows_it(opened: Session, monkeypatch: pytest.MonkeyPatch):
    from any2bokeh.subject.detection import faces

    # The tiny network takes a colour for a face: that of the far square.
    blue = (4, 0, -4)
    path = write_yunet(faces.YUNET.find() or Path(), colours=blue, side_px=130)
    monkeypatch.setattr(faces, "YUNET", replace(faces.YUNET, sha256=sha256(path.read_bytes()).hexdigest()))
    project = opened.opened()
    project.clear()
    under = project.outline_under(0, *FAR_POINT)
    assert under is not None
    assert under["kind"] == "face"
    project.focus(0, *FAR_POINT, is_locked=True)
    script = project.now.script
    assert script is not None
    [keyframe] = script.keyframes
    target = keyframe.target
    assert isinstance(target, BoxTarget)
    assert target.x0 < FAR_POINT[0] < target.x1
    assert target.y0 < FAR_POINT[1] < target.y1
    ready(opened)
    followed = project.followed(0)
    assert followed is not None
    assert followed["box"] == pytest.approx(under["box"], abs=0.03)
    assert project.outlines_offered(0)[0]["kind"] == "face"
    project.focus(5, *NEAR_POINT, is_locked=True)
    assert project.now.script is not None
    assert isinstance(project.now.script.keyframes[1].target, PointTarget)


def test_outlines_are_those_of_the_tracker_that_follows(opened: Session, tmp_path: Path):
    pytest.importorskip("transformers", reason="needs the diffusion extra")
    from any2bokeh.subject.seed import PointSeed
    from tests.subject.tiny_sam2 import save_tiny_sam2

    project = opened.opened()
    choice = TrackerChoice("sam2", str(save_tiny_sam2(tmp_path / "tiny")))
    finder = OutlineFinder(project.source.info, FrameReader(project.source), project.depth, choice)
    tracker, _ = choice.load()
    found = finder.under(0, *NEAR_POINT, None)
    frames = ReducedPictures(project.source, long_side_px=LONG_SIDE_PX).frames(0, 1)
    [tracked] = tracker.track((View(each) for each in frames), PointSeed(*NEAR_POINT))
    expected = outline_of(tracked.matte)
    assert found is not None
    if expected is None:  # random weights may see nothing
        assert found["parts"] == []
    else:
        # The picture comes by another decoder and scaler; worst seen 0.01.
        assert found["box"] == pytest.approx(expected["box"], abs=0.03)
