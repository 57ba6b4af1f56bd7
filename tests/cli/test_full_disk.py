"""A full disk under every command: exit code 2, one line, and nothing half-written under the final name."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests import clips

# A small disk in a mount namespace of the test's own: the kernel itself says that no space is left.
_SMALL_DISK = 'mount -t tmpfs -o size="$1" tmpfs "$0" && shift && { "$@"; code=$?; ls -A "$0"; exit $code; }'
_TINY_DEMO = """
import sys
from pathlib import Path
from any2bokeh import demo
from any2bokeh.cli.main import run
demo.CLIP_FOLDER = Path(sys.argv[1])
sys.exit(run(sys.argv[2:]))
"""


def _namespaces_allowed() -> bool:
    probe = ["unshare", "--user", "--map-root-user", "--mount", "true"]
    return shutil.which("unshare") is not None and subprocess.run(probe, capture_output=True).returncode == 0


pytestmark = pytest.mark.skipif(
    not _namespaces_allowed(), reason="needs unshare and unprivileged user namespaces for a small disk"
)


def assert_told(disk: Path, size: str, command: list[object], *, named: str, left: list[str]) -> None:
    """Run a command that fills a disk of ``size`` at ``disk``, and look at what it says and leaves."""
    done = subprocess.run(
        ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", _SMALL_DISK, disk, size, *map(str, command)],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 2, done
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert "disk full" in done.stderr
    assert str(disk / named) in done.stderr
    assert done.stdout.split() == left


@pytest.fixture
def any2bokeh() -> list[object]:
    return [sys.executable, "-m", "any2bokeh"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("size", "name", "options"),
    [("8k", "maps", []), ("16k", "maps", ["--format", "exr"]), ("16k", "maps.npz", [])],
)
def test_depth(any2bokeh: list[object], clip: Path, results: Path, size: str, name: str, options: list[str]):
    command = [*any2bokeh, "depth", clip, "--depth-model", "rough", *options, "-o", results / name, "--quiet"]
    assert_told(results, size, command, named=name, left=[])


@pytest.mark.slow
def test_track_with_masks(any2bokeh: list[object], clip: Path, disparity_folder: Path, results: Path):
    given = ["--disparity", disparity_folder, "--focus-point", "0.25,0.5", "--masks", results / "mattes", "--quiet"]
    command = [*any2bokeh, "track", clip, *given, "-o", results / "track.json"]
    assert_told(results, "16k", command, named="mattes", left=[])


@pytest.mark.slow
def test_synth(any2bokeh: list[object], results: Path):
    small = ["--clips", 1, "--frames", 2, "--size", "64x48", "--samples", 2, "--quiet"]
    assert_told(results, "8k", [*any2bokeh, "synth", results / "clips", *small], named="clips", left=[])


@pytest.mark.slow
def test_evaluate(any2bokeh: list[object], results: Path, tmp_path: Path):
    small = ["--clips", "1", "--frames", "2", "--size", "64x48", "--samples", "2", "--quiet"]
    subprocess.run([*map(str, any2bokeh), "synth", str(tmp_path / "clips"), *small], check=True)
    command = [*any2bokeh, "evaluate", tmp_path / "clips", "--engine", "gather", "-o", results / "report", "--quiet"]
    assert_told(results, "16k", command, named="report/strip", left=[])


@pytest.mark.slow
def test_demo(clip: Path, results: Path, tmp_path: Path):
    folder = tmp_path / "demo_clip"
    folder.mkdir()
    clip.rename(folder / "clip.mp4")
    clips.write_disparity(folder / "disparity.mkv")
    (folder / "focus.json").write_text(
        '{"version": 1, "keyframes": [{"frame": 0, "focus_disparity": 0.9, "blur_strength": 60}]}'
    )
    command = [sys.executable, "-c", _TINY_DEMO, folder, "demo", "-o", results / "demo", "--quiet"]
    for size in ("8k", "64k"):  # in the video, in a picture
        assert_told(results, size, command, named="demo/", left=[])


@pytest.mark.slow
def test_convert(any2bokeh: list[object], results: Path):
    pytest.importorskip("diffusers")
    assert_told(results, "1m", [*any2bokeh, "convert", "tiny", results / "model", "--quiet"], named="model", left=[])
