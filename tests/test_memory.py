"""Memory is flat in the length of the clip. Each job runs in a process of its own, which tells its own peak."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests import clips

pytestmark = pytest.mark.skipif(not Path("/proc/self/status").is_file(), reason="needs /proc for the peak of a process")

# VmHWM is the peak of the process itself; ru_maxrss would count the parent's memory at the fork.
_JOB = """
import re, sys
from any2bokeh.cli.main import run
code = run(sys.argv[1:])
print(re.search(r"VmHWM:\\s*(\\d+) kB", open("/proc/self/status").read())[1])
sys.exit(code)
"""


def peak_mb(tmp_path: Path, *, frames: int, width: int, height: int, options: dict[str, str]) -> float:
    """Peak memory of a refocus job, in MB."""
    tmp_path.mkdir(exist_ok=True)
    film = clips.write_clip(tmp_path / f"{frames}.mp4", frames=frames, width=width, height=height, options=options)
    maps = clips.write_disparity(tmp_path / f"{frames}", stop=frames, width=width // 4, height=height // 4)
    arguments = ["refocus", film, "--disparity", maps, "--focus", "0.9", "--blur", "16", "--quiet"]
    done = subprocess.run(
        [sys.executable, "-c", _JOB, *map(str, arguments), "-o", str(tmp_path / f"out-{frames}.mp4")],
        check=True,
        capture_output=True,
        text=True,
    )
    return int(done.stdout) / 1024


def test_memory_does_not_grow_with_the_clip(tmp_path: Path):
    short, long = (
        peak_mb(tmp_path, frames=frames, width=256, height=144, options={"preset": "ultrafast"}) for frames in (24, 88)
    )
    # 64 more frames are 28 MB as float pictures alone; worst seen 1 MB less than the short one.
    assert long < short + 14


@pytest.mark.slow
def test_memory_at_full_size(tmp_path: Path):
    # Two short runs: how many frames happen to wait between the threads moves a peak by some percent.
    first, second, long = (
        peak_mb(tmp_path / run, frames=frames, width=1920, height=1080, options={"preset": "ultrafast"})
        for run, frames in (("first", 100), ("second", 100), ("long", 600))
    )
    short = max(first, second)
    assert long < 1.1 * short
    assert long < 2048
