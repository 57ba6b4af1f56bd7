import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from any2bokeh import __version__
from any2bokeh.cli import main
from tests import clips
from tests.cli.conftest import RunCli

COMMANDS = ["refocus", "demo", "preview", "info"]


def test_help_lists_the_commands(cli: RunCli):
    outcome = cli("--help")
    assert (outcome.code, outcome.err) == (0, "")
    assert all(command in outcome.out for command in COMMANDS)


def test_no_arguments_show_the_help(cli: RunCli):
    assert cli().out == cli("--help").out


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(cli: RunCli, command: str):
    outcome = cli(command, "--help")
    assert outcome.code == 0
    assert f"any2bokeh {command}" in outcome.out


def test_version(cli: RunCli):
    assert cli("--version").out == f"any2bokeh {__version__}\n"


def test_help_takes_less_than_half_a_second():
    # 0.25 to 0.30 s on two idle cores. Processor time, which waiting does not stretch; but what shares a core and its
    # caches does, by up to a half, so that one start of ten has to be as fast.
    seconds = []
    while len(seconds) < 10 and min(seconds, default=1.0) >= 0.5:
        before = os.times()
        subprocess.run([sys.executable, "-m", "any2bokeh", "--help"], check=True, capture_output=True)
        after = os.times()
        seconds.append(after.children_user + after.children_system - before.children_user - before.children_system)
    assert min(seconds) < 0.5


def test_help_imports_no_numerical_library_beyond_numpy():
    code = (
        "import sys; from any2bokeh.cli.main import run; run(['--help']); print([m for m in HEAVY if m in sys.modules])"
    )
    heavy = ["torch", "numba", "cv2", "av", "OpenImageIO", "scipy", "diffusers", "transformers"]
    done = subprocess.run(
        [sys.executable, "-c", f"HEAVY = {heavy}; {code}"], check=True, capture_output=True, text=True
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_defect_shows_its_traceback_and_exits_with_1(cli: RunCli, clip: Path, monkeypatch: pytest.MonkeyPatch):
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("our mistake")

    monkeypatch.setattr("any2bokeh.video.open_source", broken)
    outcome = cli("info", clip)
    assert outcome.code == main.DEFECT
    assert "Traceback" in outcome.err
    assert "our mistake" in outcome.err


def test_file_that_goes_away_is_no_defect(cli: RunCli, clip: Path, monkeypatch: pytest.MonkeyPatch):
    def gone(*_: object, **__: object) -> None:
        raise FileNotFoundError(2, "No such file or directory", str(clip))

    monkeypatch.setattr("any2bokeh.video.open_source", gone)
    outcome = cli("info", clip)
    assert (outcome.code, outcome.err) == (2, f"error: {clip}: No such file or directory\n")


@pytest.mark.parametrize(
    ("number", "code", "said"), [(signal.SIGINT, 130, "error: interrupted"), (signal.SIGTERM, 143, "")], ids=str
)
@pytest.mark.parametrize("output", ["out.mp4", pytest.param("out", marks=pytest.mark.slow)])
def test_interrupted_job_leaves_nothing(tmp_path: Path, number: int, code: int, said: str, output: str):
    film = clips.write_clip(tmp_path / "film.mp4", frames=240, width=160, height=120)
    maps = clips.write_disparity(tmp_path / "maps", stop=240, width=40, height=30)
    results = tmp_path / "results"
    results.mkdir()
    arguments = ["refocus", film, "--disparity", maps, "--focus", "0.9", "--blur", "400", "-o", results / output]
    job = subprocess.Popen(
        [sys.executable, "-m", "any2bokeh", *map(str, arguments)],
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        # A shell that runs the tests in the background ignores Ctrl-C, and so would the job.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert job.stdout is not None
    assert job.stdout.readline().startswith(b"rendering 240 frames")
    while len(list(results.iterdir())) < 2:  # the temporary output and its claim
        assert job.poll() is None
        time.sleep(0.01)
    job.send_signal(number)
    _, err = job.communicate(timeout=300)
    assert job.returncode == code
    assert err.decode().startswith(said)
    assert len(err.decode().splitlines()) == bool(said)
    assert list(results.iterdir()) == []
