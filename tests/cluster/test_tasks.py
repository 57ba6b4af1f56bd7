"""What the machines of a cluster do, without the cluster: the tasks are called in this process, in another order."""

import json
import pickle
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from any2bokeh.aov.kinds import AovRequest
from any2bokeh.cli.main import run
from any2bokeh.cluster import tasks
from any2bokeh.errors import InputError
from any2bokeh.events import Watch
from any2bokeh.focus import FocusScript
from any2bokeh.recipe import Recipe
from any2bokeh.refocusing import refocus
from any2bokeh.segments.cut import Segment, Segmentation
from any2bokeh.segments.order import Order
from tests import clips
from tests.segments.test_equal import with_packets

FRAMES = 24
CUT = Segmentation(8)


class Here:
    """Workers that are this process; orders go through a pickle, and segments come backwards."""

    def look(self, order: Order, notice: Callable[[str], None] | None) -> None:
        tasks.probe(pickle.loads(pickle.dumps(order)))
        tasks.look(order, 1)

    def render(
        self,
        order: Order,
        segments: list[Segment],
        progress: Callable[[int, int], None],
        notice: Callable[[str], None] | None,
        watch: Watch | None = None,
    ) -> int:
        end = segments[-1].stop
        for segment in reversed(segments):
            rendered = tasks.render(pickle.loads(pickle.dumps(order)), segment, 1)
            if rendered.frames < len(segment.frames):
                end = min(end, segment.start + rendered.frames)
        return end

    def stop(self) -> None:
        pass


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return clips.write_clip(tmp_path / "clip.mp4", frames=FRAMES)


@pytest.fixture
def maps(tmp_path: Path) -> Path:
    return clips.write_disparity(tmp_path / "maps", stop=FRAMES)


def contents(folder: Path) -> dict[str, bytes]:
    return {each.relative_to(folder).as_posix(): each.read_bytes() for each in folder.rglob("*") if each.is_file()}


def test_what_workers_render_equals_what_one_process_renders(tmp_path: Path, clip: Path, maps: Path):
    recipe = Recipe(FocusScript.constant(0.9, 12), disparity=maps, grain=0.5)
    results = [tmp_path / name for name in ("one", "many")]
    for result, workers in zip(results, (None, Here()), strict=True):
        result.mkdir()
        aovs = AovRequest(("coc",), result / "aov")
        refocus(clip, result / "out.mp4", recipe, aovs=aovs, segmentation=CUT, workers=workers)
    one, many = map(contents, results)
    assert len(one) > FRAMES
    assert many == one


def test_images_and_estimated_disparity_are_the_same_too(tmp_path: Path, clip: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    frames = clips.write_frames(tmp_path / "frames", frames=16)
    recipe = Recipe(FocusScript.at_point(0.3, 0.5, 8))
    for name, workers in (("one", None), ("many", Here())):
        refocus(frames, tmp_path / name, recipe, segmentation=CUT, workers=workers)
    assert len(contents(tmp_path / "one")) == 16
    assert contents(tmp_path / "many") == contents(tmp_path / "one")


def test_a_clip_that_ends_early_ends_at_the_same_frame(tmp_path: Path, maps: Path):
    options = {"bf": "0", "x264-params": "scenecut=0"}
    whole = clips.write_clip(tmp_path / "all.mkv", frames=FRAMES, sound=False, options=options)
    clip = with_packets(whole, tmp_path / "clip.mkv", lambda at, data: data if at < 12 else b"\0\0\0\2\x6f\xff")
    recipe = Recipe(FocusScript.constant(0.9, 0), disparity=maps)
    ends = [
        refocus(clip, tmp_path / f"{name}.mp4", recipe, segmentation=CUT, workers=workers).stop
        for name, workers in (("one", None), ("many", Here()))
    ]
    assert ends == [12, 12]
    assert (tmp_path / "one.mp4").read_bytes() == (tmp_path / "many.mp4").read_bytes()


def test_a_machine_that_sees_something_else_refuses(tmp_path: Path, clip: Path, maps: Path):
    orders: list[Order] = []

    class Sent(Here):
        def look(self, order: Order, notice: Callable[[str], None] | None) -> None:
            orders.append(order)
            job = json.loads((order.output.with_name("out.mp4.parts") / "job.json").read_text())
            assert job["format"] == 1
            with pytest.raises(InputError, match="that all machines share under one path"):
                tasks.probe(replace(order, output=tmp_path / "elsewhere" / "out.mp4"))
            before = clip.read_bytes()
            clip.write_bytes(before + b"\0")
            with pytest.raises(InputError, match="the input differ"):
                tasks.probe(order)
            clip.write_bytes(before)
            raise InputError("seen")

    recipe = Recipe(FocusScript.constant(0.9, 0), disparity=maps)
    with pytest.raises(InputError, match="seen"):
        refocus(clip, tmp_path / "out.mp4", recipe, segmentation=CUT, workers=Sent())
    assert orders
    assert sorted(each.name for each in tmp_path.iterdir()) == ["clip.mp4", "maps"]


def test_segments_of_a_failed_render_stay_only_if_they_are_wanted(tmp_path: Path, clip: Path, maps: Path):
    class Failing(Here):
        def render(
            self,
            order: Order,
            segments: list[Segment],
            progress: Callable[[int, int], None],
            notice: Callable[[str], None] | None,
            watch: Watch | None = None,
        ) -> int:
            tasks.render(order, segments[1], 1)
            raise InputError("lost")

    recipe = Recipe(FocusScript.constant(0.9, 0), disparity=maps)
    output = tmp_path / "out.mp4"
    for keeps in (False, True):
        with pytest.raises(InputError, match="lost"):
            refocus(clip, output, recipe, segmentation=replace(CUT, keeps=keeps), workers=Failing())
        assert (tmp_path / "out.mp4.parts").exists() is keeps
    assert [each.name for each in (tmp_path / "out.mp4.parts").glob("segment-*")] == ["segment-00000008"]
    with pytest.raises(InputError, match="lost"):  # what an earlier run has kept is not removed
        refocus(clip, output, recipe, segmentation=replace(CUT, keeps=False), workers=Failing())
    assert (tmp_path / "out.mp4.parts").exists()


@pytest.mark.parametrize("arguments", [["refocus"], ["batch"]])
def test_without_ray_a_cluster_is_refused_in_one_line(
    tmp_path: Path,
    arguments: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    monkeypatch.setitem(sys.modules, "ray", None)  # as where it is not installed
    code = run([*arguments, str(tmp_path), "-o", str(tmp_path / "out"), "--focus", "auto", "--cluster", "auto"])
    told = capsys.readouterr().err
    assert code == 2
    assert told.count("\n") == 1
    assert "pip install 'any2bokeh[cluster]'" in told


def test_the_tasks_can_be_imported_before_numba():
    import subprocess

    ask = "import sys, any2bokeh.cluster.tasks; print('numba' in sys.modules, 'numpy' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True)
    assert answer.stdout.split() == ["False", "False"]
