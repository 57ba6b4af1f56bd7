import shlex
import threading
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest

from any2bokeh.app import render_work
from any2bokeh.app.final_frame import Region
from any2bokeh.app.render_job import JobKind
from any2bokeh.app.session import Session
from any2bokeh.app.studio import Studio
from any2bokeh.cli.main import run
from any2bokeh.errors import InputError
from any2bokeh.focus import FocusScript
from any2bokeh.subject import Seed, TrackedFrame, View
from any2bokeh.subject.classical import ClassicalTracker
from tests import clips
from tests.app.conftest import (
    FAR_POINT,
    FRAMES,
    HANGS_AFTER_S,
    NEAR_POINT,
    Received,
    ready,
    wait_for,
    write_disparity_video,
    write_video,
)


def frames_of(path: Path) -> list[np.ndarray]:
    return [np.asarray(frame) for frame in clips.decoded(path)]


def shown(session: Session, part: Literal["clip", "job"]) -> dict[str, Any]:
    found = session.snapshot()[part]
    assert found is not None
    return dict(found)


def rendered(session: Session, kind: JobKind = "render") -> Path:
    assert session.job is not None
    assert session.job.wait(HANGS_AFTER_S)
    assert session.job.state == "done", session.job.snapshot()
    result = session.result(kind).result
    assert result is not None
    return result


def test_demo_opens_in_focus(session: Session):
    session.open_demo()
    told = shown(session, "clip")
    assert (told["frames"], told["is_demo"], told["depth"]) == (FRAMES, True, "from a file")
    assert [row["track"] for row in told["keyframes"]] == [True]
    ready(session)
    assert session.picture(0, "result").focus is not None


@pytest.mark.slow
def test_render_is_what_the_command_line_makes_of_the_saved_script(session: Session, demo_clip: Path, tmp_path: Path):
    session.open_demo()
    assert session.project is not None
    session.project.clear()
    session.project.blur(30)
    session.project.focus(0, *NEAR_POINT, is_locked=True)
    session.project.focus(15, *FAR_POINT, is_locked=False)
    session.project.take_lens("cine-anamorphic-50-t2.3")
    session.project.change_look(highlights=3.0)
    session.render()
    mine = rendered(session)

    (tmp_path / "focus.json").write_text(session.script_text())
    words = shlex.split(session.snapshot()["command"])
    assert words[:2] == ["any2bokeh", "refocus"]
    theirs = tmp_path / "out.mp4"
    put = {"demo.mp4": demo_clip / "clip.mp4", "disparity.mkv": demo_clip / "disparity.mkv", "out.mp4": theirs}
    put["focus.json"] = tmp_path / "focus.json"
    command = [str(put.get(word, word)) for word in words[1:]]
    assert run([*command, "--tracker", "classical", "--quiet"]) == 0

    mine_frames, their_frames = frames_of(mine), frames_of(theirs)
    assert len(mine_frames) == FRAMES
    for one, other in zip(mine_frames, their_frames, strict=True):
        np.testing.assert_array_equal(one, other)
    source = frames_of(demo_clip / "clip.mp4")
    assert np.abs(mine_frames[0].astype(int) - source[0]).mean() > 2  # it did render


def test_estimated_disparity_renders_as_on_the_command_line(session: Session, received: Received, tmp_path: Path):
    clip = write_video(tmp_path / "mine.mp4", frames=8)
    session.open_video(received(clip), "mine.mp4")
    assert session.project is not None
    session.project.focus(2, *NEAR_POINT, is_locked=False)
    session.render()
    mine = rendered(session)
    (tmp_path / "focus.json").write_text(session.script_text())
    common = ["--focus-script", tmp_path / "focus.json", "--depth-model", "rough", "--tracker", "classical", "--quiet"]
    assert run(list(map(str, ["refocus", clip, *common, "-o", tmp_path / "out.mp4"]))) == 0
    for one, other in zip(frames_of(mine), frames_of(tmp_path / "out.mp4"), strict=True):
        np.testing.assert_array_equal(one, other)


def test_saved_script_loads_again(session: Session):
    session.open_demo()
    assert session.project is not None
    session.project.focus(9, *FAR_POINT, is_locked=True)
    text = session.script_text()
    session.project.clear()
    with pytest.raises(InputError, match="no focus script"):
        session.script_text()
    session.load_script(text)
    assert session.script_text() == text
    assert FocusScript.loads(text).dumps() == text


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("{", "line 1"),
        (
            '{"version": 1, "keyframes": [{"frame": 0, "mask": "/etc/passwd", "blur_strength": 9}]}',
            "mask by its path",
        ),
        ('{"version": 1, "keyframes": [{"frame": 99, "point": [0.5, 0.5], "blur_strength": 9}]}', "frame 99"),
        ('{"version": 1, "surprise": 1}', "surprise"),
    ],
)
def test_bad_scripts_leave_everything_as_it_was(session: Session, text: str, named: str):
    session.open_demo()
    before = session.script_text()
    with pytest.raises(InputError, match=named):
        session.load_script(text)
    assert session.script_text() == before


def test_cancelled_render_leaves_nothing_and_another_starts(session: Session, monkeypatch: pytest.MonkeyPatch):
    session.open_demo()
    begun, go = threading.Event(), threading.Event()
    whole = render_work.RenderWork.whole

    def slow(self, report, **more):
        def told(done, total):
            report(done, total)
            if done == 3 and not go.is_set():
                begun.set()
                go.wait(HANGS_AFTER_S)
                report(done, total)

        return whole(self, told, **more)

    monkeypatch.setattr(render_work.RenderWork, "whole", slow)
    session.render()
    assert begun.wait(HANGS_AFTER_S)
    job = session.job
    assert job is not None
    told = shown(session, "job")
    assert (told["state"], told["done"], told["total"]) == ("running", 3, FRAMES)
    assert told["seconds_left"] is not None
    session.cancel()
    go.set()
    assert job.wait(HANGS_AFTER_S)
    assert job.state == "cancelled"
    assert [path.name for path in session.folder.iterdir() if "result" in path.name] == []
    session.render()
    assert len(frames_of(rendered(session))) == FRAMES
    assert len([path for path in session.folder.iterdir() if "result" in path.name]) == 1


def test_new_result_is_shown_and_the_old_stays_in_the_list(session: Session):
    session.open_demo()
    session.render()
    first = rendered(session)
    session.render(format="mkv")
    second = rendered(session)
    assert session.snapshot()["results"]["render"]["file"] == second.name
    assert second.suffix == ".mkv"
    renders = session.snapshot()["renders"]
    assert [(each["name"], each["state"]) for each in renders] == [
        ("demo-bokeh.mp4", "done"),
        ("demo-bokeh.mkv", "done"),
    ]
    assert session.renders.result(renders[0]["number"]).result == first
    session.renders.cancel(renders[0]["number"])
    assert not first.exists()
    with pytest.raises(InputError, match="not there any more"):
        session.renders.result(renders[0]["number"])


def test_known_focus_is_not_found_anew(session: Session, monkeypatch: pytest.MonkeyPatch):
    followed = []
    track = ClassicalTracker.track

    def watched(self: ClassicalTracker, views: Iterable[View], seed: Seed) -> Iterator[TrackedFrame]:
        followed.append(seed)
        return track(self, views, seed)

    monkeypatch.setattr(ClassicalTracker, "track", watched)
    session.open_demo()
    ready(session)
    session.opened().focus(0, *NEAR_POINT, is_locked=False)
    session.render()  # which waits for what is being found
    rendered(session)
    session.render()
    rendered(session)
    session.final(5, "result", Region(0, 0, 1, 1))
    assert len(followed) == 2  # what the demo points at, and what was clicked


@pytest.mark.parametrize(
    ("engine", "format", "named"),
    [
        ("diffusion", "mp4", "is not installed"),
        ("layered", "exe", "format"),
        ("layered", "../x", "format"),
    ],
)
def test_renders_that_cannot_be(session: Session, engine, format: str, named: str):
    session.open_demo()
    with pytest.raises(InputError, match=named):
        session.render(engine=engine, format=format)


def test_nothing_is_rendered_before_anything_is_in_focus(session: Session):
    with pytest.raises(InputError, match="no clip"):
        session.render()
    session.open_demo()
    assert session.project is not None
    session.project.clear()
    with pytest.raises(InputError, match="in focus"):
        session.render()


def test_own_video_and_its_disparity(session: Session, received: Received, tmp_path: Path):
    session.open_video(received(write_video(tmp_path / "a.mp4", frames=8)), "a.mp4")
    assert session.project is not None
    session.project.focus(0, *NEAR_POINT, is_locked=False)
    session.give_disparity(received(write_disparity_video(tmp_path / "d.mkv", frames=8)), "d.mkv")
    told = shown(session, "clip")
    assert (told["depth"], len(told["keyframes"])) == ("from a file", 1)
    ready(session)
    assert not session.picture(3, "result").is_provisional


def test_files_that_do_not_fit_are_refused_and_removed(session: Session, received: Received, tmp_path: Path):
    with pytest.raises(InputError, match=r"notes\.mp4"):
        session.open_video(received(b"not a video at all, but some text"), "notes.mp4")
    cut = write_video(tmp_path / "a.mp4").read_bytes()[:4000]
    with pytest.raises(InputError, match=r"cut\.mp4"):
        session.open_video(received(cut), "cut.mp4")
    assert session.project is None
    with pytest.raises(InputError, match="no clip"):
        session.give_disparity(received(write_disparity_video(tmp_path / "d.mkv")), "d.mkv")
    session.open_demo()
    with pytest.raises(InputError, match="8"):
        session.give_disparity(received(write_disparity_video(tmp_path / "e.mkv", frames=8)), "e.mkv")
    with pytest.raises(InputError, match="colour"):
        session.give_disparity(received(write_video(tmp_path / "f.mp4")), "f.mp4")
    assert [path for path in session.folder.iterdir() if path != session.opened()._folder] == []
    assert shown(session, "clip")["is_demo"]


def test_new_clip_removes_the_old_one(session: Session, received: Received, tmp_path: Path):
    for name in ("a", "b"):
        session.open_video(received(write_video(tmp_path / f"{name}.mp4", frames=4)), name)
    uploads = partial(session.folder.glob, "upload-*")
    wait_for(lambda: len(list(uploads())) == 1, lambda: list(uploads()))
    assert [path.name for path in session.folder.glob("upload-*")] == ["upload-2.mp4"]


def test_one_upload_at_a_time(session: Session):
    with session.receiving(), pytest.raises(InputError, match="in progress"), session.receiving():
        pass
    with session.receiving():
        pass


def test_folder_is_private_and_goes_with_the_visitor(studio: Studio, session: Session):
    assert (studio.folder.stat().st_mode & 0o077, session.folder.stat().st_mode & 0o077) == (0, 0)
    session.open_demo()
    session.render()
    session.close()
    assert not session.folder.exists()
    assert session.job is not None
    assert not session.job.is_live
    with pytest.raises(InputError, match="closed"):
        session.render()
