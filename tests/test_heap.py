"""Freed memory stays with the process. Each job is a process of its own: what is set holds for all of a process."""

import os
import platform
import subprocess
import sys

import pytest

from any2bokeh.heap import keep_freed_memory

pytestmark = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="needs the GNU C library")

# A plane of a frame is freed and asked for again, as it is by each stage.
_JOB = """
import resource, sys, threading
import numpy as np
from any2bokeh.heap import keep_freed_memory
if sys.argv[1] == "kept":
    keep_freed_memory()
count, in_threads = int(sys.argv[2]), sys.argv[3] == "in threads"
def planes():
    found = [np.ones(600_000, np.float32) for _ in range(count)]
def frame():
    if not in_threads:
        return planes()
    thread = threading.Thread(target=planes)
    thread.start()
    thread.join()
frame()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    frame()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def page_faults(how: str, planes: int = 6, where: str = "here", **told: str) -> int:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MALLOC_", "GLIBC_"))}
    job = [sys.executable, "-c", _JOB, how, str(planes), where]
    return int(subprocess.run(job, check=True, capture_output=True, text=True, env={**environment, **told}).stdout)


def test_pages_of_a_frame_serve_the_next():
    left_alone = page_faults("left alone")
    if left_alone < 1000:
        pytest.skip(f"the library keeps the memory by itself: {left_alone} page faults")
    assert page_faults("kept") < 0.1 * left_alone


@pytest.mark.parametrize(("planes", "where"), [(40, "in threads"), (60, "here")])
def test_so_do_those_of_threads_and_of_large_frames(planes: int, where: str):
    """Of more than the 64 MB after which the heap of a thread ends, and of 144 MB."""
    left_alone = page_faults("left alone", planes, where)
    if left_alone < 1000:
        pytest.skip(f"the library keeps the memory by itself: {left_alone} page faults")
    assert page_faults("kept", planes, where) < 0.1 * left_alone


def test_what_the_environment_says_goes_before():
    told = page_faults("kept", MALLOC_TRIM_THRESHOLD_="131072", MALLOC_MMAP_THRESHOLD_="131072")
    assert told > 0.5 * page_faults("left alone")


def test_it_may_be_said_twice():
    keep_freed_memory()
    keep_freed_memory()
