"""Projects: kept while they are worked on, offered again, saved and opened, and rendered by the command line."""

import json
import os
import shutil
import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from any2bokeh.app.kept_projects import KeptLimits, Shelf, new_secret
from any2bokeh.app.project_commands import Paint
from any2bokeh.app.session import Session
from any2bokeh.app.settings import Settings
from any2bokeh.app.studio import Studio
from any2bokeh.cli.main import run
from any2bokeh.disparity import open_disparity
from any2bokeh.errors import InputError
from any2bokeh.project_file import load_project, loads
from tests import clips
from tests.app.conftest import (
    FAR_POINT,
    FRAMES,
    NEAR_POINT,
    Received,
    disparity_of,
    served,
    wait_for,
    write_disparity_video,
    write_video,
)
from tests.app.test_session import rendered

SECRET = "s" * 43
STROKE = Paint(2, "nearer", [[0.68, 0.4], [0.72, 0.5]], 0.06, 1.0, 0.2)


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def settings(settings: Settings, state: Path) -> Settings:
    """Of a studio that keeps projects."""
    return replace(settings, keeps=True, state=state)


@pytest.fixture
def session(studio: Studio) -> Session:
    return studio.arrive(SECRET)


@pytest.fixture
def next_day(settings: Settings) -> Iterator[Studio]:
    """Another studio of the same user."""
    opened = Studio(settings)
    yield opened
    opened.close()


def edited(session: Session) -> None:
    """A few decisions of all kinds."""
    project = session.opened()
    project.focus(0, *NEAR_POINT, is_locked=True)
    project.focus(15, *FAR_POINT, is_locked=False)
    project.take_lens("cine-anamorphic-50-t2.3")
    project.change_look(highlights=3.0)
    project.treat_edges("off")
    project.blur(31.5)
    session.run(STROKE)


def test_work_outlives_a_crash(session: Session, next_day: Studio, state: Path):
    session.open_demo()
    edited(session)
    opened = session.opened()
    opened.title = "Two squares"
    opened.keep_part(2, 20)
    session.autosave.flush()
    decisions = opened.now

    # The first studio lives on, as a hung one does: it lets go of nothing.
    again = next_day.arrive(SECRET)
    assert again.autosave.shelf is not None
    [offer] = again.autosave.shelf.offers()
    assert (offer.name, offer.clip, offer.is_open) == ("Two squares", "demo.mp4", True)
    with pytest.raises(InputError, match="open in another page"):
        again.go_on_with(offer.id)
    session.close()
    assert not again.autosave.shelf.offers()[0].is_open

    again.go_on_with(offer.id)
    project = again.opened()
    assert project.now == decisions
    assert (project.title, project.in_frame, project.out_frame, project.is_demo) == ("Two squares", 2, 20, True)
    assert again.snapshot()["project"]["notice"] == ""
    for folder in (state, *state.rglob("*")):
        if folder.is_dir():
            assert stat.S_IMODE(folder.stat().st_mode) == 0o700, folder


def test_an_upload_is_kept_with_its_work_until_it_is_discarded(
    session: Session, received: Received, next_day: Studio, tmp_path: Path, state: Path
):
    clip, maps = write_video(tmp_path / "mine.mp4"), write_disparity_video(tmp_path / "maps.mkv")
    session.open_video(received(clip), "mine.mp4")
    session.give_disparity(received(maps), "maps.mkv")
    session.run(STROKE)
    session.autosave.flush()
    session.close()
    again = next_day.arrive(SECRET)
    assert again.autosave.shelf is not None
    [offer] = again.autosave.shelf.offers()
    assert offer.size > clip.stat().st_size + maps.stat().st_size
    again.go_on_with(offer.id)
    project = again.opened()
    assert (project.name, project.depth.given_name) == ("mine.mp4", "maps.mkv")
    assert len(project.now.strokes) == 1
    # Another edit is kept in the same place.
    project.focus(0, *NEAR_POINT, is_locked=True)
    again.autosave.flush()
    assert len(again.autosave.shelf.offers()) == 1
    with pytest.raises(InputError, match="open in another page"):
        again.discard(offer.id)
    again.close()
    third = next_day.arrive(SECRET)
    third.discard(offer.id)
    assert list(state.rglob("*")) == []


def test_other_browsers_are_offered_nothing(session: Session, studio: Studio):
    session.open_demo()
    edited(session)
    session.autosave.flush()
    other = studio.arrive(new_secret())
    assert other.autosave.shelf is not None
    assert other.autosave.shelf.offers() == []
    assert session.autosave.shelf is not None
    [offer] = session.autosave.shelf.offers()
    for act in (other.go_on_with, other.discard):
        with pytest.raises(InputError, match="not kept any more"):
            act(offer.id)


@pytest.mark.parametrize("id", ["", "..", "../" + "0" * 32, "0" * 31, "0" * 32, "/etc", "0" * 32 + "\n", "A" * 32])
def test_no_name_leads_off_the_shelf(session: Session, id: str, state: Path, tmp_path: Path):
    session.open_demo()
    edited(session)
    session.autosave.flush()
    (tmp_path / ("0" * 32)).mkdir()
    (tmp_path / ("0" * 32) / "project.json").write_text("{}")
    for act in (session.go_on_with, session.discard):
        with pytest.raises(InputError, match="not kept any more"):
            act(id)
    assert (tmp_path / ("0" * 32)).is_dir()


def test_nothing_is_kept_of_a_clip_that_is_only_looked_at(session: Session, state: Path):
    session.open_demo()
    session.autosave.flush()
    assert not state.exists()


def test_what_there_is_no_room_for_is_told(session: Session, received: Received, settings: Settings, tmp_path: Path):
    limits = KeptLimits(projects=1, upload_bytes=100)
    session.autosave.shelf = Shelf(SECRET, root=settings.state, limits=limits)
    session.open_video(received(write_video(tmp_path / "mine.mp4", frames=8)), "mine.mp4")
    session.opened().focus(0, *NEAR_POINT, is_locked=False)
    session.autosave.flush()
    assert "no room to keep mine.mp4" in session.snapshot()["project"]["notice"]
    [offer] = session.autosave.shelf.offers()  # the work itself is
    session.open_demo()
    session.opened().focus(3, *FAR_POINT, is_locked=False)
    session.autosave.flush()
    assert "1 projects are kept already" in session.snapshot()["project"]["notice"]

    session.go_on_with(offer.id)
    assert session.snapshot()["project"]["awaits"] == "mine.mp4"
    assert session.opened().name == "demo.mp4"  # until the clip is there
    with pytest.raises(InputError, match=r"other\.mp4 is not mine\.mp4"):
        session.open_video(received(write_video(tmp_path / "other.mp4", frames=9)), "other.mp4")
    session.open_video(received(tmp_path / "mine.mp4"), "again.mp4")
    assert session.snapshot()["project"]["awaits"] == ""
    assert [keyframe.frame for keyframe in session.opened().now.script.keyframes] == [0]  # type: ignore[union-attr]


def test_a_damaged_project_is_not_offered_and_leaves_the_others(session: Session, studio: Studio, state: Path):
    for frame in (0, 3):
        session.open_demo()
        session.opened().focus(frame, *FAR_POINT, is_locked=True)
        session.autosave.flush()
    assert session.autosave.shelf is not None
    newest, oldest = session.autosave.shelf.offers()
    [path] = state.glob(f"*/{oldest.id}/project.json")
    path.write_text(path.read_text()[:100])
    assert [offer.id for offer in session.autosave.shelf.offers()] == [newest.id]
    with pytest.raises(InputError, match="malformed JSON"):
        session.go_on_with(oldest.id)
    session.discard(oldest.id)


def test_the_command_line_renders_a_saved_project_to_the_byte(session: Session, tmp_path: Path):
    session.open_demo()
    edited(session)
    session.render()
    mine = rendered(session)
    text, name = session.project_text()
    assert name == "demo.a2b.json"
    (tmp_path / name).write_text(text)
    theirs = tmp_path / "out.mp4"
    assert run(["refocus", "--project", str(tmp_path / name), "-o", str(theirs), "--quiet"]) == 0
    assert mine.read_bytes() == theirs.read_bytes()
    # Without the stroke it is another picture.
    bare = replace(loads(text), recipe=replace(loads(text).recipe, strokes=()))
    from any2bokeh.project_file import save_project

    save_project(bare, tmp_path / "bare.a2b.json")
    assert run(["refocus", "--project", str(tmp_path / "bare.a2b.json"), "-o", str(tmp_path / "b.mp4"), "--quiet"]) == 0
    assert mine.read_bytes() != (tmp_path / "b.mp4").read_bytes()


@pytest.mark.slow
def test_an_uploaded_clip_with_estimated_disparity_renders_the_same(
    session: Session, received: Received, tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    clip = write_video(tmp_path / "mine.mp4", frames=8)
    session.open_video(received(clip), "mine.mp4")
    session.opened().focus(2, *NEAR_POINT, is_locked=False)
    session.run(STROKE)
    session.opened().keep_part(1, 5)
    session.render(format="mkv")
    mine = rendered(session)
    project = tmp_path / "mine.a2b.json"
    project.write_text(session.project_text()[0])
    assert str(tmp_path) not in project.read_text()
    common = ["--project", str(project), "-o", str(tmp_path / "out.mkv"), "--quiet"]
    assert run(["refocus", *common]) == 2
    assert "uploaded" in capfd.readouterr().err
    other = write_video(tmp_path / "other.mp4", frames=9)
    assert run(["refocus", str(other), *common]) == 2
    assert "is not mine.mp4" in capfd.readouterr().err
    assert run(["refocus", str(clip), *common, "--blur", "3"]) == 2
    assert "--blur 3.0 contradicts" in capfd.readouterr().err
    assert run(["refocus", str(clip), *common]) == 0
    # Matroska gives each file a random number, so not to the byte.
    assert len(clips.decoded(mine)) == 5
    for one, other in zip(clips.decoded(mine), clips.decoded(tmp_path / "out.mkv"), strict=True):
        np.testing.assert_array_equal(one, other)


def test_exported_disparity_has_the_strokes(session: Session, tmp_path: Path):
    session.open_demo()
    session.run(STROKE)
    project = tmp_path / "p.a2b.json"
    project.write_text(session.project_text()[0])
    assert run(["depth", "--project", str(project), "-o", str(tmp_path / "maps.npz"), "--quiet"]) == 0
    maps = open_disparity(tmp_path / "maps.npz", clip_frame_count=FRAMES)
    changed = [np.abs(maps.at(index)[0] - disparity_of(index)) > 0.1 for index in range(FRAMES)]
    assert not changed[1].any()
    for index in (2, 10, FRAMES - 1):  # the square that it lies on moves a quarter of a pixel a frame
        rows, columns = np.nonzero(changed[index])
        assert columns.mean() == pytest.approx(134 + (index - 2) / 4, abs=2)
        assert rows.mean() == pytest.approx(48, abs=2)


def test_pictures_show_strokes_and_undo_takes_them_back_one_by_one(session: Session):
    session.open_demo()
    before = session.picture(2, "depth").jpeg
    session.run(STROKE)
    once = session.picture(2, "depth").jpeg
    session.run(replace(STROKE, tool="farther", points=[[0.2, 0.2]]))
    twice = session.picture(2, "depth").jpeg
    assert len({before, once, twice}) == 3
    session.opened().undo()
    assert session.picture(2, "depth").jpeg == once
    session.opened().undo()
    assert session.picture(2, "depth").jpeg == before
    session.opened().redo()
    assert session.picture(2, "depth").jpeg == once
    with pytest.raises(InputError, match="no brush stroke on frame 3"):
        session.opened().wipe(3)
    session.opened().wipe(2)
    assert session.picture(2, "depth").jpeg == before


def test_a_saved_project_opens_again_for_the_clip_that_is_open(session: Session):
    session.open_demo()
    edited(session)
    decisions, text = session.opened().now, session.project_text()[0]
    session.opened().clear()
    session.load_project(text, "demo.a2b.json")
    assert session.opened().now == decisions
    session.opened().undo()
    assert session.opened().now.script is None  # to load one is one decision


def test_a_saved_project_of_the_demo_opens_with_the_demo(session: Session):
    session.open_demo()
    edited(session)
    decisions, text = session.opened().now, session.project_text()[0]
    session.opened().close()
    session.project = None  # as on the first screen
    session.load_project(text, "demo.a2b.json")
    assert session.snapshot()["project"]["awaits"] == "demo.mp4"
    session.open_demo()
    assert session.opened().now == decisions
    assert session.snapshot()["project"]["awaits"] == ""


def faulty(session: Session, **changes: object) -> str:
    given = json.loads(session.project_text()[0])
    for place, value in changes.items():
        *parents, key = place.split("__")
        at = given
        for parent in parents:
            at = at[parent]
        at[key] = value
    return json.dumps(given)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"version": 2}, "version is 2; this release reads version 1"),
        ({"surprise": 1}, "unknown key 'surprise'"),
        ({"name": ["a"]}, "name: it is"),
        ({"name": "a\nb"}, "name: it is"),
        ({"name": "x" * 201}, "name: it is"),
        ({"saved": "yesterday"}, "saved: it is 'yesterday'"),
        ({"clip__bytes": -1}, "clip: bytes is -1"),
        ({"clip__sha256": "../../etc"}, "clip: sha256 is"),
        ({"clip__path": 7}, "clip: path is 7"),
        ({"in_frame": 1.5}, "in_frame: it is 1.5"),
        ({"in_frame": 9, "out_frame": 3}, "in_frame is 9 and out_frame 3"),
        ({"out_frame": 5000}, "out_frame is 5000, but the clip has"),
        ({"lens__f_number": "fast"}, "lens: f_number is 'fast'"),
        ({"lens__f_number": 0}, "lens: f number is 0"),
        ({"blur": -3}, "blur: it is -3"),
        ({"recipe__grain": 1}, "grain is set, which the studio cannot show"),
        ({"recipe__look": {"aperture_image": "/etc/passwd"}}, "aperture_image names a file"),
        ({"recipe__disparity": "/etc/passwd"}, "path of disparity"),
        ({"recipe__focus": {"auto": {"min_hold_s": 3.5}}}, "focus is no script"),
        (
            {"recipe__focus": {"script": {"version": 1, "keyframes": [{"frame": 0, "mask": "/etc/passwd"}]}}},
            "mask by its path",
        ),
        ({"recipe__strokes": [{"frame": 5000, "tool": "same", "points": [[0, 0]]}]}, "stroke 0 is on frame 5000"),
        ({"recipe__strokes": [{"frame": 0, "tool": "same", "points": [[0, 7]]}]}, "recipe: strokes: stroke 0: y of"),
    ],
)
def test_projects_with_faults_are_refused_in_one_line_that_names_the_place(
    session: Session, changes: dict[str, object], said: str
):
    session.open_demo()
    before = session.opened().now
    with pytest.raises(InputError, match=said) as caught:
        session.load_project(faulty(session, **changes), "p.json")
    assert "\n" not in str(caught.value)
    assert session.opened().now == before
    assert session.awaited is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "malformed JSON"),
        ("[" * 100_000, "nested too deeply"),
        ("[]", "a project is an object"),
        ('{"version": 1}', "name is missing"),
        ('{"version": 1, "version": 1}', "given twice"),
        ('{"version": 1, "name": NaN}', "NaN"),
    ],
)
def test_what_is_no_project_is_refused(text: str, said: str):
    with pytest.raises(InputError, match=said):
        loads(text)


def test_projects_over_http(settings: Settings, tmp_path: Path):
    with served(settings) as site:
        own = site.own | {"X-Any2bokeh-Browser": SECRET}
        answer = site.ask("/api/sessions", method="POST", headers=own).json
        assert answer["browser"] == SECRET
        session = site.studio.session(answer["token"])
        mine = f"/api/{session.token}/"
        assert site.command(session, {"do": "demo"}).status == 200
        stroke = {"frame": 0, "tool": "front", "points": [[0.5, 0.5]], "radius": 0.05, "strength": 1}
        told = site.command(session, {"do": "paint", **stroke}).json
        assert told["clip"]["strokes"] == [[0, "front"]]
        assert site.command(session, {"do": "name", "name": " Two  <b>squares</b> "}).status == 200
        wait_for(lambda: bool(site.snapshot(session)["project"]["saved"]), lambda: site.snapshot(session)["project"])
        [offer] = site.ask(mine + "projects").json["kept"]
        assert offer["clip"] == "demo.mp4"
        saved = site.ask(mine + "project.json")
        assert "Two%20bsquares" not in saved.headers["content-disposition"]  # markup is no part of a file's name
        assert saved.json["name"] == "Two <b>squares</b>"
        for body, status in ((b"\xff", 400), (b"{}", 400), (b" " * (17 << 20), 413), (saved.body, 200)):
            sent = site.ask(mine + "project?name=../p.json", method="POST", body=body, headers=site.own)
            assert sent.status == status, sent.body
        for asked in (
            {"do": "open project", "id": "../../etc"},
            {"do": "open project", "id": 1},
            {"do": "discard project", "id": "/"},
            {"do": "paint", **stroke, "points": "all"},
            {"do": "paint", **stroke, "points": [[1, 2]] * 3000},
            {"do": "paint", **stroke, "file": "/etc/passwd"},
            {"do": "paint", **stroke, "frame": 5000},
            {"do": "name", "name": " "},
        ):
            assert site.command(session, asked).status in (400, 413), asked
        assert site.ask("/api/sessions", method="POST", headers=site.own | {"X-Any2bokeh-Browser": "../x"}).json[
            "browser"
        ] not in ("../x", SECRET)


def test_a_killed_studio_leaves_work_that_the_next_one_offers(settings: Settings, state: Path, tiny_demo: Path):
    """The process is gone between two writes: what was kept before is whole, and free to be gone on with."""
    child = os.fork() if hasattr(os, "fork") else None
    if child is None:
        pytest.skip("needs fork, to kill a studio")
    if child == 0:  # pragma: no cover (dies)
        session = Studio(settings).arrive(SECRET)
        session.open_demo()
        session.opened().focus(3, *FAR_POINT, is_locked=True)
        session.autosave.flush()
        os.kill(os.getpid(), 9)
    os.waitpid(child, 0)
    again = Studio(settings)
    try:
        session = again.arrive(SECRET)
        assert session.autosave.shelf is not None
        [offer] = session.autosave.shelf.offers()
        assert not offer.is_open
        session.go_on_with(offer.id)
        script = session.opened().now.script
        assert script is not None
        assert [keyframe.frame for keyframe in script.keyframes] == [0, 3]
    finally:
        again.close()
    shutil.rmtree(state)


def test_a_project_comes_back_equal(session: Session, tmp_path: Path):
    session.open_demo()
    edited(session)
    project = session.autosave.file_of(session.opened())
    from any2bokeh.project_file import save_project

    save_project(project, tmp_path / "p.json")
    assert load_project(tmp_path / "p.json") == project


def test_a_project_of_another_clip_waits_for_its_clip(session: Session, received: Received, tmp_path: Path):
    clip, maps = write_video(tmp_path / "mine.mp4"), write_disparity_video(tmp_path / "maps.mkv")
    session.open_video(received(clip), "mine.mp4")
    session.give_disparity(received(maps), "maps.mkv")
    session.run(STROKE)
    text = session.project_text()[0]
    session.open_video(received(write_video(tmp_path / "other.mp4", frames=9)), "other.mp4")
    session.load_project(text, "mine.a2b.json")
    assert session.snapshot()["project"]["awaits"] == "mine.mp4"
    session.open_video(received(clip), "renamed.mp4")
    assert [stroke.tool for stroke in session.opened().now.strokes] == ["nearer"]
    assert "made with the disparity maps.mkv" in session.snapshot()["project"]["remark"]
    session.give_disparity(received(maps), "maps.mkv")
    assert session.snapshot()["project"]["remark"] == ""
    assert [stroke.tool for stroke in session.opened().now.strokes] == ["nearer"]
