"""Clips made by several processes: those that one makes, and nothing is left of a run that ends early."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from any2bokeh.errors import InputError
from any2bokeh.synthesis import shard
from any2bokeh.synthesis.maker import ClipConfig, ClipMaker
from any2bokeh.synthesis.shard_writing import write_shards
from any2bokeh.synthesis.source import FolderBackgrounds

SMALL = ClipConfig(width=48, height=32, frame_count=3, lens_samples=2, in_focus_samples=2)


def jobs_in(folder: Path, count: int) -> list[tuple[int, Path]]:
    return [(index, folder / shard.name(index)) for index in range(count)]


def test_two_processes_make_the_clips_that_one_makes(tmp_path: Path):
    one, two = tmp_path / "one", tmp_path / "two"
    for folder, processes in ((one, 1), (two, 2)):
        folder.mkdir()
        heard: list[tuple[int, int]] = []
        write_shards(
            ClipMaker(SMALL, seed=3, count=3, threads=None),
            jobs_in(folder, 3),
            processes=processes,
            progress=lambda done, total, heard=heard: heard.append((done, total)),
        )
        assert heard == [(done, 9) for done in range(10)]
    assert [path.name for path in sorted(two.iterdir())] == [shard.name(index) for index in range(3)]
    for index in range(3):
        assert (one / shard.name(index)).read_bytes() == (two / shard.name(index)).read_bytes()
    assert multiprocessing.active_children() == []


def test_an_interruption_ends_the_processes_and_leaves_whole_clips_alone(tmp_path: Path):
    def interrupted(done: int, total: int) -> None:
        if done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_shards(ClipMaker(SMALL, count=40), jobs_in(tmp_path, 40), processes=2, progress=interrupted)
    assert multiprocessing.active_children() == []
    whole = sorted(tmp_path.iterdir())
    assert len(whole) < 40
    assert [shard.frame_count(path) for path in whole] == [3] * len(whole)


def test_a_process_that_is_killed_is_told_in_one_line(tmp_path: Path):
    def killed(done: int, total: int) -> None:
        if done == 1:
            pid = multiprocessing.active_children()[0].pid
            assert pid is not None
            os.kill(pid, signal.SIGKILL)

    with pytest.raises(InputError, match=r"was ended \(exit code -9\), often for want of memory; give fewer --proc"):
        write_shards(ClipMaker(SMALL, count=40), jobs_in(tmp_path, 40), processes=2, progress=killed)
    assert multiprocessing.active_children() == []


def test_a_bad_source_is_told_as_by_one_process(tmp_path: Path):
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "a.png").write_bytes(b"no picture")
    maker = ClipMaker(SMALL, count=4, backgrounds=FolderBackgrounds(tmp_path / "pictures"))
    with pytest.raises(InputError, match=r"a\.png is damaged"):
        write_shards(maker, jobs_in(tmp_path, 4), processes=2, progress=lambda *_: None)
    assert [path.name for path in tmp_path.iterdir()] == ["pictures"]


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for processes in /proc")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -9)])
def test_ctrl_c_and_termination_leave_no_process(tmp_path: Path, number: int, code: int):
    options = ("--clips", "500", "--size", "64x48", "--samples", "4", "--frames", "3", "--processes", "3", "--quiet")
    job = subprocess.Popen(
        [sys.executable, "-m", "any2bokeh", "synth", str(tmp_path / "clips"), *options],
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    try:
        _wait_for(lambda: any((tmp_path / "clips").glob("*.safetensors")))
        if number == signal.SIGINT:
            os.killpg(job.pid, number)  # as a terminal does
        else:
            job.send_signal(number)
        _, said = job.communicate(timeout=120)
        assert job.returncode == code
        assert len(said.splitlines()) <= 1, said
        _wait_for(lambda: not _processes_of(job.pid))
    finally:
        for pid in _processes_of(job.pid):
            os.kill(pid, signal.SIGKILL)
    for path in (tmp_path / "clips").glob("*.safetensors"):
        if not path.name.startswith("."):
            assert shard.frame_count(path) == 3


def _processes_of(session: int) -> list[int]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:  # gone meanwhile
            continue
        if int(fields[3]) == session and fields[0] != "Z":
            found.append(int(stat.parent.name))
    return found


def _wait_for(state: Callable[[], bool]) -> None:
    until = time.monotonic() + 120
    while not state():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.05)
