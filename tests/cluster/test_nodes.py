"""Several nodes with addresses of their own, and a command that is given the address of the first."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from any2bokeh.focus import FocusScript
from any2bokeh.recipe import Recipe
from any2bokeh.refocusing import refocus
from any2bokeh.segments.cut import Segmentation
from tests import clips

pytest.importorskip("ray", reason="the package ray is not installed: pip install 'any2bokeh[cluster]'")
pytest.importorskip("psutil", reason="the package psutil is not installed: pip install psutil")
if not sys.platform.startswith("linux"):
    pytest.skip("only Linux has more loopback addresses than one", allow_module_level=True)

from tests.cluster.nodes import Nodes

pytestmark = pytest.mark.slow

FRAMES, WIDTH, HEIGHT = 64, 320, 240
HANG_S = 300


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a clip, its disparity, and what one machine makes of them."""
    folder = tmp_path_factory.mktemp("inputs")
    maps = clips.write_disparity(folder / "maps", stop=FRAMES, width=WIDTH, height=HEIGHT)
    clip = clips.write_clip(folder / "clip.mp4", frames=FRAMES, width=WIDTH, height=HEIGHT)
    recipe = Recipe(FocusScript.constant(0.9, 24), disparity=maps)
    refocus(clip, folder / "one.mp4", recipe, segmentation=Segmentation(8))
    return folder


def command(
    nodes: Nodes, inputs: Path | str, folder: Path, *, output: str = "many.mp4", **environment: str
) -> subprocess.Popen[str]:
    """``any2bokeh refocus`` on the nodes, as a user starts it."""
    words = [f"{inputs}/clip.mp4", "--disparity", f"{inputs}/maps", "--focus", "0.9", "--blur", "24"]
    words += ["-o", output, "--cluster", nodes.address, "--segment-frames", "8"]
    return subprocess.Popen(
        [sys.executable, "-m", "any2bokeh", "refocus", *words],
        cwd=folder,
        env=nodes.environment | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def segments(folder: Path) -> list[Path]:
    return [each for each in folder.glob("many.mp4.parts/segment-*") if each.suffix != ".partial"]


def wait_until(reached: Callable[[], object], process: subprocess.Popen[str]) -> None:
    until = time.monotonic() + HANG_S
    while not reached():
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < until
        time.sleep(0.02)


@pytest.mark.parametrize("count", [2, 4])
def test_a_node_that_dies_costs_its_segments_only(inputs: Path, tmp_path: Path, count: int):
    with Nodes(count) as nodes:
        process = command(nodes, inputs, tmp_path)
        last = count - 1
        wait_until(lambda: segments(tmp_path) and nodes.rendering(last), process)
        left = FRAMES // 8 - len(segments(tmp_path))
        nodes.kill(last)
        told = process.communicate(timeout=HANG_S)[0]
    assert process.returncode == 0, told
    assert left > 1
    assert (tmp_path / "many.mp4").read_bytes() == (inputs / "one.mp4").read_bytes()
    assert [each.name for each in tmp_path.iterdir()] == ["many.mp4"]


def test_ctrl_c_leaves_nothing_on_any_node(inputs: Path, tmp_path: Path):
    with Nodes(2) as nodes:
        process = command(nodes, inputs, tmp_path)
        wait_until(lambda: nodes.rendering(0) and nodes.rendering(1), process)
        os.killpg(process.pid, signal.SIGINT)
        told = process.communicate(timeout=HANG_S)[0]
        assert process.returncode == 128 + signal.SIGINT, told
        assert list(tmp_path.iterdir()) == []
        assert nodes.working() == []


def test_a_cluster_lets_in_who_has_its_token(inputs: Path, tmp_path: Path):
    with Nodes(1) as nodes:
        process = command(nodes, inputs, tmp_path, HOME=str(tmp_path))
        told = process.communicate(timeout=HANG_S)[0]
        assert process.returncode == 2, told
        assert f"--cluster {nodes.address} lets in only who has its token; copy ~/.ray/auth_token from its head" in told


def test_a_cluster_without_tokens_lets_in_everybody(inputs: Path, tmp_path: Path):
    with Nodes(1, is_open=True) as nodes:
        told = command(nodes, inputs, tmp_path).communicate(timeout=HANG_S)[0]
        assert (tmp_path / "many.mp4").read_bytes() == (inputs / "one.mp4").read_bytes(), told
