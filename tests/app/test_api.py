"""The studio over HTTP, asked as its page asks it."""

import http.client
import io
import json
from collections.abc import Iterator
from dataclasses import MISSING, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from any2bokeh.app.commands import COMMANDS, command_of
from any2bokeh.app.session import Session
from any2bokeh.app.settings import Limits, Settings
from any2bokeh.errors import InputError
from any2bokeh.focus import TrackerChoice
from any2bokeh.optics.catalogue import lenses
from any2bokeh.optics.look import LOOK_SETTINGS
from tests.app.conftest import (
    FAR_POINT,
    FRAMES,
    HANGS_AFTER_S,
    HEIGHT,
    NEAR_POINT,
    WIDTH,
    Site,
    disparity_of,
    ready,
    served,
    wait_for,
    write_disparity_video,
    write_video,
)
from tests.app.live.test_message import opened

LIMITS = Limits(upload_bytes=300_000, script_bytes=1 << 12, sessions=6, waiting_renders=2, grace_s=3600)


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with served(Settings(limits=LIMITS, depth_model="rough", tracker=TrackerChoice("classical"))) as running:
        yield running


@pytest.fixture
def session(site: Site) -> Iterator[Session]:
    opened = site.studio.arrive()
    yield opened
    site.forget(opened)


def test_page_and_its_modules_are_there(site: Site):
    page = site.ask("/")
    assert page.status == 200
    assert b"any2bokeh studio" in page.body
    for name, kind in (("main.js", "text/javascript"), ("studio.css", "text/css"), ("icon.svg", "image/svg+xml")):
        answer = site.ask(f"/static/{name}")
        assert (answer.status, answer.headers["content-type"]) == (200, f"{kind}; charset=utf-8")
        known = {"If-None-Match": answer.headers["etag"]}
        assert site.ask(f"/static/{name}", headers=known).status == 304
    assert site.ask("/live").status == 204
    assert site.ask("/demo.jpg").body[:3] == b"\xff\xd8\xff"


def test_a_new_session_is_given_by_the_studio(site: Site):
    answer = site.ask("/api/sessions", method="POST", headers=site.own)
    assert answer.status == 201
    assert answer.json["snapshot"]["clip"] is None
    assert site.studio.session(answer.json["token"]).snapshot()["number"] == answer.json["snapshot"]["number"]


def test_controls_are_those_of_the_tables(site: Site):
    told = site.ask("/api/controls").json
    sliders = {each["name"]: each for group in told["looks"] for each in group["sliders"]}
    assert set(sliders) == set(LOOK_SETTINGS) - {"highlight_threshold"}
    for name, slider in sliders.items():
        setting = LOOK_SETTINGS[name]
        assert (slider["low"], slider["high"]) == (setting.slider_low, setting.slider_high)
        assert (slider["label"], slider["help"]) == (setting.label, setting.help)
        assert ("choice" in slider) == bool(setting.word)
    lamps = [each["value"] for each in sliders["highlights"]["choice"]["options"]]
    assert lamps == [0, "auto", 8]
    for value in lamps:
        LOOK_SETTINGS["highlights"].require(value)
    assert [each["name"] for each in told["lenses"]] == ["plain", *lenses()]
    assert [each["name"] for each in told["engines"]] == ["layered"]


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_takes_its_own_fields_and_no_other(name: str):
    needed = [each for each in fields(COMMANDS[name]) if each.default is MISSING]  # pyright: ignore[reportArgumentType]
    if needed:
        with pytest.raises(InputError, match=f"{name} needs {needed[0].name}"):
            command_of({"do": name})
    else:
        assert isinstance(command_of({"do": name}), COMMANDS[name])
    with pytest.raises(InputError, match=f"{name} takes no 'path'"):
        command_of({"do": name, "path": "/etc/passwd"})


def test_commands_come_back_as_snapshots(site: Site, session: Session):
    told = site.command(session, {"do": "demo"}).json
    assert (told["clip"]["frames"], told["clip"]["can_undo"]) == (FRAMES, False)
    asked: list[tuple[dict[str, Any], Any]] = [
        ({"do": "focus", "frame": 9, "x": 0.3, "y": 0.55, "locked": True}, lambda c: c["keyframes"][1]["locked"]),
        ({"do": "blur", "frame": 9, "strength": 31, "begins": True}, lambda c: c["strengths"] == [[0, 26], [9, 31]]),
        ({"do": "blur", "frame": 3, "strength": 5}, lambda c: c["strengths"] == [[0, 5], [9, 31]]),
        ({"do": "look", "name": "blades", "value": 5}, lambda c: c["lens"]["look"]["blades"] == 5),
        ({"do": "look", "name": "highlights", "value": "auto"}, lambda c: c["lens"]["look"]["highlights"] == "auto"),
        ({"do": "edges", "treatment": "classical"}, lambda c: c["edges"] == "classical"),
        ({"do": "lens", "name": "portrait-85-f1.4"}, lambda c: c["lens"]["name"] == "portrait-85-f1.4"),
        ({"do": "lens number", "name": "f_number", "value": 2.8}, lambda c: c["lens"]["numbers"]["f_number"] == 2.8),
        ({"do": "change", "frame": 9, "changes": {"easing": "hold"}}, lambda c: c["keyframes"][1]["easing"] == "hold"),
        ({"do": "move", "frame": 9, "to": 12}, lambda c: [k["frame"] for k in c["keyframes"]] == [0, 12]),
        ({"do": "delete", "frame": 12}, lambda c: [k["frame"] for k in c["keyframes"]] == [0]),
        ({"do": "undo"}, lambda c: [k["frame"] for k in c["keyframes"]] == [0, 12] and c["can_redo"]),
        ({"do": "redo"}, lambda c: [k["frame"] for k in c["keyframes"]] == [0]),
        ({"do": "clear"}, lambda c: c["keyframes"] == []),
    ]
    number = told["number"]
    for command, holds in asked:
        answer = site.command(session, command)
        assert answer.status == 200, answer.error
        assert holds(answer.json["clip"]), (command, answer.json["clip"])
        assert answer.json["number"] > number
        number = answer.json["number"]


def test_events_tell_what_others_and_the_background_do(site: Site, session: Session):
    connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=HANGS_AFTER_S)
    connection.request("GET", f"/api/{session.token}/events")
    answer = connection.getresponse()
    assert (answer.status, answer.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")

    def next_snapshot() -> dict[str, Any]:
        while True:
            line = answer.readline()
            if line.startswith(b"data: "):
                return json.loads(line[6:])

    assert next_snapshot()["clip"] is None
    assert session.streams == 1
    site.command(session, {"do": "demo"})
    told = next_snapshot()
    while told["clip"]["finding"]["stage"] != "ready":
        newer = next_snapshot()
        assert newer["number"] > told["number"]
        told = newer
    site.command(session, {"do": "render"})
    while told["job"] is None or told["job"]["state"] != "done":
        told = next_snapshot()
    assert told["results"]["render"]["is_current"]
    connection.close()


def test_result_knows_whether_it_is_current(site: Site, session: Session):
    session.open_demo()
    session.render()
    assert session.job is not None
    assert session.job.wait(HANGS_AFTER_S)

    def is_current() -> bool:
        return site.snapshot(session)["results"]["render"]["is_current"]

    assert is_current()
    site.command(session, {"do": "look", "name": "blades", "value": 5})
    assert not is_current()
    site.command(session, {"do": "undo"})
    assert is_current()
    result = session.result("render").result
    assert result is not None
    answer = site.ask(f"/api/{session.token}/result?download=1")
    assert answer.body == result.read_bytes()
    assert 'filename="demo-bokeh.mp4"' in answer.headers["content-disposition"]


def test_the_copy_of_a_clip_is_that_of_the_clip_which_the_page_shows(site: Site, session: Session, tmp_path: Path):
    mine = f"/api/{session.token}/proxy?of="
    site.send(session, "video", write_video(tmp_path / "clip.mp4", frames=8).read_bytes())
    first = session.opened().playback.proxy
    wait_for(lambda: first.is_ready, lambda: first.progress)
    shown = site.snapshot(session)["clip"]["playback"]["of"]
    content = first.path.read_bytes()
    part = site.ask(mine + shown, headers={"Range": "bytes=100-"})
    assert (part.status, part.body) == (206, content[100:])
    assert site.ask(mine + shown).body == content

    site.send(session, "video", write_video(tmp_path / "longer.mp4", frames=12).read_bytes())
    second = session.opened().playback.proxy
    wait_for(lambda: second.is_ready, lambda: second.progress)
    # a player that reads on gets nothing, and not the rest of another clip
    assert site.ask(mine + shown, headers={"Range": "bytes=100-"}).status == 204
    now = site.snapshot(session)["clip"]["playback"]["of"]
    assert site.ask(mine + now).body == second.path.read_bytes()
    second.path.unlink()
    assert site.ask(mine + now).status == 204


def test_upload_opens(site: Site, session: Session, tmp_path: Path):
    clip = write_video(tmp_path / "clip.mp4", frames=8).read_bytes()
    told = site.send(session, "video", clip, name="my%20clip.mp4").json["clip"]
    assert (told["name"], told["frames"]) == ("my clip.mp4", 8)
    maps = write_disparity_video(tmp_path / "d.mkv", frames=8).read_bytes()
    told = site.send(session, "disparity", maps, name="maps%20of%20it.mkv").json
    assert "--disparity 'maps of it.mkv'" in told["command"]  # a file that the user has
    script = {"version": 1, "keyframes": [{"frame": 0, "point": list(NEAR_POINT), "blur_strength": 30}]}
    assert site.send(session, "script", json.dumps(script).encode(), name="focus.json").status == 200
    picture = site.ask(f"/api/{session.token}/picture?frame=3")
    assert picture.body[:3] == b"\xff\xd8\xff"
    assert float(picture.headers["x-focus"]) == pytest.approx(0.9, abs=0.01)
    saved = site.ask(f"/api/{session.token}/focus.json")
    assert saved.json["keyframes"] == script["keyframes"]
    assert "attachment" in saved.headers["content-disposition"]


def test_files_that_the_command_line_of_the_demo_names_are_offered(site: Site, session: Session, demo_clip: Path):
    session.open_demo()
    command = site.snapshot(session)["command"]
    for name, file in (("demo.mp4", "clip.mp4"), ("disparity.mkv", "disparity.mkv")):
        assert name in command
        assert site.ask(f"/demo/{name}").body == (demo_clip / file).read_bytes()


@pytest.mark.parametrize(
    ("kind", "content", "status", "named"),
    [
        ("video", b"", 400, "empty"),
        ("video", b"#!/bin/sh\nrm -rf /\n", 400, "not a video"),
        ("video", b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n", 400, "not a video"),
        ("video", bytes(LIMITS.upload_bytes + 1), 413, "larger than"),
        ("video", b"\x00\x00\x00\x18ftypmp42" + bytes(4000), 400, "clip.mp4"),
        ("disparity", b"\x93NUMPY\x01\x00", 400, "clip is open"),
        ("script", bytes(LIMITS.script_bytes + 1), 413, "choose a focus script"),
        ("script", b"\xff\xfe\x00", 400, "UTF-8"),
        ("script", b"{}", 400, "clip is open"),
    ],
    ids=lambda value: repr(value[:10]) if isinstance(value, bytes) else str(value),
)
def test_wrong_files_are_told_in_a_sentence(
    site: Site, session: Session, kind: str, content: bytes, status: int, named: str
):
    answer = site.send(session, kind, content)
    assert answer.status == status
    assert named in answer.error
    assert str(session.folder) not in answer.error
    assert answer.error.endswith(".")
    assert list(session.folder.iterdir()) == []


def test_requests_that_cannot_be_read_are_told(site: Site, session: Session):
    session.open_demo()
    for query in ("frame=x", "frame=", "frame=99999999999", "frame=-1", "frame=²", "frame=0&view=../../etc", ""):
        answer = site.ask(f"/api/{session.token}/picture?{query.replace('²', '%C2%B2')}")
        assert answer.status == 400
        assert answer.error


def test_messages_are_in_the_words_of_the_page(site: Site, session: Session):
    session.open_demo()
    answer = site.command(session, {"do": "change", "frame": 0, "changes": {"transition_s": -1}})
    assert answer.status == 400
    assert "transition_s" not in answer.error
    assert "length of the move" in answer.error


def test_options_without_a_word_on_the_page_are_said_to_be_such(site: Site, session: Session):
    session.open_demo()
    count = session.opened().source.info.frame_count
    maps = io.BytesIO()
    np.save(maps, np.full((count, 4, 6), np.nan, np.float32))
    answer = site.send(session, "disparity", maps.getvalue(), name="maps.npy")
    assert answer.status == 400
    assert "--disparity-kind depth. Words that begin with -- are options of any2bokeh refocus" in answer.error


def test_nothing_is_left_when_the_server_ends():
    with served(Settings(limits=replace(LIMITS, grace_s=60), tracker=TrackerChoice("classical"))) as running:
        session = running.studio.arrive()
        session.open_demo()
        session.render()
        folder = running.studio.folder
        assert list(folder.iterdir())
        connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=HANGS_AFTER_S)
        connection.request("GET", f"/api/{session.token}/events")  # a page that is open does not hold it up
        assert connection.getresponse().status == 200
    assert not folder.exists()


def test_disparity_of_played_frames_is_told_with_their_focus(site: Site, session: Session):
    mine = f"/api/{session.token}/"
    site.command(session, {"do": "demo"})
    ready(session)
    answer = site.ask(mine + "live-disparity?frame=19&count=5")
    assert answer.status == 200
    assert answer.headers["cache-control"] == "no-store"
    said, arrays = opened(answer.body)
    assert [each["frame"] for each in said["frames"]] == [19, 20, 21, 22, 23]
    told = site.ask(mine + "picture?frame=23").headers
    assert said["frames"][-1]["blur_strength"] == pytest.approx(float(told["x-blur"]))
    assert said["frames"][-1]["focus_disparity"] == pytest.approx(float(told["x-focus"]), abs=1e-4)
    for index, disparity in zip(range(19, 24), arrays["disparity"], strict=True):
        # Half a step of 8 bits.
        np.testing.assert_allclose(disparity, disparity_of(index), rtol=0, atol=0.5 / 255 + 1e-4)

    sparse = opened(site.ask(mine + f"live-disparity?frame={FRAMES - 7}&count=3&every=3").body)[0]["frames"]
    assert [each["frame"] for each in sparse] == [FRAMES - 7, FRAMES - 4, FRAMES - 1]

    site.command(session, {"do": "blur", "frame": 0, "strength": 50, "begins": False})
    ready(session)
    again = opened(site.ask(mine + "live-disparity?frame=3&count=1").body)[0]["frames"]
    assert [(each["frame"], each["blur_strength"]) for each in again] == [(3, 50)]
    site.command(session, {"do": "clear"})
    assert site.ask(mine + "live-disparity?frame=3&count=1").status == 204


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ("", "frame"),
        ("frame=-1&count=1", "frame"),
        ("frame=0", "count"),
        ("frame=0&count=0", "count"),
        ("frame=0&count=9", "count"),
        ("frame=0&count=1e9", "count"),
        (f"frame={FRAMES}&count=1", "frames 0 to"),
        (f"frame={FRAMES - 1}&count=2", "frames 0 to"),
        ("frame=0&count=1&every=0", "every"),
        ("frame=0&count=1&every=9", "every"),
        (f"frame={FRAMES - 4}&count=2&every=4", "frames 0 to"),
    ],
)
def test_disparity_of_other_frames_is_refused(site: Site, session: Session, asked: str, names: str):
    session.open_demo()
    answer = site.ask(f"/api/{session.token}/live-disparity?{asked}")
    assert answer.status == 400
    assert names in answer.error.lower()


def test_disparity_is_told_to_its_session_alone(site: Site, session: Session):
    session.open_demo()
    asked = "live-disparity?frame=0&count=1"
    assert site.ask(f"/api/{'0' * len(session.token)}/{asked}").status == 404
    foreign = {"Host": "example.org"}
    assert site.ask(f"/api/{session.token}/{asked}", headers=foreign).status in (400, 403, 421)
    assert site.ask(f"/api/{session.token}/{asked}", method="POST", body=b"", headers=site.own).status == 405


def test_a_frame_of_the_live_preview_is_told_once_its_focus_is_known(site: Site, session: Session):
    mine = f"/api/{session.token}/"
    site.command(session, {"do": "demo"})
    ready(session)
    picture, frame = site.ask(mine + "picture?frame=3"), site.ask(mine + "live-frame?frame=3")
    assert frame.status == 200
    assert frame.headers["x-live"] == picture.headers["x-live"]
    said = json.loads(frame.body[4 : 4 + int.from_bytes(frame.body[:4], "little")])
    assert said["arrays"]["pixels"]["shape"] == [3, HEIGHT, WIDTH]
    assert said["blur_strength"] == pytest.approx(float(picture.headers["x-blur"]))
    assert said["focus_disparity"] == pytest.approx(float(picture.headers["x-focus"]), abs=1e-4)
    assert site.ask(mine + f"live-frame?frame={FRAMES}").status == 400
    assert "x-live" not in site.ask(mine + "picture?frame=3&view=source").headers

    # Blur and look leave it as it is; another subject does not.
    site.command(session, {"do": "blur", "frame": 0, "strength": 50, "begins": False})
    site.command(session, {"do": "look", "name": "blades", "value": 5})
    ready(session)
    assert site.ask(mine + "live-frame?frame=3").headers["x-live"] == frame.headers["x-live"]
    engine = site.ask(mine + "live-engine").body
    assert json.loads(engine[4 : 4 + int.from_bytes(engine[:4], "little")])["look"]["blades"] == 5
    site.command(session, {"do": "focus", "frame": 0, "x": FAR_POINT[0], "y": FAR_POINT[1], "locked": False})
    ready(session)
    assert site.ask(mine + "live-frame?frame=3").headers["x-live"] != frame.headers["x-live"]
    site.command(session, {"do": "clear"})
    assert site.ask(mine + "live-frame?frame=3").status == 204
