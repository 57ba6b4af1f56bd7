"""Clips rendered in a process of its own, which dies, is killed, or loses the batch that started it."""

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from any2bokeh.batch.finding import batch_items
from any2bokeh.batch.item import Item
from any2bokeh.batch.running import Batch
from any2bokeh.events import ClipFailed, ClipFinished, ClipStarted, Event, SegmentFinished
from any2bokeh.focus import FocusScript
from any2bokeh.recipe import Recipe
from any2bokeh.segments.cut import Segmentation
from any2bokeh.video import VideoSource, open_source
from tests import clips

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc, and sends signals")

LONG = 200
"""Frames that take seconds, so that a clip can be caught in the middle."""


@contextmanager
def opened(item: Item) -> Iterator[VideoSource]:
    with open_source(item.clip) as source:
        yield source


def part(item: Item, source: VideoSource) -> tuple[int, int]:
    return 0, source.info.frame_count


def recipe(item: Item, source: VideoSource, first_frame: int, notice: object) -> Recipe:
    if item.clip.stem == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    return Recipe(FocusScript.constant(0.9, 40), disparity=item.clip.parent.parent / "maps")


@pytest.fixture
def rushes(tmp_path: Path) -> Path:
    """Clips ``a``, ``b`` (a long one) and ``crash``, whose maps are in ``maps``."""
    folder = tmp_path / "rushes"
    folder.mkdir()
    maps = clips.write_disparity(tmp_path / "maps", stop=1)
    for index in range(1, LONG):
        (maps / f"{index:05d}.png").hardlink_to(maps / "00000.png")
    return folder


def files(folder: Path) -> list[str]:
    return sorted(each.relative_to(folder).as_posix() for each in folder.rglob("*") if each.is_file())


def test_a_process_that_dies_costs_its_clip_only(rushes: Path, tmp_path: Path):
    for name, frames in (("a", 12), ("b", LONG), ("c", 12), ("crash", 12), ("d", 12)):
        clips.write_clip(rushes / f"{name}.mp4", frames=frames, sound=False)
    # One map for each frame is asked for.
    batch = Batch(opened, part, recipe_of_length, segmentation=Segmentation(8))
    items, told, workers = batch_items(str(rushes), tmp_path / "out"), list[Event](), list[int]()

    def watch(item: Item, event: Event) -> None:
        told.append(event)
        if isinstance(event, SegmentFinished):
            (worker,) = (each.pid for each in multiprocessing.active_children() if each.name == "any2bokeh clips")
            assert worker is not None
            workers.append(worker)
            if item.clip.stem == "b" and event.start_frame == 16:
                os.kill(worker, signal.SIGKILL)

    outcomes = {each.item.clip.stem: each for each in batch.rendered(items, watch=watch, apart=True)}
    assert {name: each.state for name, each in outcomes.items()} == {
        **dict.fromkeys("acd", "rendered"),
        **dict.fromkeys(("b", "crash"), "failed"),
    }
    assert "was killed (signal 9, SIGKILL), perhaps for want of memory" in outcomes["b"].message
    assert "died (signal 11, SIGSEGV)" in outcomes["crash"].message
    assert not outcomes["b"].is_defect
    assert len(set(workers)) == 3  # one for a and b, one for c and the crash, one for d
    assert not multiprocessing.active_children()
    ends = [type(each) for each in told if isinstance(each, ClipStarted | ClipFinished | ClipFailed)]
    assert ends == [
        *(ClipStarted, ClipFinished, ClipStarted, ClipFailed, ClipStarted, ClipFinished),
        *(ClipStarted, ClipFailed, ClipStarted, ClipFinished),
    ]
    # What is left is what the next start goes on from; here, in this process.
    out = tmp_path / "out"
    left = [name for name in files(out) if not name.startswith("b.mp4.parts/") and not name.endswith(".made.json")]
    assert left == ["a.mp4", "c.mp4", "d.mp4"]
    assert len([each for each in (out / "b.mp4.parts").iterdir() if each.name.startswith("segment-")]) >= 3
    (again,) = batch.rendered([item for item in items if item.clip.stem == "b"])
    assert (again.state, again.frames) == ("rendered", LONG)
    assert any("segments are there already" in each for each in again.remarks)
    assert not [name for name in files(out) if "parts" in name]


def recipe_of_length(item: Item, source: VideoSource, first_frame: int, notice: object) -> Recipe:
    """That of the clip, with as many maps as it has frames."""
    made = recipe(item, source, first_frame, notice)
    assert isinstance(made.disparity, Path)
    count = source.info.frame_count
    if count == LONG:
        return made
    maps = made.disparity.with_name(f"maps-{count}")
    if not maps.exists():
        maps.mkdir()
        for index in range(count):
            (maps / f"{index:05d}.png").hardlink_to(made.disparity / f"{index:05d}.png")
    return Recipe(made.focus, disparity=maps)


@pytest.mark.parametrize(
    ("number", "to_all", "code"),
    [
        pytest.param(signal.SIGINT, True, 130, id="Ctrl-C on a terminal"),
        pytest.param(signal.SIGTERM, False, 143, id="SIGTERM", marks=pytest.mark.slow),
        pytest.param(signal.SIGKILL, False, -9, id="kill -9", marks=pytest.mark.slow),
    ],
)
def test_no_process_outlives_the_batch(rushes: Path, tmp_path: Path, number: int, to_all: bool, code: int):
    clips.write_clip(rushes / "b.mp4", frames=LONG, sound=False)
    command = [*("batch", "rushes", "-o", "out", "--disparity", "maps", "--focus", "0.9", "--blur", "40"), "--json"]
    job = subprocess.Popen(
        [sys.executable, "-m", "any2bokeh", *command, "--segment-frames", "8"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert job.stdout is not None
    for line in job.stdout:
        if json.loads(line)["event"] == "segment_finished":
            break
    children = children_of(job.pid)
    assert children
    if to_all:
        os.killpg(job.pid, number)
    else:
        job.send_signal(number)
    out, err = job.communicate(timeout=300)
    assert job.returncode == code, err
    if code > 0:
        assert json.loads(out.splitlines()[-1])["exit_code"] == code
    until = time.monotonic() + 60  # catches a hang only: it takes a frame
    while any(Path(f"/proc/{child}").exists() for child in children):
        assert time.monotonic() < until, "a process outlived the batch"
        time.sleep(0.05)
    # Nothing but what the next start goes on from.
    kept = {name.split("/")[0] for name in files(tmp_path / "out")}
    assert kept <= {"b.mp4.parts", "b.mp4.made.json", "report.json"}
    assert not [each for each in (tmp_path / "out").iterdir() if each.name.startswith(".")]
    assert (tmp_path / "out/b.mp4.parts/segment-00000000").is_dir()


def children_of(process: int) -> list[int]:
    """Processes that it has started."""
    found: list[int] = []
    for each in Path("/proc").iterdir():
        if each.name.isdecimal():
            try:
                parent = int((each / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            if parent == process:
                found.append(int(each.name))
    return found


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 143), pytest.param(signal.SIGINT, 130, marks=pytest.mark.slow)]
)
def test_an_interruption_while_kernels_are_compiled(rushes: Path, tmp_path: Path, number: int, code: int):
    """Compiling all of them takes half a minute of processor time; the one that is under way is waited for."""
    clips.write_clip(rushes / "a.mp4", frames=LONG, sound=False)
    kernels, results = tmp_path / "kernels", tmp_path / "results"
    given = ["batch", rushes, "--disparity", tmp_path / "maps", "--focus", "0.9", "--blur", "40", "-o", results]
    job = subprocess.Popen(
        [sys.executable, "-m", "any2bokeh", *map(str, given), "--quiet"],
        env=os.environ | {"NUMBA_CACHE_DIR": str(kernels)},
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    made: list[Path] = []
    while job.poll() is None and not made:
        time.sleep(0.05)
        made = list(kernels.rglob("*.nbi"))
    job.send_signal(number)
    _, err = job.communicate(timeout=300)
    said = ["error: interrupted; nothing was written"] if number == signal.SIGINT else []
    assert (job.returncode, err.splitlines()) == (code, said)
    assert [name for name in files(results) if not name.startswith("a.mp4.")] == []
    # Each kernel compiles those that it calls, of more than 50 in all. Worst seen: none more.
    assert len(list(kernels.rglob("*.nbi"))) <= len(made) + 3
