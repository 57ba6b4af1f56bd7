"""Peak memory of a job, which must not grow with the length of the clip."""

import itertools
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.end_to_end import write_clip
from benchmarks.scenes import demo_scene
from benchmarks.table import table

GROWTH_LIMIT = 1.10
PEAK_LIMIT_MB = 2048

# VmHWM is the peak of the process itself; ru_maxrss would count the parent's memory at the fork.
_JOB = """
import re, sys
from any2bokeh.cli.main import run
code = run(sys.argv[1:])
print(re.search(r"VmHWM:\\s*(\\d+) kB", open("/proc/self/status").read())[0])
sys.exit(code)
"""


@dataclass(frozen=True, slots=True)
class Peak:
    """Peak resident memory of one job.

    Attributes:
        frames: length of the clip.
        peak_mb: MiB.
    """

    frames: int
    peak_mb: float


def measure(folder: Path, *, size: tuple[int, int], lengths: Sequence[int]) -> list[Peak]:
    """Peak of refocusing a clip of each length, each in a process of its own; empty where /proc does not tell it."""
    if not Path("/proc/self/status").is_file():
        return []
    return [Peak(length, _peak_mb(folder, size, length)) for length in lengths]


def _peak_mb(folder: Path, size: tuple[int, int], length: int) -> float:
    inputs = demo_scene(size, frames=12, blur_strength=16).inputs
    frames = list(itertools.islice(itertools.cycle([*inputs, *reversed(inputs)]), length))
    clip = write_clip(folder / f"{length}.mp4", (frame.pixels for frame in frames), preset="ultrafast")
    maps = folder / f"{length}.npy"
    small = (slice(None), slice(None, None, 4), slice(None, None, 4))
    np.save(maps, np.stack([frame.disparity[small] for frame in frames]))
    arguments = ["refocus", clip, "--disparity", maps, "--focus", "0.8", "--blur", "16", "--quiet"]
    done = subprocess.run(
        [sys.executable, "-c", _JOB, *map(str, arguments), "-o", str(folder / f"out-{length}.mp4")],
        check=True,
        capture_output=True,
        text=True,
    )
    found = re.search(r"VmHWM:\s*(\d+) kB", done.stdout)
    if found is None:
        raise RuntimeError(f"the job told no peak: {done.stdout!r}")
    return int(found[1]) / 1024


def report(peaks: Sequence[Peak]) -> str:
    """A table of lengths, and whether the limits hold."""
    if not peaks:
        return "left out: this system has no /proc"
    short, long = peaks[0], peaks[-1]
    growth = long.peak_mb / short.peak_mb
    holds = growth <= GROWTH_LIMIT and long.peak_mb < PEAK_LIMIT_MB
    return "\n".join(
        [
            table(["frames", "peak MiB"], [[str(peak.frames), f"{peak.peak_mb:.0f}"] for peak in peaks]),
            f"{growth:.3f} times as much for {long.frames / short.frames:g} times the frames; at most "
            f"{GROWTH_LIMIT:.2f} times and under {PEAK_LIMIT_MB} MiB: {'yes' if holds else 'NO'}",
        ]
    )
