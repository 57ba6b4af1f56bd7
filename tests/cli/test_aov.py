"""Pictures for compositing, breathing and grain on the command line."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import RunCli
from tests.cli.test_bad_input import assert_refused


@pytest.fixture
def arguments(frame_folder: Path, disparity_folder: Path, results: Path) -> list[object]:
    given = ["--disparity", disparity_folder, "--focus", "0.9", "--blur", "100"]
    return ["refocus", frame_folder, *given, "-o", results / "out"]


def test_pictures_lie_beside_the_result(cli: RunCli, arguments: list[object], results: Path):
    outcome = cli(*arguments, "--aov", "layers, coc", "--json")
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.result["aov"] == str(results / "out-aov")
    frames = outcome.result["frames"]
    for name in ("coc", "near", "focus", "far"):
        assert len(list((results / "out-aov" / name).glob("*.exr"))) == frames
    assert json.loads((results / "out-aov" / "focus.json").read_text())["aov"] == ["coc", "layers"]


def test_pictures_go_where_they_are_sent_in_the_format_asked_for(cli: RunCli, arguments: list[object], results: Path):
    typed = ["--aov", "disparity,alpha", "--aov-output", results / "x", "--aov-format", "exr-channels"]
    assert cli(*arguments, *typed, "--end", "0.1").code == 0
    assert sorted(path.name for path in (results / "x").iterdir())[:2] == ["00000.exr", "00001.exr"]


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (["--aov", "coc,bokeh"], "AOV is 'bokeh'; allowed is coc, defocus"),
        (["--aov", ","], "--aov is ','; name pictures"),
        (["--aov-format", "png"], "--aov-format png needs --aov"),
        (["--aov", "coc", "--aov-output", "pictures.exr"], "give the name of a folder"),
        (["--breathing", "2"], "breathing is 2; it lies in -0.5 to 0.5"),
        (["--grain", "-1"], "grain is -1; it lies in 0 to 4"),
    ],
)
def test_what_is_wrong_is_told_in_one_line(
    cli: RunCli, arguments: list[object], results: Path, typed: list[str], said: str
):
    assert_refused(cli(*arguments, *typed), results, said)


def test_pictures_that_exist_are_not_overwritten(cli: RunCli, arguments: list[object], results: Path):
    (results / "out-aov").mkdir()
    (results / "out-aov" / "notes.txt").write_text("mine")
    for more, said in (([], "exists already"), (["--overwrite"], "holds notes.txt")):
        outcome = cli(*arguments, "--aov", "coc", *more)
        assert outcome.code == 2
        assert said in outcome.err
        assert [path.name for path in results.rglob("*")] == ["out-aov", "notes.txt"]
