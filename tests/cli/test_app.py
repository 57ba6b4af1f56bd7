import importlib.util
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from tests.cli.conftest import RunCli

needs_uvicorn = pytest.mark.skipif(
    importlib.util.find_spec("uvicorn") is None, reason="needs uvicorn, of the extra [app]"
)


def test_missing_package_is_told_in_one_line(cli: RunCli, monkeypatch: pytest.MonkeyPatch):
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *more: None if name == "uvicorn" else find_spec(name))
    outcome = cli("app")
    assert (outcome.code, outcome.out, len(outcome.err.splitlines())) == (2, "", 1)
    assert "uvicorn" in outcome.err
    assert "pip install 'any2bokeh[app]'" in outcome.err


@needs_uvicorn
def test_port_in_use_is_told_in_one_line(cli: RunCli):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        outcome = cli("app", "--port", port)
    assert (outcome.code, outcome.out, len(outcome.err.splitlines())) == (2, "", 1)
    assert str(port) in outcome.err
    assert "--port" in outcome.err


@needs_uvicorn
@pytest.mark.parametrize(
    ("options", "named"),
    [
        (["--port", "70000"], "70000"),
        (["--host", "203.0.113.9", "--port", "0"], "203.0.113.9"),
        (["--max-upload-gb", "0"], "--max-upload-gb"),
        (["--max-upload-gb", "nan"], "--max-upload-gb"),
        (["--model", "/no/such/folder"], "/no/such/folder"),
        (["/no/such/clip.mp4"], "/no/such/clip.mp4"),
        (["--disparity", "maps"], "--disparity maps needs CLIP"),
        (["--host-name", "http://x"], "http://x"),
        (["--framed-by", "*"], "'*'"),
        (["--password", "secret"], "secret"),
    ],
)
def test_bad_options(cli: RunCli, options: list[str], named: str):
    outcome = cli("app", *options)
    assert (outcome.code, outcome.out, len(outcome.err.splitlines())) == (2, "", 1)
    assert named in outcome.err


@needs_uvicorn
def test_other_machines_are_given_a_link_with_a_password(cli: RunCli, monkeypatch: pytest.MonkeyPatch):
    from any2bokeh.app import server
    from any2bokeh.app.server import links

    asked = []

    def serve(studio, *, access, port, ready):
        asked.append(access)
        ready(links(access, 7860))

    monkeypatch.setattr(server, "serve", serve)
    outcome = cli("app", "--host", "0.0.0.0", "--quiet")
    password = asked[0].password
    assert len(password) >= 32
    for line in outcome.out.splitlines():
        assert f":7860/?password={password}" in line
        assert "0.0.0.0" not in line
    assert "127.0.0.1" in outcome.out
    cli("app", "--host", "0.0.0.0")
    assert asked[1].password != password
    outcome = cli("app", "--host", "0.0.0.0", "--password", "off", "--host-name", "studio.example.org")
    assert "password" not in outcome.out
    assert "http://studio.example.org:7860/" in outcome.out
    assert cli("app").out == "the studio is open at http://127.0.0.1:7860/ (Ctrl-C closes it)\n"
    assert [access.password is None for access in asked] == [False, False, True, True]


def test_the_page_is_there_before_what_makes_pictures(tmp_path: Path):
    code = (
        "import asyncio, sys\n"
        "from any2bokeh.app.access import Access\n"
        "from any2bokeh.app.server import studio_app\n"
        "from any2bokeh.app.settings import Settings\n"
        "from any2bokeh.app.studio import Studio\n"
        "studio, told = Studio(Settings()), []\n"
        "async def receive(): return {'type': 'http.request', 'body': b''}\n"
        "async def send(message): told.append(message.get('status'))\n"
        "scope = {'type': 'http', 'method': 'GET', 'path': '/', 'query_string': b''}\n"
        "scope['headers'] = [(b'host', b'localhost')]\n"
        "asyncio.run(studio_app(studio, Access())(scope, receive, send))\n"
        "studio.close()\n"
        "print(told[0], [m for m in ('numba', 'av', 'torch') if m in sys.modules])\n"
    )
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, env=environment)
    assert done.stdout.split("\n")[0] == "200 []"


@needs_uvicorn
@pytest.mark.parametrize(
    ("end", "code"), [(signal.SIGINT, 0), pytest.param(signal.SIGTERM, 143, marks=pytest.mark.slow)]
)
def test_studio_opens_on_this_machine_alone_and_leaves_nothing(tmp_path: Path, end: signal.Signals, code: int):
    process = subprocess.Popen(
        [sys.executable, "-m", "any2bokeh", "app", "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(tmp_path), "PYTHONUNBUFFERED": "1"},
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        address = next(word for word in line.split() if word.startswith("http://"))
        assert address.startswith("http://127.0.0.1:")
        until = time.monotonic() + 300  # of hanging, not of speed
        while True:
            try:
                page = urllib.request.urlopen(address, timeout=30).read()
                break
            except OSError:
                assert time.monotonic() < until
                time.sleep(0.1)
        assert b"any2bokeh studio" in page
        assert [path.name[:17] for path in tmp_path.glob("any2bokeh-*")] == ["any2bokeh-studio-"]
    finally:
        process.send_signal(end)
        _, err = process.communicate(timeout=300)
    assert process.returncode == code
    assert "Traceback" not in err
    assert "interrupted" not in err
    assert list(tmp_path.glob("any2bokeh-*")) == []
