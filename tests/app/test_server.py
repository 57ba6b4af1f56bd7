"""The studio from outside: what is asked of it that its page would not ask."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from any2bokeh.app.session import Session
from any2bokeh.app.settings import Limits, Settings
from any2bokeh.focus import TrackerChoice
from tests.app.conftest import HANGS_AFTER_S, NEAR_POINT, Site, served, write_disparity_video, write_video

LIMITS = Limits(upload_bytes=300_000, script_bytes=1 << 12, sessions=6, waiting_renders=2, grace_s=0)


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """One for all of these tests: to build a page takes Gradio a second."""
    with served(Settings(limits=LIMITS, depth_model="rough", tracker=TrackerChoice("classical"))) as running:
        yield running


@pytest.fixture
def session(site: Site) -> Iterator[Session]:
    yield site.studio.arrive("page-one")
    site.studio.leave("page-one")


@pytest.fixture
def other(site: Site) -> Iterator[Session]:
    """Another session, who has rendered something."""
    session = site.studio.arrive("page-two")
    session.open_demo()
    session.render()
    assert session.job is not None
    assert session.job.wait(60)
    yield session
    site.studio.leave("page-two")


def test_page_opens_and_tells_browsers_to_stay(site: Site):
    answer = site.ask("/")
    assert answer.status == 200
    policy = answer.headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "http" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "path",
    [
        "/gradio_api/file=/etc/passwd",
        "/gradio_api/file=%2Fetc%2Fpasswd",
        "/gradio_api/file=../../../../etc/passwd",
        "/gradio_api/file/etc/passwd",
        "/file=/etc/passwd",
        "/file/etc/passwd",
        "//etc/passwd",
        "/assets/../../../../../../../../etc/passwd",
        "/assets/..%2f..%2f..%2f..%2f..%2f..%2fetc%2fpasswd",
        "/assets/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
        "/static/../../../../../../etc/passwd",
        "/svelte/..%2f..%2froutes.py",
        "/studio/static/../page.py",
        "/studio/static/%2e%2e%2fpage.py",
        "/studio/static//etc/passwd",
        "/gradio_api/proxy=http://127.0.0.1:1/",
        "/gradio_api/proxy=https://example.org/",
        "/gradio_api/file=https://example.org/",
        "/gradio_api/stream/x/0/0/playlist.m3u8",
        "/gradio_api/deep_link?session_hash=x",
        "/gradio_api/runs",
        "/gradio_api/run-history/buckets",
        "/gradio_api/custom_component/1/client/component/x.js",
        "/monitoring",
        "/login",
        "/docs",
        "/openapi.json",
        "/gradio_api/openapi.json",
    ],
)
def test_nothing_else_is_there(site: Site, path: str):
    answer = site.ask(path)
    assert answer.status == 404
    assert b"root:" not in answer.body


@pytest.mark.parametrize(
    "path",
    [
        "/gradio_api/upload",
        "/gradio_api/component_server",
        "/gradio_api/process_recording",
        "/gradio_api/vibe-edit",
        "/gradio_api/vibe-code",
        "/gradio_api/stream/x",
        "/gradio_api/api/predict",
        "/gradio_api/call/edit",
        "/gradio_api/run-history/connect",
        "/login",
    ],
)
def test_nothing_else_takes_anything(site: Site, path: str):
    assert site.ask(path, method="POST", body=b"{}", headers={"Content-Type": "application/json"}).status == 404


def test_files_of_visitors_cannot_be_named(site: Site, session: Session, other: Session, tmp_path: Path):
    secret = tmp_path / "secret.mp4"
    secret.write_bytes(b"secret")
    link = session.folder / "link.mp4"
    link.symlink_to(secret)
    result = other.result("render").result
    assert result is not None
    assert site.ask(f"/studio/{other.token}/result").body == result.read_bytes()  # it is there, for the other
    for path in (link, secret, result, session.folder, site.studio.folder):
        for route in ("/gradio_api/file=", "/file=", f"/studio/{session.token}/", "/studio/static/"):
            assert site.ask(f"{route}{path}").status == 404
    for name in (link.name, f"../{other.folder.name}/{result.name}", "..%2f..%2fetc%2fpasswd"):
        assert site.ask(f"/studio/{session.token}/{name}").status == 404


def test_another_visitors_work_needs_their_token(site: Site, session: Session, other: Session):
    for what in ("state", "picture?frame=0", "result", "focus.json"):
        assert site.ask(f"/studio/{other.token}/{what}").status == 200
        for token in ("page-two", other.folder.name, other.token[:-1], other.token.swapcase(), "null"):
            answer = site.ask(f"/studio/{token}/{what}")
            assert answer.status == 400
            assert "reload" in answer.error
    assert json.loads(site.ask(f"/studio/{session.token}/state").body)["clip"] is None
    assert "rendered" in site.ask(f"/studio/{session.token}/result").error


def test_upload_opens(site: Site, session: Session, tmp_path: Path):
    clip = write_video(tmp_path / "clip.mp4", frames=8).read_bytes()
    assert site.send(session, "video", clip, name="my%20clip.mp4").status == 200
    told = json.loads(site.ask(f"/studio/{session.token}/state").body)["clip"]
    assert (told["name"], told["frames"]) == ("my clip.mp4", 8)
    maps = write_disparity_video(tmp_path / "d.mkv", frames=8).read_bytes()
    assert site.send(session, "disparity", maps, name="d.mkv").status == 200
    script = {"version": 1, "keyframes": [{"frame": 0, "point": list(NEAR_POINT), "blur_strength": 30}]}
    assert site.send(session, "script", json.dumps(script).encode(), name="focus.json").status == 200
    picture = site.ask(f"/studio/{session.token}/picture?frame=3")
    assert picture.body[:3] == b"\xff\xd8\xff"
    assert float(picture.headers["x-focus"]) == pytest.approx(0.9, abs=0.01)
    saved = site.ask(f"/studio/{session.token}/focus.json")
    assert json.loads(saved.body)["keyframes"] == script["keyframes"]
    assert "attachment" in saved.headers["content-disposition"]


@pytest.mark.parametrize(
    ("kind", "content", "named"),
    [
        ("video", b"", "empty"),
        ("video", b"#!/bin/sh\nrm -rf /\n", "not a video"),
        ("video", b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n", "not a video"),
        ("video", bytes(LIMITS.upload_bytes + 1), "larger than"),
        ("video", b"\x00\x00\x00\x18ftypmp42" + bytes(4000), "clip.mp4"),
        ("disparity", b"\x93NUMPY\x01\x00", "clip is open"),
        ("script", bytes(LIMITS.script_bytes + 1), "choose a focus script"),
        ("script", b"\xff\xfe\x00", "UTF-8"),
        ("script", b"{}", "clip is open"),
    ],
    ids=lambda value: repr(value[:10]) if isinstance(value, bytes) else str(value),
)
def test_wrong_files_are_told_in_a_sentence(site: Site, session: Session, kind: str, content: bytes, named: str):
    answer = site.send(session, kind, content)
    assert answer.status == 400
    assert named in answer.error
    assert str(session.folder) not in answer.error
    assert answer.error.endswith(".")
    assert list(session.folder.iterdir()) == []


def test_length_that_is_not_told_is_limited_too(site: Site, session: Session):
    import http.client

    connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=HANGS_AFTER_S)
    chunks = (bytes(65536) for _ in range(20))
    path = f"/studio/{session.token}/video?name=x.mp4"
    connection.request("POST", path, chunks, {"X-Any2bokeh": "1"}, encode_chunked=True)
    answer = connection.getresponse()
    assert answer.status == 400
    assert "larger than" in json.loads(answer.read())["error"]
    connection.close()
    assert list(session.folder.iterdir()) == []


def test_upload_does_not_follow_a_link(site: Site, session: Session, tmp_path: Path):
    target = tmp_path / "mine"
    target.write_bytes(b"mine")
    for number in range(1, 9):
        (session.folder / f"upload-{number}").symlink_to(target)
    assert site.send(session, "video", b"\x00\x00\x00\x18ftypmp42" + bytes(100)).status == 500
    assert target.read_bytes() == b"mine"


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example", "X-Any2bokeh": "1"},
        {"Origin": "null", "X-Any2bokeh": "1"},
        {"Host": "evil.example", "X-Any2bokeh": "1"},
    ],
)
def test_other_sites_are_kept_out(site: Site, session: Session, headers: dict[str, str]):
    script = b'{"version": 1, "keyframes": [{"frame": 0, "focus_disparity": 0.5, "blur_strength": 1}]}'
    answer = site.ask(f"/studio/{session.token}/script", method="POST", body=script, headers=headers)
    assert answer.status == 403
    if "Host" in headers:
        assert site.ask("/", headers=headers).status == 403


def test_uploads_without_our_header_are_refused(site: Site, session: Session):
    for kind in ("video", "disparity", "script"):
        answer = site.ask(f"/studio/{session.token}/{kind}", method="POST", body=b"x")
        assert answer.status == 400
        assert "own page" in answer.error


def test_requests_that_cannot_be_read_are_told(site: Site, session: Session):
    session.open_demo()
    for query in ("frame=x", "frame=", "frame=99999999999", "frame=-1", "frame=0&view=../../etc", ""):
        answer = site.ask(f"/studio/{session.token}/picture?{query}")
        assert answer.status == 400
        assert answer.error


def event(site: Site, name: str, data: list, *, page: str, extra: dict | None = None):
    """Send an event as Gradio's page does."""
    config = json.loads(site.ask("/config").body)
    number = next(d["id"] for d in config["dependencies"] if any(t[1] == name for t in d["targets"]))
    body = {"data": data, "fn_index": number, "session_hash": page, "event_data": extra, "trigger_id": None}
    return site.ask(
        "/gradio_api/run/predict?__theme=light",
        method="POST",
        body=json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
    )


def test_flood_of_pages_is_bounded(site: Site):
    answers = [event(site, "load", [], page=f"flood{number}") for number in range(20)]
    states = [json.loads(json.loads(answer.body)["data"][0]) for answer in answers]
    assert sum("token" in state for state in states) == LIMITS.sessions
    assert all("pages are already open" in state["message"] for state in states if "token" not in state)
    assert len(list(site.studio.folder.iterdir())) == LIMITS.sessions
    for number in range(20):
        site.studio.leave(f"flood{number}")
    assert list(site.studio.folder.iterdir()) == []


@pytest.mark.parametrize(
    "asked",
    [
        None,
        [],
        {},
        {"do": "__class__"},
        {"do": "open_video", "path": "/etc/passwd"},
        {"do": "focus", "frame": "0", "x": 0.5, "y": 0.5},
        {"do": "focus", "frame": 0, "x": 9, "y": 0.5},
        {"do": "focus", "frame": 0, "x": "../x", "y": 0.5},
        {"do": "focus", "frame": 10**12, "x": 0.5, "y": 0.5},
        {"do": "change", "frame": 0, "changes": {"target": "/etc/passwd"}},
        {"do": "change", "frame": 0, "changes": {"mask": "/etc/passwd"}},
        {"do": "change", "frame": 0, "changes": {"blur_strength": True}},
        {"do": "change", "frame": 0, "changes": None},
        {"do": "move", "frame": 0, "to": -1},
        {"do": "loop", "frame": None},
    ],
    ids=str,
)
def test_commands_that_the_page_would_not_send_are_refused(site: Site, session: Session, asked):
    session.open_demo()
    before = session.script_text()
    answer = event(site, "edit", [], page="page-one", extra=asked)
    if answer.status == 200:
        assert json.loads(json.loads(answer.body)["data"][0])["message"]
    assert session.script_text() == before
    assert session.job is None


def test_large_events_are_refused(site: Site):
    body = b'{"data": ["' + b"x" * (1 << 19) + b'"]}'
    headers = {"Content-Type": "application/json"}
    assert site.ask("/gradio_api/run/predict", method="POST", body=body, headers=headers).status == 413


def test_nothing_is_left_when_the_server_ends():
    with served(Settings(limits=replace(LIMITS, grace_s=60), tracker=TrackerChoice("classical"))) as running:
        session = running.studio.arrive("one")
        session.open_demo()
        session.render()
        folder = running.studio.folder
        assert list(folder.iterdir())
    assert not folder.exists()
