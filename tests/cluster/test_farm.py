"""A real Ray cluster on this machine: the same result, whatever happens to its workers.

Starting Ray takes seconds, so all of them are slow.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from any2bokeh.batch.finding import batch_items
from any2bokeh.batch.running import Batch
from any2bokeh.cluster.farm import Farm
from any2bokeh.cluster.need import Need
from any2bokeh.errors import InputError
from any2bokeh.focus import FocusScript
from any2bokeh.recipe import Recipe
from any2bokeh.refocusing import refocus
from any2bokeh.segments.cut import Segment, Segmentation, cut
from any2bokeh.video import open_source
from tests import clips

pytest.importorskip("ray", reason="the package ray is not installed: pip install 'any2bokeh[cluster]'")
psutil = pytest.importorskip("psutil", reason="the package psutil is not installed: pip install psutil")
pytestmark = pytest.mark.slow

FRAMES = 96
CUT = Segmentation(8)


@pytest.fixture(scope="module")
def farm() -> Iterator[Farm]:
    with Farm("auto", cores=1) as connected:
        yield connected


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return clips.write_clip(tmp_path / "clip.mp4", frames=FRAMES)


@pytest.fixture
def recipe(tmp_path: Path) -> Recipe:
    return Recipe(FocusScript.constant(0.9, 12), disparity=clips.write_disparity(tmp_path / "maps", stop=FRAMES))


def rendering() -> list[int]:
    """Processes that render a segment now; Ray gives them the name of their task."""
    found: list[int] = []
    for process in psutil.Process().children(recursive=True):
        try:
            if "ray::any2bokeh segment" in " ".join(process.cmdline()):
                found.append(process.pid)
        except psutil.Error:
            continue
    return found


def names(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir())


def test_workers_that_are_killed_cost_their_segments_only(farm: Farm, tmp_path: Path, clip: Path, recipe: Recipe):
    refocus(clip, tmp_path / "one.mp4", recipe, segmentation=CUT)
    killed: list[int] = []
    is_over = threading.Event()

    def kill() -> None:
        while len(killed) < 2 and not is_over.is_set():
            for process in rendering()[:1]:
                os.kill(process, signal.SIGKILL)
                killed.append(process)
            time.sleep(0.05)

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        result = refocus(clip, tmp_path / "many.mp4", recipe, segmentation=CUT, workers=farm)
    finally:
        is_over.set()
        killer.join()
    assert len(killed) == 2
    assert result.frame_count == FRAMES
    assert (tmp_path / "many.mp4").read_bytes() == (tmp_path / "one.mp4").read_bytes()
    assert names(tmp_path) == ["clip.mp4", "many.mp4", "maps", "one.mp4"]


def test_a_poisoned_segment_is_told_with_its_frames_when_the_others_are_done(
    farm: Farm, tmp_path: Path, clip: Path, recipe: Recipe, monkeypatch: pytest.MonkeyPatch
):
    begun: list[Segment] = []
    begin = Farm._begun

    def noted(self: Farm, name: str, need: Need, task: Callable[..., object], *given: object) -> object:
        begun.extend(each for each in given if isinstance(each, Segment))
        return begin(self, name, need, task, *given)

    monkeypatch.setattr(Farm, "_begun", noted)
    assert isinstance(recipe.disparity, Path)
    poisoned = sorted(recipe.disparity.iterdir())[20]
    good = poisoned.read_bytes()
    poisoned.write_bytes(good[:-40])
    with pytest.raises(InputError, match=r"frames 16 to 23 of clip\.mp4: "):
        refocus(clip, tmp_path / "many.mp4", recipe, segmentation=CUT, workers=farm)
    assert sorted(begun) == sorted([*cut(0, FRAMES, 8), Segment(16, 24)])  # that one twice
    parts = tmp_path / "many.mp4.parts"
    assert len([each for each in names(parts) if each.startswith("segment-")]) == FRAMES // 8 - 1
    assert "segment-00000016" not in names(parts)


def test_many_clips_at_once(farm: Farm, tmp_path: Path):
    rushes = tmp_path / "rushes"
    rushes.mkdir()
    for name in ("a", "b", "c"):
        clips.write_clip(rushes / f"{name}.mp4", frames=16)
    (rushes / "bad.mp4").write_bytes(b"no video")
    recipe = Recipe(FocusScript.constant(0.9, 12), disparity=clips.write_disparity(tmp_path / "maps", stop=16))
    states: dict[str, dict[str, str]] = {}
    for name, workers in (("one", None), ("many", farm)):
        batch = Batch(
            opened=lambda item: open_source(item.clip),
            part=lambda item, source: (0, source.info.frame_count),
            recipe=lambda item, source, first, notice: recipe,
            segmentation=CUT,
            workers=workers,
            at_once=1 if workers is None else 2,
        )
        items = batch_items(str(rushes), tmp_path / name)
        states[name] = {each.item.clip.name: each.state for each in batch.rendered(items)}
        again = [each.state for each in batch.rendered(items)]
        assert sorted(again) == ["failed", "kept", "kept", "kept"]
    assert states["one"] == states["many"]
    assert list(states["many"]) == ["a.mp4", "b.mp4", "bad.mp4", "c.mp4"]
    for name in ("a.mp4", "b.mp4", "c.mp4"):
        assert (tmp_path / "many" / name).read_bytes() == (tmp_path / "one" / name).read_bytes()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_command_leaves_nothing(tmp_path: Path, clip: Path, recipe: Recipe, number: signal.Signals):
    options = ["--disparity", str(recipe.disparity), "--focus-point", "0.4,0.5", "--blur", "12"]
    command = ["refocus", str(clip), "-o", "out.mp4", *options, "--cluster", "auto", "--segment-frames", "8"]
    before = set(Path("/tmp").glob("a2b-ray-*"))
    process = subprocess.Popen(
        [sys.executable, "-m", "any2bokeh", *command],
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    family = psutil.Process(process.pid)
    until = time.monotonic() + 120
    while not list(tmp_path.glob("out.mp4.parts/*.partial")):
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < until
        time.sleep(0.02)
    children = family.children(recursive=True)
    if number == signal.SIGINT:
        os.killpg(process.pid, number)  # as a terminal does
    else:
        process.terminate()
    told = process.communicate(timeout=120)[1]
    assert process.returncode == 128 + number, told
    assert names(tmp_path) == ["clip.mp4", "maps"], told
    assert psutil.wait_procs(children, timeout=20)[1] == []
    assert set(Path("/tmp").glob("a2b-ray-*")) <= before


def test_an_address_where_no_cluster_answers_is_refused():
    script = (
        "from any2bokeh.cluster.farm import Farm\n"
        "try:\n    with Farm('127.0.0.1:1'): pass\n"
        "except ValueError as error: print(type(error).__name__, error)"
    )
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120).stdout
    assert told.startswith("InputError --cluster 127.0.0.1:1 does not answer")
