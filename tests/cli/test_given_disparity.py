"""How given disparity is read, from the command line."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from tests import clips
from tests.cli.conftest import RunCli
from tests.cli.test_bad_input import assert_refused

LENS = ["--f-number", "1.4", "--focal-length-mm", "50"]


@pytest.fixture
def frames(tmp_path: Path) -> Path:
    """A clip of five pictures, 1001 to 1005."""
    folder = tmp_path / "frames"
    folder.mkdir()
    for index in range(5):
        cv2.imwrite(str(folder / f"f.{1001 + index}.png"), clips.picture(index))
    return folder


@pytest.fixture
def metres(tmp_path: Path) -> Path:
    """The square of `clips` at 2 m, the slope behind it at 5 to 20 m, a sky of 1e10."""
    maps = np.stack([clips.depth_map(index) for index in range(5)]) / 65535
    depth = np.where(maps > 0.8, 2.0, 2.0 / maps)
    depth[:, :6] = 1e10
    np.save(tmp_path / "metres.npy", depth.astype(np.float32))
    return tmp_path / "metres.npy"


def test_lens_numbers_are_exact_with_metric_depth(cli: RunCli, frames: Path, metres: Path, results: Path):
    def strength(*focus: str) -> tuple[float, float]:
        name = results / f"{len(list(results.iterdir()))}.png"
        outcome = cli(
            "preview", frames, "--disparity", metres, "--disparity-kind", "depth", *focus, "-o", name, "--json"
        )
        assert (outcome.code, outcome.err) == (0, "")
        return outcome.result["focus_disparity"], outcome.result["blur_strength"]

    # f^2 / (2 N) / (z - f) / sensor * 1024 px * z / z_near: K of 50 mm at f/1.4, focused at 4 m, nearest 2 m
    wanted = 0.05**2 / 2.8 / (4 - 0.05) / 0.036 * 1024 * 4 / 2
    assert strength("--focus-distance-m", "4", *LENS) == (pytest.approx(0.5), pytest.approx(wanted, rel=1e-6))
    assert strength("--focus", "0.5", *LENS) == (pytest.approx(0.5), pytest.approx(wanted, rel=1e-6))


def test_depth_under_near_black_is_told_with_the_option(cli: RunCli, frames: Path, metres: Path, results: Path):
    run = ["refocus", frames, "--disparity", metres, "--focus", "0.5", "-o", results / "o"]
    outcome = cli(*run, "--disparity-polarity", "near-black")
    assert outcome.code == 0
    assert "--disparity-kind depth" in outcome.err


def test_maps_of_a_part_are_those_of_its_numbers(cli: RunCli, frames: Path, results: Path, tmp_path: Path):
    maps = tmp_path / "maps"
    maps.mkdir()
    for index in range(2, 5):
        cv2.imwrite(str(maps / f"z.{1001 + index}.png"), np.full((48, 64), 40 * index, np.uint8))
    run = ["refocus", frames, "--disparity", maps, "--focus-point", "0.5,0.5", "--no-track"]
    run += ["--focus-frame", "2", "-o", results / "o"]
    outcome = cli(*run, "--start", 2 / 24, "--json")
    assert outcome.code == 0
    assert outcome.result["focus_disparity"] == pytest.approx([80 / 255] * 3, abs=1e-6)
    (maps / "z.1004.png").unlink()
    refused = cli(*run[:-1], results / "p", "--start", 2 / 24)
    assert refused.code == 2
    assert "has no map numbered" in refused.err
    assert not (results / "p").exists()


def test_a_flat_map_is_told_once(cli: RunCli, frames: Path, results: Path, tmp_path: Path):
    np.save(tmp_path / "d.npy", np.full((5, 48, 64), 0.4, np.float32))
    outcome = cli("refocus", frames, "--disparity", tmp_path / "d.npy", "--focus", "0.4", "-o", results / "o")
    assert (outcome.code, outcome.err.count("one value throughout")) == (0, 1)


def test_flicker_is_told_and_steadied_on_request(cli: RunCli, frames: Path, results: Path, tmp_path: Path):
    maps = np.stack([clips.depth_map(index) / 65535 for index in range(5)])
    maps *= np.array([1, 0.8, 1.05, 0.75, 1])[:, None, None]
    np.save(tmp_path / "d.npy", maps.astype(np.float32))
    run = ["refocus", frames, "--disparity", tmp_path / "d.npy", "--focus", "0.2", "--blur", "200"]
    told = cli(*run, "-o", results / "a")
    assert "flickers" in told.err
    assert "--scale-alignment whole-clip" in told.err
    steady = cli(*run, "--scale-alignment", "whole-clip", "-o", results / "b")
    assert (steady.code, steady.err) == (0, "")
    rendered = [[cv2.imread(str(file)) for file in sorted((results / name).iterdir())] for name in "ab"]
    assert any(not np.array_equal(a, b) for a, b in zip(*rendered, strict=True))


def test_levels_bend_the_disparity(cli: RunCli, frames: Path, results: Path, tmp_path: Path):
    maps = np.stack([clips.depth_map(index) for index in range(5)])
    np.save(tmp_path / "d.npy", maps)
    outcome = cli(
        "preview", frames, "--disparity", tmp_path / "d.npy", "--disparity-levels", "0.1,0.9,2",
        "--focus-point", "0.02,0.5", "--blur", "4", "-o", results / "o.png", "--json",
    )  # fmt: skip
    plain = maps[0, 24, 1] / 65535
    # a median around the point, over a slope
    assert outcome.result["focus_disparity"] == pytest.approx(((plain - 0.1) / 0.8) ** 2, abs=2e-3)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--disparity-levels", "0.1,0.9"], "give LOW,HIGH,GAMMA"),
        (["--disparity-levels", "0.9,0.1,1"], "0 <= LOW < HIGH <= 1"),
        (["--disparity-levels", "0,1,0"], "gamma of the disparity levels is 0"),
        (["--disparity-kind", "depth", "--disparity-polarity", "near-white"], "contradict each other"),
    ],
)
def test_contradictions_and_ranges(
    cli: RunCli, frames: Path, metres: Path, results: Path, options: list[str], said: str
):
    outcome = cli("refocus", frames, "--disparity", metres, *options, "--focus", "0.5", "-o", results / "o")
    assert_refused(outcome, results, said)


@pytest.mark.parametrize(
    "option",
    [["--disparity-kind", "depth"], ["--disparity-polarity", "near-black"], ["--disparity-levels", "0,1,2"]],
)
@pytest.mark.parametrize("model", [[], ["--depth-model", "rough"]])
def test_options_of_files_without_files(cli: RunCli, frames: Path, results: Path, option: list[str], model: list[str]):
    outcome = cli("refocus", frames, *model, *option, "--focus", "0.5", "-o", results / "o")
    assert_refused(outcome, results, option[0], "give --disparity too")


def test_a_cut_out_is_told(cli: RunCli, frames: Path, results: Path, tmp_path: Path):
    maps, masks = tmp_path / "d.npy", tmp_path / "masks"
    np.save(maps, np.stack([clips.depth_map(index) for index in range(5)]))
    masks.mkdir()
    for index in range(5):
        cut_out = np.dstack([clips.picture(index), clips.subject_mask(index)])
        cv2.imwrite(str(masks / f"m.{1001 + index}.png"), cut_out)
    run = ["refocus", frames, "--disparity", maps, "--focus-mask", masks, "-o", results / "o", "--json"]
    outcome = cli(*run)
    assert outcome.code == 0
    assert outcome.err.count("is read from its alpha channel") == 1
    assert outcome.result["focus_disparity"] == pytest.approx([0.9] * 5, abs=1e-4)
