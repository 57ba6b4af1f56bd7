"""Lenses and looks on the command line: each changes the picture, and what is wrong with one is told in one line."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from tests import clips
from tests.cli.conftest import RunCli
from tests.cli.test_bad_input import assert_refused
from tests.cli.test_preview import read_rgb


@pytest.fixture
def arguments(frame_folder: Path, disparity_folder: Path, results: Path) -> list[object]:
    return ["preview", frame_folder, "--disparity", disparity_folder, "-o", results / "frame.png", "--focus", "0.9"]


@pytest.fixture
def heart(tmp_path: Path) -> Path:
    path = tmp_path / "heart.png"
    y, x = 1.25 * np.mgrid[-1:1:65j, -1:1:65j]
    cv2.imwrite(str(path), (((x**2 + y**2 - 0.8) ** 3 + x**2 * y**3 < 0) * 255).astype(np.uint8))
    return path


LOOKS = [
    ["--lens", "vintage-58-f2-swirl"],
    ["--cat-eye", "0.9"],
    ["--swirl", "0.8"],
    ["--spherical", "-0.8"],
    ["--softness", "0.6"],
    ["--onion-rings", "0.8"],
    ["--axial-chromatic", "0.05"],
    ["--highlights", "10", "--highlight-threshold", "0.3"],
    ["--focus-slab", "0.3"],
    ["--far-blur", "0.4"],
    ["--max-radius", "2"],
    ["--render-quality", "draft"],
]


@pytest.mark.parametrize("look", LOOKS, ids=lambda look: look[0])
def test_a_look_changes_the_picture(cli: RunCli, arguments: list[object], results: Path, look: list[str]):
    assert cli(*arguments, "--blur", "200").code == 0
    plain = read_rgb(results / "frame.png").astype(int)
    outcome = cli(*arguments, "--blur", "200", *look, "--overwrite")
    assert (outcome.code, outcome.err) == (0, "")
    assert np.abs(read_rgb(results / "frame.png").astype(int) - plain).max() > 1


def test_a_raised_leg_of_what_is_followed_stays_sharp(
    cli: RunCli, frame_folder: Path, disparity_folder: Path, mask_folder: Path, results: Path
):
    for index, file in enumerate(sorted(disparity_folder.iterdir())):
        disparity = cv2.imread(str(file), cv2.IMREAD_UNCHANGED)
        assert disparity is not None
        near = disparity > 0.8 * 65535
        near[: near.shape[0] // 2] = False  # the square's lower half stands out of it
        disparity[near] = round(0.97 * 65535)
        cv2.imwrite(str(file), disparity)
        cv2.imwrite(str(mask_folder / f"{index:05d}.png"), clips.subject_mask(index))
    arguments = ["preview", frame_folder, "--disparity", disparity_folder, "-o", results / "frame.png", "--frame", 3]
    given = [*arguments, "--focus-mask", mask_folder, "--blur", "300", "--edges", "off", "--overwrite"]
    outcome = cli(*given)
    assert outcome.code == 0
    assert "stays sharp: the focus slab reaches up to 0.0" in outcome.err
    source = clips.picture(3)
    rows, columns = np.nonzero(clips.subject_mask(3))
    inner = (slice(rows.min() + 3, rows.max() - 2), slice(columns.min() + 3, columns.max() - 2))
    np.testing.assert_array_equal(read_rgb(results / "frame.png")[inner], source[inner])
    plain = cli(*given, "--focus-slab", "0")
    assert (plain.code, plain.err) == (0, "")
    assert (read_rgb(results / "frame.png")[inner] != source[inner]).any()
    fixed = cli(*arguments, "--focus", "0.9", "--blur", "300", "--focus-slab", "auto", "--overwrite")
    assert (fixed.code, fixed.err) == (0, ""), "nothing is followed, so there is no slab"


def test_a_picture_is_an_aperture(cli: RunCli, arguments: list[object], results: Path, heart: Path):
    assert cli(*arguments, "--blur", "200").code == 0
    plain = read_rgb(results / "frame.png").astype(int)
    assert cli(*arguments, "--blur", "200", "--aperture-image", heart, "--overwrite").code == 0
    assert np.abs(read_rgb(results / "frame.png").astype(int) - plain).max() > 1


def test_a_distance_alone_is_no_focus_in_relative_disparity(
    cli: RunCli, frame_folder: Path, disparity_folder: Path, results: Path
):
    arguments = ["preview", frame_folder, "--disparity", disparity_folder, "-o", results / "frame.png"]
    outcome = cli(*arguments, "--f-number", "2", "--focal-length-mm", "50", "--focus-distance-m", "3")
    assert_refused(outcome, results, "a focus distance of 3 m alone needs a metric depth model")


def test_a_lens_by_its_name_gives_its_numbers(cli: RunCli, arguments: list[object]):
    named = cli(*arguments, "--lens", "apsc-56-f1.2", "--focus-distance-m", "1.5", "--json")
    typed = cli(
        *arguments, "--f-number", "1.2", "--focal-length-mm", "56", "--sensor", "aps-c", "--focus-distance-m", "1.5",
        "--json", "--overwrite",
    )  # fmt: skip
    assert named.result["blur_strength"] == pytest.approx(typed.result["blur_strength"], rel=1e-12)
    stopped_down = cli(*arguments, "--lens", "apsc-56-f1.2", "--f-number", "2.4", "--json", "--overwrite")
    assert stopped_down.code == 0
    with_blur = cli(*arguments, "--lens", "apsc-56-f1.2", "--blur", "9", "--json", "--overwrite")
    assert with_blur.result["blur_strength"] == 9


def test_lenses_are_listed(cli: RunCli, tmp_path: Path):
    mine = tmp_path / "mine.toml"
    mine.write_text("[mine]\nf_number = 1.1\nfocal_length_mm = 40\n")
    listed = cli("lenses", "--lens-file", mine)
    assert (listed.code, listed.err) == (0, "")
    assert "portrait-85-f1.4" in listed.out
    assert "mine" in listed.out
    result = cli("lenses", "--json").result
    assert result["lenses"]["cine-anamorphic-50-t2.3"]["anamorphic_ratio"] == 2


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (["--lens", "nifty"], "there is no lens 'nifty'"),
        (["--lens-file", "none.toml"], "--lens-file none.toml"),
        (["--blur", "9", "--cat-eye", "2"], "cat eye is 2; give a number from 0 to 1"),
        (["--blur", "9", "--swirl", "1"], "swirl is 1"),
        (["--blur", "9", "--spherical", "-2"], "spherical is -2"),
        (["--blur", "9", "--softness", "nan"], "softness is nan"),
        (["--blur", "9", "--onion-rings", "3"], "onion rings is 3"),
        (["--blur", "9", "--axial-chromatic", "0.5"], "axial chromatic is 0.5"),
        (["--blur", "9", "--highlights", "-1"], "highlights is -1"),
        (["--blur", "9", "--highlight-threshold", "0.5"], "--highlight-threshold 0.5"),
        (["--blur", "9", "--focus-slab", "2"], "focus slab is 2"),
        (["--blur", "9", "--focus-slab", "wide"], "--focus-slab is 'wide'"),
        (["--blur", "9", "--focus-shoulder", "0.1"], "--focus-shoulder 0.1"),
        (["--blur", "9", "--max-radius", "0"], "largest radius is 0"),
        (["--blur", "9", "--aperture-image", "none.png"], "there is no aperture image none.png"),
        (["--blur", "9", "--aperture-image", "none.png", "--blades", "6"], "--blades 6"),
        (["--f-number", "2", "--focal-length-mm", "50", "--sensor", "huge"], "sensor is 'huge'"),
        (["--f-number", "2", "--focal-length-mm", "50", "--sensor", "phone", "--sensor-width-mm", "9"], "contradict"),
        (["--blur", "9", "--engine", "diffusion", "--cat-eye", "0.5"], "--cat-eye 0.5 is for --engine layered"),
    ],
)
def test_what_is_wrong_with_a_look_is_told(
    cli: RunCli, arguments: list[object], results: Path, options: list[str], named: str
):
    assert_refused(cli(*arguments, *options), results, named)


def test_an_aperture_that_is_black_is_told(cli: RunCli, arguments: list[object], results: Path, tmp_path: Path):
    cv2.imwrite(str(tmp_path / "black.png"), np.zeros((8, 8), np.uint8))
    outcome = cli(*arguments, "--blur", "9", "--aperture-image", tmp_path / "black.png")
    assert_refused(outcome, results, "black.png lets no light through")
