"""Disparity estimated on the command line: as files, and on the way to a refocused clip."""

from pathlib import Path

import numpy as np
import pytest

from any2bokeh.disparity import open_disparity
from tests import clips
from tests.cli.conftest import RunCli
from tests.disparity.estimators.models import write_model

FOCUS_AND_BLUR = ["--focus-point", "0.5,0.5", "--blur", "16"]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny Depth Anything."""
    return write_model(tmp_path_factory.mktemp("model") / "tiny")


@pytest.mark.parametrize("form", [["maps"], ["maps", "--format", "exr"], ["maps.npz"]], ids=" ".join)
def test_what_depth_writes_refocuses_alike(cli: RunCli, clip: Path, model: Path, results: Path, form: list[str]):
    told = cli("depth", clip, "--depth-model", model, "-o", results / form[0], *form[1:], "--json").result
    assert (told["frames"], told["depth_model"], told["estimated_as"]) == (12, str(model), "relative disparity")
    assert open_disparity(results / form[0], clip_frame_count=12).at(0).shape == (1, told["height"], told["width"])
    outputs = []
    for name, source in (("a.mkv", ["--depth-model", model]), ("b.mkv", ["--disparity", results / form[0]])):
        outcome = cli("refocus", clip, *source, *FOCUS_AND_BLUR, "--codec", "ffv1", "-o", results / name, "--quiet")
        assert outcome.code == 0, outcome
        outputs.append(clips.decoded(results / name))
    np.testing.assert_array_equal(*outputs)


def test_one_command_without_disparity_offline(cli: RunCli, clip: Path, results: Path):
    outcome = cli("refocus", clip, *FOCUS_AND_BLUR, "--tracker", "classical", "-o", results / "out.mp4")
    assert outcome.code == 0, outcome
    [line] = [line for line in outcome.err.splitlines() if "disparity" in line and "rough" in line]
    for word in ("warning:", "rough", "Depth-Anything-V2-Small-hf", "--disparity"):
        assert word in line
    assert len(clips.decoded(results / "out.mp4")) == clips.FRAMES
    assert [path.name for path in results.iterdir()] == ["out.mp4"]
    again = cli("refocus", clip, *FOCUS_AND_BLUR, "-o", results / "again.mp4", "--json")
    assert again.result["depth_model"] == "rough"
    assert "rough" in again.err  # it is still rough where it comes from the cache


def test_preview_shows_what_the_run_makes(cli: RunCli, clip: Path, model: Path, results: Path):
    import cv2

    frames = results / "frames"
    fixed = ["--focus", "0.6", "--blur", "16", "--depth-model", model, "--quiet"]
    assert cli("refocus", clip, *fixed, "-o", frames).code == 0
    assert cli("preview", clip, *fixed, "--frame", "7", "-o", results / "7.png").code == 0
    np.testing.assert_array_equal(cv2.imread(str(results / "7.png")), cv2.imread(str(frames / "00007.png")))


def test_a_part_is_estimated_alone(cli: RunCli, clip: Path, model: Path, results: Path):
    told = cli("depth", clip, "--depth-model", model, "--start", "0.25", "-o", results / "maps", "--json").result
    assert (told["start_frame"], told["frames"]) == (6, 6)
    part = ["--start", "0.25", "--focus", "0.5", "--blur", "8", "--codec", "ffv1", "--quiet"]
    assert cli("refocus", clip, "--depth-model", model, *part, "-o", results / "a.mkv").code == 0
    assert cli("refocus", clip, "--disparity", results / "maps", *part, "-o", results / "b.mkv").code == 0
    np.testing.assert_array_equal(clips.decoded(results / "a.mkv"), clips.decoded(results / "b.mkv"))


def test_progress_is_told_in_lines(cli: RunCli, clip: Path, model: Path, results: Path):
    outcome = cli("depth", clip, "--depth-model", model, "-o", results / "maps")
    lines = outcome.out.splitlines()
    assert lines[0] == "estimating disparity of 12 frames"
    assert lines[-1].startswith(f"{results / 'maps'}: disparity of 12 frames, 56x42, from {model}")
    assert outcome.err == ""


def test_the_point_is_where_the_rough_subject_is(cli: RunCli, results: Path, tmp_path: Path):
    import cv2

    picture = np.full((96, 160, 3), (120, 110, 100), np.uint8)
    cv2.circle(picture, (40, 48), 22, (40, 40, 220), -1)
    cv2.circle(picture, (120, 48), 22, (60, 200, 60), -1)
    assert cv2.imwrite(str(tmp_path / "still.png"), picture)
    for name, point, inside, outside in (
        ("left.npz", "0.25,0.5", (48, 40), (48, 120)),
        ("right.npz", "0.75,0.5", (48, 120), (48, 40)),
    ):
        still = tmp_path / "still.png"
        cli("depth", still, "--depth-model", "rough", "--subject-point", point, "-o", results / name, "--quiet")
        [one] = open_disparity(results / name, clip_frame_count=1).at(0)
        assert one[inside] > one[outside] + 0.3
