"""Memory is flat in the length of the clip while disparity is estimated. Each job tells the peak of its own process."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import clips

pytestmark = pytest.mark.skipif(not Path("/proc/self/status").is_file(), reason="needs /proc for the peak of a process")

_JOB = """
import re, sys
from any2bokeh.cli.main import run
code = run(sys.argv[1:])
print(re.search(r"VmHWM:\\s*(\\d+) kB", open("/proc/self/status").read())[1])
sys.exit(code)
"""


def peak_mb(folder: Path, frames: int, scale_alignment: str) -> float:
    """Peak memory of ``any2bokeh depth`` in MB."""
    film = folder / f"{frames}.mp4"
    if not film.exists():
        clips.write_clip(film, frames=frames, width=160, height=96, options={"preset": "ultrafast"}, sound=False)
    arguments = ["depth", film, "--depth-model", "rough", "--scale-alignment", scale_alignment, "--quiet"]
    done = subprocess.run(
        [sys.executable, "-c", _JOB, *map(str, arguments), "-o", str(folder / f"{frames}-{scale_alignment}.npz")],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "XDG_CACHE_HOME": str(folder / "cache")},
    )
    return int(done.stdout) / 1024


@pytest.mark.slow
@pytest.mark.parametrize("scale_alignment", ["none", "whole-clip"])
def test_memory_does_not_grow_with_the_clip(tmp_path: Path, scale_alignment: str):
    peak_mb(tmp_path, 8, scale_alignment)  # where nothing is compiled yet, that takes more than any clip does
    short, long = (peak_mb(tmp_path, frames, scale_alignment) for frames in (200, 2000))
    # 1800 more maps of 160x96 are 110 MB as floats, their frames 330 MB. Seen: none more.
    assert long < short + 10
