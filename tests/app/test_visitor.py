import shlex
import threading
import time
from pathlib import Path

import av
import numpy as np
import pytest

from any2bokeh.app import render_work
from any2bokeh.app.render_job import JobKind
from any2bokeh.app.studio import Studio
from any2bokeh.app.visitor import Visitor
from any2bokeh.cli.main import run
from any2bokeh.errors import InputError
from any2bokeh.focus import FocusScript
from tests import clips
from tests.app.conftest import FAR_POINT, FRAMES, NEAR_POINT, Received, ready, write_disparity_video, write_video


def frames_of(path: Path) -> list[np.ndarray]:
    return [np.asarray(frame) for frame in clips.decoded(path)]


def rendered(visitor: Visitor, kind: JobKind = "render") -> Path:
    assert visitor.job is not None
    assert visitor.job.wait(120)
    assert visitor.job.state == "done", visitor.job.told()
    result = visitor.result(kind).result
    assert result is not None
    return result


def test_demo_opens_in_focus(visitor: Visitor):
    visitor.open_demo()
    told = visitor.told()["clip"]
    assert (told["frames"], told["is_demo"], told["depth"]) == (FRAMES, True, "from a file")
    assert [row["track"] for row in told["keyframes"]] == [True]
    ready(visitor)
    assert visitor.picture(0, "result").focus is not None


def test_render_is_what_the_command_line_makes_of_the_saved_script(visitor: Visitor, demo_clip: Path, tmp_path: Path):
    visitor.open_demo()
    assert visitor.project is not None
    visitor.project.clear()
    visitor.project.blur(30)
    visitor.project.focus(0, *NEAR_POINT, is_locked=True)
    visitor.project.focus(15, *FAR_POINT, is_locked=False)
    visitor.project.take_lens("cine-anamorphic-50-t2.3")
    visitor.project.change_look(highlights=3.0)
    visitor.render()
    mine = rendered(visitor)

    (tmp_path / "focus.json").write_text(visitor.script_text())
    words = shlex.split(visitor.told()["command"])
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


def test_estimated_disparity_renders_as_on_the_command_line(visitor: Visitor, received: Received, tmp_path: Path):
    clip = write_video(tmp_path / "mine.mp4", frames=8)
    visitor.open_video(received(clip), "mine.mp4")
    assert visitor.project is not None
    visitor.project.focus(2, *NEAR_POINT, is_locked=False)
    visitor.render()
    mine = rendered(visitor)
    (tmp_path / "focus.json").write_text(visitor.script_text())
    common = ["--focus-script", tmp_path / "focus.json", "--depth-model", "rough", "--tracker", "classical", "--quiet"]
    assert run(list(map(str, ["refocus", clip, *common, "-o", tmp_path / "out.mp4"]))) == 0
    for one, other in zip(frames_of(mine), frames_of(tmp_path / "out.mp4"), strict=True):
        np.testing.assert_array_equal(one, other)


def test_saved_script_loads_again(visitor: Visitor):
    visitor.open_demo()
    assert visitor.project is not None
    visitor.project.focus(9, *FAR_POINT, is_locked=True)
    text = visitor.script_text()
    visitor.project.clear()
    with pytest.raises(InputError, match="no focus script"):
        visitor.script_text()
    visitor.load_script(text)
    assert visitor.script_text() == text
    assert FocusScript.loads(text).dumps() == text


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("{", "line 1"),
        ('{"version": 1, "keyframes": [{"frame": 0, "mask": "/etc/passwd", "blur_strength": 9}]}', "no paths"),
        ('{"version": 1, "keyframes": [{"frame": 99, "point": [0.5, 0.5], "blur_strength": 9}]}', "frame 99"),
        ('{"version": 1, "surprise": 1}', "surprise"),
    ],
)
def test_bad_scripts_leave_everything_as_it_was(visitor: Visitor, text: str, named: str):
    visitor.open_demo()
    before = visitor.script_text()
    with pytest.raises(InputError, match=named):
        visitor.load_script(text)
    assert visitor.script_text() == before


def test_cancelled_render_leaves_nothing_and_another_starts(visitor: Visitor, monkeypatch: pytest.MonkeyPatch):
    visitor.open_demo()
    begun, go = threading.Event(), threading.Event()
    whole = render_work.RenderWork.whole

    def slow(self, report, info, **more):
        def told(done, total):
            report(done, total)
            if done == 3 and not go.is_set():
                begun.set()
                go.wait(20)
                report(done, total)

        return whole(self, told, info, **more)

    monkeypatch.setattr(render_work.RenderWork, "whole", slow)
    visitor.render()
    assert begun.wait(60)
    job = visitor.job
    assert job is not None
    with pytest.raises(InputError, match="not over yet"):
        visitor.render()
    told = visitor.told()["job"]
    assert (told["state"], told["done"], told["total"]) == ("running", 3, FRAMES)
    assert told["seconds_left"] is not None
    visitor.cancel()
    go.set()
    assert job.wait(30)
    assert job.state == "cancelled"
    assert [path.name for path in visitor.folder.iterdir() if "result" in path.name] == []
    visitor.render()
    assert len(frames_of(rendered(visitor))) == FRAMES
    assert len([path for path in visitor.folder.iterdir() if "result" in path.name]) == 1


def test_new_result_takes_the_place_of_the_old(visitor: Visitor):
    visitor.open_demo()
    visitor.render()
    first = rendered(visitor)
    visitor.render(format="mkv")
    second = rendered(visitor)
    assert visitor.told()["results"] == {"render": second.name}
    assert second.suffix == ".mkv"
    assert not first.exists()


def test_loop_is_a_short_draft(visitor: Visitor):
    visitor.open_demo()
    visitor.loop(FRAMES - 1)
    loop = rendered(visitor, "loop")
    with av.open(str(loop)) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.pix_fmt, len(container.streams.audio)) == ("h264", "yuv420p", 0)
    assert len(frames_of(loop)) == FRAMES  # shorter than two seconds: all of it


@pytest.mark.parametrize(
    ("engine", "format", "named"),
    [("diffusion", "mp4", "no diffusion engine"), ("layered", "exe", "format"), ("layered", "../x", "format")],
)
def test_renders_that_cannot_be(visitor: Visitor, engine, format: str, named: str):
    visitor.open_demo()
    with pytest.raises(InputError, match=named):
        visitor.render(engine=engine, format=format)


def test_nothing_is_rendered_before_anything_is_in_focus(visitor: Visitor):
    with pytest.raises(InputError, match="no clip"):
        visitor.render()
    visitor.open_demo()
    assert visitor.project is not None
    visitor.project.clear()
    with pytest.raises(InputError, match="in focus"):
        visitor.render()


def test_own_video_and_its_disparity(visitor: Visitor, received: Received, tmp_path: Path):
    visitor.open_video(received(write_video(tmp_path / "a.mp4", frames=8)), "a.mp4")
    assert visitor.project is not None
    visitor.project.focus(0, *NEAR_POINT, is_locked=False)
    visitor.give_disparity(received(write_disparity_video(tmp_path / "d.mkv", frames=8)), "d.mkv")
    told = visitor.told()["clip"]
    assert (told["depth"], len(told["keyframes"])) == ("from a file", 1)
    ready(visitor)
    assert not visitor.picture(3, "result").is_provisional


def test_files_that_do_not_fit_are_refused_and_removed(visitor: Visitor, received: Received, tmp_path: Path):
    with pytest.raises(InputError, match=r"notes\.mp4"):
        visitor.open_video(received(b"not a video at all, but some text"), "notes.mp4")
    cut = write_video(tmp_path / "a.mp4").read_bytes()[:4000]
    with pytest.raises(InputError, match=r"cut\.mp4"):
        visitor.open_video(received(cut), "cut.mp4")
    assert visitor.project is None
    with pytest.raises(InputError, match="no clip"):
        visitor.give_disparity(received(write_disparity_video(tmp_path / "d.mkv")), "d.mkv")
    visitor.open_demo()
    with pytest.raises(InputError, match="8"):
        visitor.give_disparity(received(write_disparity_video(tmp_path / "e.mkv", frames=8)), "e.mkv")
    with pytest.raises(InputError, match="colour"):
        visitor.give_disparity(received(write_video(tmp_path / "f.mp4")), "f.mp4")
    assert list(visitor.folder.iterdir()) == []
    assert visitor.told()["clip"]["is_demo"]


def test_new_clip_removes_the_old_one(visitor: Visitor, received: Received, tmp_path: Path):
    for name in ("a", "b"):
        visitor.open_video(received(write_video(tmp_path / f"{name}.mp4", frames=4)), name)
    until = time.monotonic() + 20
    while len(list(visitor.folder.glob("upload-*"))) > 1 and time.monotonic() < until:
        time.sleep(0.01)
    assert [path.name for path in visitor.folder.glob("upload-*")] == ["upload-2.mp4"]


def test_one_upload_at_a_time(visitor: Visitor):
    with visitor.receiving(), pytest.raises(InputError, match="on its way"), visitor.receiving():
        pass
    with visitor.receiving():
        pass


def test_folder_is_private_and_goes_with_the_visitor(studio: Studio, visitor: Visitor):
    assert (studio.folder.stat().st_mode & 0o077, visitor.folder.stat().st_mode & 0o077) == (0, 0)
    visitor.open_demo()
    visitor.render()
    visitor.close()
    assert not visitor.folder.exists()
    assert visitor.job is not None
    assert not visitor.job.is_live
    with pytest.raises(InputError, match="closed"):
        visitor.render()
