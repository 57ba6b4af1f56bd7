"""What is asked of the studio that its page would not ask: each is refused, and the studio still answers."""

import http.client
import json
import socket
import stat
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest

from any2bokeh.app.access import Access
from any2bokeh.app.server import ImpatientProtocol, links
from any2bokeh.app.session import Session
from any2bokeh.app.settings import Limits, Settings
from any2bokeh.errors import InputError
from any2bokeh.focus import TrackerChoice
from tests.app.conftest import FRAMES, HANGS_AFTER_S, NEAR_POINT, Answer, Site, served, wait_for

LIMITS = Limits(upload_bytes=300_000, script_bytes=1 << 12, sessions=6, waiting_renders=2, grace_s=3600)
SETTINGS = Settings(limits=LIMITS, depth_model="rough", tracker=TrackerChoice("classical"))
PASSWORD = "correct-horse"


@pytest.fixture(scope="module")
def home() -> Iterator[Site]:
    """On this machine alone."""
    with served(SETTINGS) as running:
        yield running


@pytest.fixture(scope="module")
def abroad() -> Iterator[Site]:
    """Open to other machines, behind a link; only what listens is on this machine all the same."""
    access = Access("0.0.0.0", names=("studio.example.org",), password=PASSWORD)
    with served(SETTINGS, access) as running:
        yield running


@pytest.fixture
def session(home: Site) -> Iterator[Session]:
    opened = home.studio.arrive()
    yield opened
    home.forget(opened)


@pytest.fixture(autouse=True)
def still_answers(home: Site, abroad: Site) -> Iterator[None]:
    yield
    for site in (home, abroad):
        assert site.ask("/live").status == 204
    assert home.ask("/").status == 200
    arrived = home.ask("/api/sessions", method="POST", headers=home.own)
    assert arrived.status == 201
    home.forget(home.studio.session(arrived.json["token"]))


# ---- files and paths ----------------------------------------------------------------------------------------------

PATHS = ["/etc/passwd", "/dev/zero", "../../../../etc/passwd", "..%2f..%2f..%2fetc%2fpasswd", "%2e%2e/%2e%2e/api.py"]


@pytest.mark.parametrize("path", PATHS)
def test_no_path_reaches_a_file(home: Site, session: Session, path: str):
    session.open_demo()
    for route in ("/", "/static/", "/static/../", "/demo/", "/api/", f"/api/{session.token}/", "/file=", "//"):
        answer = home.ask(route + path)
        assert answer.status in (404, 405), (route, path)
        assert b"root:" not in answer.body
        assert len(answer.body) < 1000


def test_old_routes_are_gone(home: Site):
    for path in ("/gradio_api/upload", "/gradio_api/run/predict", "/gradio_api/queue/join", "/upload", "/config"):
        for method in ("GET", "POST"):
            assert home.ask(path, method=method, body=b"{}", headers=home.own).status == 404


@pytest.mark.parametrize("file", ["/etc/passwd", "/dev/zero", "/proc/self/environ", "file:///etc/passwd"])
def test_made_up_file_objects_are_refused(home: Site, session: Session, file: str):
    session.open_demo()
    proxy = session.opened().playback.proxy  # the studio's own file, which is being made
    wait_for(lambda: proxy.progress.stage != "making", lambda: proxy.progress)
    before = sorted(session.folder.rglob("*"))
    made_up = {"path": file, "url": file, "orig_name": "a.mp4", "meta": {"_type": "gradio.FileData"}}
    commands: list[Any] = [
        made_up,
        [made_up],
        {"do": made_up},
        {"do": "demo", "file": made_up},
        {"do": "demo", **made_up},
        {"do": "lens", "name": file},
        {"do": "lens", "name": made_up},
        {"do": "look", "name": "aperture_image", "value": file},
        {"do": "look", "name": "aperture_image", "value": 1},
        {"do": "render", "format": file},
        {"do": "render", "engine": file},
        {"do": "render", "format": "mp4", "output": file},
        {"do": "change", "frame": 0, "changes": {"mask": file}},
        {"do": "change", "frame": 0, "changes": {"target": made_up}},
        {"do": "focus", "frame": 0, "x": made_up, "y": 0.5},
    ]
    for command in commands:
        answer = home.command(session, command)
        assert answer.status == 400, command
        assert "root:" not in answer.error
    script = {"version": 1, "keyframes": [{"frame": 0, "mask": file, "blur_strength": 3}]}
    answer = home.send(session, "script", json.dumps(script).encode())
    assert (answer.status, "mask" in answer.error) == (400, True)
    for kind in ("video", "disparity", "script"):
        answer = home.send(session, kind, json.dumps(made_up).encode(), name="x.mp4")
        assert answer.status == 400
    assert sorted(session.folder.rglob("*")) == before


def test_files_of_others_cannot_be_named(home: Site, session: Session, tmp_path: Path):
    other = home.studio.arrive()
    other.open_demo()
    other.render()
    assert other.job is not None
    assert other.job.wait(HANGS_AFTER_S)
    result = other.result("render").result
    assert result is not None
    secret = tmp_path / "secret.mp4"
    secret.write_bytes(b"secret")
    (session.folder / "link.mp4").symlink_to(secret)
    for path in (result, secret, session.folder / "link.mp4", session.folder, home.studio.folder):
        for route in (f"/api/{session.token}/", f"/api/{session.token}/result?of=", "/static", "/demo"):
            answer = home.ask(f"{route}{path}")
            assert answer.status in (400, 404)
            assert b"secret" not in answer.body
    for what in ("snapshot", "picture?frame=0", "result", "focus.json", "events"):
        for token in (other.folder.name, other.token[:-1], other.token.swapcase(), "null", "%00", "*"):
            answer = home.ask(f"/api/{token}/{what}")
            assert (answer.status, "reload" in answer.error) == (404, True)
    home.forget(other)


def test_uploads_do_not_follow_links(home: Site, session: Session, tmp_path: Path):
    target = tmp_path / "mine"
    target.write_bytes(b"mine")
    for number in range(1, 9):
        (session.folder / f"upload-{number}").symlink_to(target)
    assert home.send(session, "video", b"\x00\x00\x00\x18ftypmp42" + bytes(100)).status == 500
    assert target.read_bytes() == b"mine"


def test_folders_are_their_owners_alone(home: Site, session: Session):
    for folder in (home.studio.folder, session.folder):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


# ---- who asks -----------------------------------------------------------------------------------------------------

FOREIGN_HOSTS = [
    "evil.example",
    "127.0.0.1.evil.example",
    "localhost.evil.example",
    "evil.example:7860",
    "",
    "[::1",
    "@",
]


@pytest.mark.parametrize("host", FOREIGN_HOSTS)
def test_names_that_somebody_pointed_here_are_refused(home: Site, abroad: Site, session: Session, host: str):
    """DNS rebinding: the browser of a user is led here under a name of the attacker."""
    for site in (home, abroad):
        for path in ("/", "/live", "/static/main.js", "/api/controls", f"/api/{session.token}/snapshot"):
            assert site.ask(path, headers={"Host": host}).status in (400, 403)
        assert site.ask("/api/sessions", method="POST", headers={**site.own, "Host": host}).status in (400, 403)


def test_own_names_are_let_in(home: Site, abroad: Site):
    for host in ("127.0.0.1", "localhost", "localhost:9000", "[::1]:80", "LOCALHOST"):
        assert home.ask("/live", headers={"Host": host}).status == 204
    for host in ("192.168.1.7:7860", "10.0.0.3", "[fe80::1]:7860", "studio.example.org", socket.gethostname()):
        assert abroad.ask("/live", headers={"Host": host}).status == 204
    assert home.ask("/live", headers={"Host": "192.168.1.7:7860"}).status == 403


FOREIGN = [
    {"Origin": "http://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://127.0.0.1:1"},
    {"Origin": "file://"},
    {"Origin": "http://["},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
]


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
def test_other_sites_are_kept_out(home: Site, abroad: Site, session: Session, headers: dict[str, str]):
    for site in (home, abroad):
        for path in (
            f"/api/{session.token}/snapshot",
            f"/api/{session.token}/events",
            "/api/controls",
            "/static/main.js",
        ):
            assert site.ask(path, headers=headers).status == 403
        asked = {**site.own, **headers}
        for path in ("/api/sessions", f"/api/{session.token}/command", f"/api/{session.token}/video"):
            assert site.ask(path, method="POST", body=b"{}", headers=asked).status == 403
    visit = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    assert home.ask("/", headers=visit).status == 200  # a link may be followed
    assert home.ask("/api/controls", headers=visit).status == 403


def test_forms_and_scripts_of_other_sites_lack_our_header(home: Site, session: Session):
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        for path in ("/api/sessions", f"/api/{session.token}/command", f"/api/{session.token}/video?name=a.mp4"):
            answer = home.ask(path, method="POST", body=b'{"do": "demo"}', headers={"Content-Type": kind})
            assert answer.status == 403
    assert home.ask("/api/sessions", method="OPTIONS", headers=home.own).status == 405
    assert session.snapshot()["clip"] is None


def test_pages_are_told_to_load_nothing_and_to_be_framed_by_nobody(home: Site):
    for path in ("/", "/static/main.js", "/api/controls", "/nothing", "/api/x/snapshot"):
        headers = home.ask(path).headers
        rules = [rule.strip().partition(" ") for rule in headers["content-security-policy"].split(";")]
        policy = {name: allowed for name, _, allowed in rules}
        assert policy["default-src"] == "'none'"
        assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
        assert policy["frame-ancestors"] == policy["base-uri"] == policy["form-action"] == "'none'"
        assert policy["require-trusted-types-for"] == "'script'"
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cross-origin-resource-policy"] == "same-origin"
        assert "access-control-allow-origin" not in headers
        assert "server" not in headers


def test_framing_is_allowed_by_name_alone():
    with served(SETTINGS, Access(framed_by=("https://example.org",))) as site:
        assert "frame-ancestors https://example.org" in site.ask("/").headers["content-security-policy"]
    for wrong in ("*", "example.org", "https://example.org; script-src *", "https://example.org/", "https://"):
        with pytest.raises(InputError, match="origin"):
            Access(framed_by=(wrong,))
    for wrong in ("", "a b", "http://x", "x:80", "x/y"):
        with pytest.raises(InputError, match="host name"):
            Access(names=(wrong,))


# ---- the password -------------------------------------------------------------------------------------------------


def test_other_machines_need_the_link(abroad: Site):
    token = abroad.studio.arrive().token
    wrong = [{}, {"Cookie": "x=y"}, {"Cookie": f"{abroad.access.cookie_name}={PASSWORD}"}, {"Cookie": '"\x01=;;'}]
    for headers in wrong:
        for path in (
            "/",
            "/static/main.js",
            "/api/controls",
            f"/api/{token}/snapshot",
            f"/?password={PASSWORD}x",
            "/?password=",
        ):
            answer = abroad.ask(path, headers=headers)
            assert answer.status == 401, (path, headers)
            assert token.encode() not in answer.body
        arrival = {**abroad.own, **headers, "Content-Length": "0"}
        assert abroad.ask("/api/sessions", method="POST", headers=arrival).status == 401
    assert abroad.ask(f"/api/controls?password={PASSWORD}").status == 401  # the page alone takes it


def test_the_link_opens_and_is_forgotten_by_the_address_bar(abroad: Site):
    answer = abroad.ask(f"/?password={PASSWORD}")
    assert (answer.status, answer.headers["location"]) == (303, ".")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert PASSWORD not in cookie
    crumb = {"Cookie": f"other=1; {cookie.partition(';')[0]}"}
    assert abroad.ask("/", headers=crumb).status == 200
    assert abroad.ask("/api/controls", headers=crumb).status == 200
    assert abroad.ask("/api/sessions", method="POST", headers={**abroad.own, **crumb}).status == 201
    assert abroad.ask("/api/controls", headers={**crumb, "Host": "evil.example"}).status == 403


def test_links_name_the_machine_and_carry_the_password(abroad: Site):
    first, *others = links(abroad.access, 7860)
    assert first == f"http://studio.example.org:7860/?password={PASSWORD}"
    assert others[-1] == f"http://127.0.0.1:7860/?password={PASSWORD}"
    assert not any("0.0.0.0" in each for each in (first, *others))
    assert links(Access(), 7860) == ["http://127.0.0.1:7860/"]


# ---- too much -----------------------------------------------------------------------------------------------------


def test_invented_sessions_fill_nothing(home: Site):
    worker = home.studio.arrive()
    worker.open_demo()
    worker.join()
    for number in range(60):
        assert home.ask(f"/api/invented{number}/snapshot").status == 404
        assert home.ask("/api/sessions", method="POST", headers=home.own).status == 201
    assert len([path for path in home.studio.folder.iterdir() if path.is_dir()]) <= LIMITS.sessions
    assert home.snapshot(worker)["clip"]["frames"] == FRAMES
    worker.leave()
    home.forget(worker)


def test_streams_and_pictures_of_a_session_are_bounded(home: Site, session: Session):
    session.open_demo()
    open_streams = []
    for _ in range(8):
        connection = http.client.HTTPConnection("127.0.0.1", home.port, timeout=HANGS_AFTER_S)
        connection.request("GET", f"/api/{session.token}/events")
        assert connection.getresponse().status == 200
        open_streams.append(connection)
    wait_for(lambda: session.streams == 8, lambda: session.streams)
    assert home.ask(f"/api/{session.token}/events").status == 429
    for connection in open_streams:
        connection.sock.close()  # pyright: ignore[reportOptionalMemberAccess]
        connection.close()
    for _ in range(6):
        assert session._drawing.acquire(blocking=False)
    answer = home.ask(f"/api/{session.token}/picture?frame=0")
    assert (answer.status, "already being made" in answer.error) == (429, True)
    for _ in range(6):
        session._drawing.release()
    assert home.ask(f"/api/{session.token}/picture?frame=0").status == 200
    wait_for(lambda: session.streams == 0, lambda: session.streams)


def test_connections_that_ask_for_nothing_are_closed(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(ImpatientProtocol, "patience_s", 0.1)
    head = b"GET /live HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    with served(SETTINGS) as site, ExitStack() as stack:
        silent = [stack.enter_context(socket.create_connection(("127.0.0.1", site.port))) for _ in range(200)]
        for number, connection in enumerate(silent):
            connection.settimeout(HANGS_AFTER_S)
            connection.sendall([b"", b"GET", head, head + b"\r\n" + head][number % 4])
        wait_for(lambda: is_answered(site), lambda: "the studio does not answer")
        for connection in silent:
            with suppress(ConnectionError):  # it had been closed before all was sent
                while connection.recv(4096):  # it ends
                    pass
        session = site.studio.arrive()
        watching, answer = watched(site, session)
        assert answer.readline().startswith(b"data: ")
        time.sleep(0.5)  # many times the patience
        session.open_demo()
        session.changes.tell()
        assert {answer.readline(), answer.readline()[:6]} == {b"\n", b"data: "}
        watching.close()


def is_answered(site: Site) -> bool:
    """Whether the studio answers; not where this process had no processor for longer than its patience."""
    try:
        return site.ask("/live").status == 204
    except ConnectionError:
        return False


def watched(site: Site, session: Session) -> tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
    """A connection that is told what becomes of a session, begun until it is within the studio's patience."""
    while True:
        connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=HANGS_AFTER_S)
        with suppress(ConnectionError):
            connection.request("GET", f"/api/{session.token}/events")
            return connection, connection.getresponse()


@pytest.mark.parametrize("kind", ["command", "script", "video", "disparity"])
def test_bodies_are_bounded_whatever_they_say_of_themselves(home: Site, session: Session, kind: str):
    head = f"POST /api/{session.token}/{kind}?name=x.mp4 HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Any2bokeh: 1\r\n"
    chunk = b"10000\r\n" + bytes(1 << 16) + b"\r\n"
    told = {
        "an endless one": ("Transfer-Encoding: chunked\r\n", chunk * 40),
        "one that says it is huge": (f"Content-Length: {10**15}\r\n", bytes(100)),
        "a length beyond all numbers": (f"Content-Length: {'9' * 400}\r\n", bytes(100)),
        "a negative one": ("Content-Length: -5\r\n", bytes(100)),
        "two lengths": ("Content-Length: 5\r\nContent-Length: 50\r\n", bytes(100)),
    }
    for what, (headers, body) in told.items():
        assert raw(home, (head + headers + "\r\n").encode() + body) in (400, 413), what
    assert not list(session.folder.iterdir())


def test_uploads_that_break_off_leave_nothing(home: Site, session: Session):
    head = f"POST /api/{session.token}/video?name=x.mp4 HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Any2bokeh: 1\r\n"
    for length in ("Content-Length: 200000\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n400\r\n"):
        with socket.create_connection(("127.0.0.1", home.port)) as connection:
            connection.sendall((head + length).encode() + bytes(1000))
            wait_for(lambda: session._receiving.locked(), lambda: "nothing arrives")
        wait_for(lambda: not session._receiving.locked(), lambda: list(session.folder.iterdir()))
    assert not list(session.folder.iterdir())
    # More than it says: the rest is no request.
    body = b"\x00\x00\x00\x18ftypmp42" + bytes(4000)
    assert raw(home, (head + "Content-Length: 20\r\n\r\n").encode() + body) == 400
    assert not list(session.folder.iterdir())


def test_requests_that_are_none_are_refused(home: Site, session: Session):
    for text in (
        b"\x00" * 100,
        b"GET /\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    ):
        assert raw(home, text) in (400, 403)
    assert raw(home, b"GET /" + b"a" * (1 << 17) + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n") in (400, 404, 431)
    for body in (b"", b"{", b"[" * 60000, b"\xff\xfe", b"null", b"NaN", b'{"do": "demo"', b'"demo"', b"1" * 60000):
        answer = home.ask(f"/api/{session.token}/command", method="POST", body=body, headers=home.own)
        assert (answer.status, bool(answer.error)) == (400, True), body[:20]


# ---- what is not what it says --------------------------------------------------------------------------------------

COMMANDS: list[Any] = [
    {"do": "__class__"},
    {"do": "open_given", "clip": "/etc/passwd"},
    {"do": "focus", "frame": "0", "x": 0.5, "y": 0.5},
    {"do": "focus", "frame": True, "x": 0.5, "y": 0.5},
    {"do": "focus", "frame": 0, "x": 9, "y": 0.5},
    {"do": "focus", "frame": 0, "x": 1e999, "y": 0.5},
    {"do": "focus", "frame": 0, "x": "../x", "y": 0.5},
    {"do": "focus", "frame": 10**12, "x": 0.5, "y": 0.5},
    {"do": "focus", "frame": 0, "x": 0.5, "y": 0.5, "self": 1},
    {"do": "change", "frame": 0, "changes": {"blur_strength": True}},
    {"do": "change", "frame": 0, "changes": {"blur_strength": 10**400}},
    {"do": "change", "frame": 0, "changes": {"__class__": 1}},
    {"do": "change", "frame": 0, "changes": None},
    {"do": "blur", "frame": 0, "strength": -1},
    {"do": "blur", "frame": 0, "strength": None},
    {"do": "look", "name": "__class__", "value": 1},
    {"do": "look", "name": "blades", "value": 1e9},
    {"do": "look", "name": "blades", "value": "auto"},
    {"do": "look", "name": "highlights", "value": "automatic"},
    {"do": "look", "name": "highlights", "value": None},
    {"do": "look", "name": "highlights", "value": ["auto"]},
    {"do": "look", "name": "is_choice", "value": 1},
    {"do": "look", "name": "self", "value": 1},
    {"do": "lens number", "name": "self", "value": 1},
    {"do": "lens number", "name": "look", "value": 1},
    {"do": "lens number", "name": "f_number", "value": 0},
    {"do": "move", "frame": 0, "to": -1},
    {"do": "play", "frame": None},
    {"do": "render", "engine": "diffusion"},
    {"do": "x" * 10_000},
]


def test_commands_that_the_page_would_not_send_are_refused(home: Site, session: Session):
    session.open_demo()
    before = session.script_text()
    for asked in COMMANDS:
        answer = home.command(session, asked)
        assert (answer.status, len(answer.error) < 400) == (400, True), asked
    assert session.script_text() == before
    assert session.job is None


MARKUP = "<img src=x onerror=alert(1)>"


def test_markup_in_names_and_scripts_is_told_as_words_or_not_at_all(home: Site, session: Session, demo_clip: Path):
    name = "%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E.mp4"
    answer = home.send(session, "video", b"no video", name=name)
    assert answer.status == 400
    assert "<" not in answer.error
    told = home.send(session, "video", (demo_clip / "clip.mp4").read_bytes(), name=name).json["clip"]
    assert "<" not in told["name"]
    for script in (
        {"version": 1, MARKUP: 1},
        {"version": 1, "keyframes": [{"frame": 0, "point": list(NEAR_POINT), "blur_strength": MARKUP}]},
        {"version": 1, "keyframes": [{"frame": 0, "point": list(NEAR_POINT), "easing": MARKUP, "blur_strength": 1}]},
    ):
        answer = home.send(session, "script", json.dumps(script).encode())
        assert answer.status == 400
        assert_is_json(answer)
    assert_is_json(home.command(session, {"do": MARKUP}))
    assert_is_json(home.ask(f"/api/{session.token}/picture?frame=0&view=%3Cscript%3E"))
    assert "javascript" not in home.ask("/%3Cscript%3E").headers["content-type"]


def assert_is_json(answer: Answer) -> None:
    """A browser that opens it shows text: it is neither a page nor taken for one."""
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-content-type-options"] == "nosniff"


def raw(site: Site, request: bytes) -> int:
    """Send bytes; the status that comes back, 400 where the connection is closed without one."""
    with socket.create_connection(("127.0.0.1", site.port), timeout=HANGS_AFTER_S) as connection:
        began_s = time.monotonic()
        answer = b""
        try:
            connection.sendall(request)
            while b"\r\n" not in answer and time.monotonic() - began_s < HANGS_AFTER_S:
                part = connection.recv(4096)
                if not part:
                    break
                answer += part
        except (BrokenPipeError, ConnectionResetError):
            pass  # it has heard enough
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/1.1 ") else 400
