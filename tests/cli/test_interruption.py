"""Ctrl-C and termination at any moment: one line at most, and every output or none."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numba
import pytest

from any2bokeh.compiled import compiled
from any2bokeh.errors import InputError
from any2bokeh.interruption import Terminated, interrupted_line, interruptions_unwind, is_ending
from any2bokeh.pending_output import PendingOutput, published_together
from tests import clips


@pytest.fixture(autouse=True)
def interruptible():
    """Where a shell has started the tests in the background, interruptions are ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("delay_s", [0.15, 0.3, pytest.param(0.6, marks=pytest.mark.slow)])
@pytest.mark.parametrize(("number", "code", "lines"), [(signal.SIGINT, 130, 1), (signal.SIGTERM, 143, 0)])
def test_the_first_second(tmp_path: Path, number: int, code: int, lines: int, delay_s: float):
    """While the command line, numpy, numba and OpenImageIO are imported, an exception would abort some of them."""
    clip, maps = clips.write_clip(tmp_path / "clip.mp4"), clips.write_disparity(tmp_path / "maps")
    results = tmp_path / "results"
    results.mkdir()
    arguments = ["refocus", clip, "--disparity", maps, "--focus", "0.9", "-o", results / "out.mp4", "--quiet"]
    job = subprocess.Popen(
        [sys.executable, "-c", _STARTED, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert job.stdout is not None
    assert job.stdout.readline() == "started\n"
    time.sleep(delay_s)
    job.send_signal(number)
    _, err = job.communicate(timeout=300)
    assert (job.returncode, len(err.splitlines())) == (code, lines), err
    assert list(results.iterdir()) == []


_STARTED = """
import sys
from any2bokeh.__main__ import main
print("started", flush=True)
sys.exit(main())
"""


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interruption_where_nothing_can_be_raised_is_not_lost(number: int, code: int):
    done = subprocess.run(
        [sys.executable, "-c", _INTERRUPTED_IN_DEL, str(int(number))], capture_output=True, text=True, timeout=300
    )
    assert (done.returncode, done.stderr) == (code, "")


_INTERRUPTED_IN_DEL = """
import os, signal, sys, time
from any2bokeh.interruption import interruptions_unwind

class Dropped:
    def __del__(self):
        os.kill(os.getpid(), int(sys.argv[1]))
        time.sleep(0.05)

signal.signal(signal.SIGINT, signal.SIG_DFL)
try:
    with interruptions_unwind():
        Dropped()
        time.sleep(250)
except KeyboardInterrupt:
    sys.exit(130)
"""


def test_an_interruption_waits_for_an_import(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A module that would abort the process if an exception went through it sees none."""
    (tmp_path / "slow_to_import.py").write_text(
        "import os, signal, time\n"
        "os.kill(os.getpid(), signal.SIGINT)\n"
        "time.sleep(0.1)\n"
        "whole = True\n"
    )  # fmt: skip
    monkeypatch.syspath_prepend(str(tmp_path))

    def interrupted() -> None:
        with interruptions_unwind():
            import slow_to_import  # pyright: ignore[reportMissingImports]

            assert slow_to_import.whole
            time.sleep(300)  # the interruption comes again meanwhile

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert "slow_to_import" in sys.modules


def test_an_interruption_waits_for_a_constant_of_compiled_code():
    """numba's dispatcher makes a SystemError, which is no interruption, of what its helper raises."""
    place = Path(numba.__file__).parent / "core" / "serialize.py"
    told: dict[str, Any] = {}
    source = "def read(told):\n signal.raise_signal(signal.SIGTERM)\n time.sleep(0.1)\n told['read'] = True\n"
    exec(compile(source, str(place), "exec"), {"signal": signal, "time": time}, told)

    def interrupted() -> None:
        with interruptions_unwind():
            told["read"](told)
            time.sleep(300)  # the interruption comes again meanwhile

    with pytest.raises(Terminated):
        interrupted()
    assert told["read"] is True


@pytest.mark.parametrize(("number", "raised"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, Terminated)])
def test_other_threads_compile_nothing_more_once_the_main_one_unwinds(number: int, raised: type[BaseException]):
    """It waits for them, and kernels take up to a minute, on a busy machine several."""
    seen: list[type[BaseException] | float] = []
    doubled = compiled()(_doubled)

    def compiling() -> None:
        while not is_ending():
            time.sleep(0.01)
        try:
            seen.append(doubled(len(seen)))
        except BaseException as error:
            seen.append(type(error))

    thread = threading.Thread(target=compiling)

    def interrupted() -> None:
        with interruptions_unwind():
            thread.start()
            try:
                signal.raise_signal(number)
            finally:
                thread.join()

    with pytest.raises(raised):
        interrupted()
    assert seen == [Terminated]
    with interruptions_unwind():  # the next command in this process
        assert not is_ending()


def _doubled(number: float) -> float:
    return 2 * number


def test_what_is_kept_is_told():
    assert interrupted_line([]) == "error: interrupted; nothing was written"
    assert interrupted_line(["a.mp4"]) == "error: interrupted; complete and kept: a.mp4"
    assert interrupted_line(["a.mp4", "b", "c"]) == "error: interrupted; complete and kept: a.mp4 and 2 more"


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def _two(tmp_path: Path) -> tuple[PendingOutput, PendingOutput]:
    file, folder = PendingOutput.file(tmp_path / "out.mp4"), PendingOutput.folder(tmp_path / "out-aov")
    file.temporary.write_bytes(b"film")
    (folder.temporary / "00000.exr").write_bytes(b"picture")
    return file, folder


def test_outputs_appear_together(tmp_path: Path):
    with published_together():
        for output in _two(tmp_path):
            output.publish()
            output.discard()
        assert all(name.startswith(".") for name in names_in(tmp_path))
    assert names_in(tmp_path) == ["out-aov", "out.mp4"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, InputError, SystemExit])
def test_or_none_of_them(tmp_path: Path, error: type[BaseException]):
    def interrupted() -> None:
        with published_together():
            first, second = _two(tmp_path)
            first.publish()
            try:
                raise error
            finally:
                second.discard()

    with pytest.raises(error):
        interrupted()
    assert names_in(tmp_path) == []


def test_a_place_that_went_away_takes_the_others_back(tmp_path: Path):
    def published() -> None:
        with published_together():
            first, second = _two(tmp_path)
            first.publish()
            second.publish()
            (tmp_path / "out-aov").write_bytes(b"somebody else's")

    with pytest.raises(InputError, match="out-aov"):
        published()
    assert names_in(tmp_path) == ["out-aov"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_between_two_renames_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int):
    replace = Path.replace

    def interrupted(self: Path, target: Path) -> Path:
        os.kill(os.getpid(), number)
        return replace(self, target)

    def published() -> None:
        with interruptions_unwind(), published_together():
            for output in _two(tmp_path):
                output.publish()
            monkeypatch.setattr(Path, "replace", interrupted)

    with pytest.raises((KeyboardInterrupt, SystemExit)):
        published()
    assert names_in(tmp_path) == ["out-aov", "out.mp4"]
