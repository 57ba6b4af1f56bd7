"""Options that would change nothing: an error or a line, never silence."""

import importlib.util
from pathlib import Path

import pytest

from tests import clips
from tests.cli.conftest import RunCli
from tests.disparity.estimators.models import write_model

needs_uvicorn = pytest.mark.skipif(
    importlib.util.find_spec("uvicorn") is None, reason="needs uvicorn, of the extra [app]"
)
needs_diffusers = pytest.mark.skipif(
    importlib.util.find_spec("diffusers") is None, reason="needs diffusers, of the extra [diffusion]"
)


@pytest.mark.parametrize(
    ("options", "output", "named"),
    [
        (["--fps", "30"], "o.mp4", "fps (30)"),
        (["--layer", "Combined"], "o.mp4", "--layer (Combined)"),
        (["--quality", "5"], "o", "--quality 5"),
        (["--quality", "5"], "o.####.png", "--quality 5"),
        (["--pixel-format", "yuv444p"], "o", "--pixel-format yuv444p"),
        (["--sound", "aac"], "o", "--sound aac"),
        (["--sound", "copy"], "o.####.png", "--sound copy"),
        (["--codec", "ffv1", "--quality", "5"], "o.mkv", "quality is 5"),
        (["--aperture-rotation-deg", "20"], "o.mp4", "--aperture-rotation-deg 20"),
        (["--focus-slab", "0", "--focus-shoulder", "0.1"], "o.mp4", "--focus-shoulder 0.1"),
        (["--anamorphic-ratio", "2", "--aperture-rotation-deg", "20"], "o.mp4", "--aperture-rotation-deg 20"),
        (["--blur", "8", "--lens", "normal-50-f1.8", "--engine", "diffusion"], "o.mp4", "--lens normal-50-f1.8"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else value,
)
def test_refocus(
    cli: RunCli, clip: Path, disparity_folder: Path, results: Path, options: list[str], output: str, named: str
):
    outcome = cli("refocus", clip, "--disparity", disparity_folder, "--focus", "0.9", *options, "-o", results / output)
    assert (outcome.code, outcome.out, len(outcome.err.splitlines())) == (2, "", 1), outcome
    assert named in outcome.err
    assert list(results.iterdir()) == []


def test_an_iris_that_is_not_round_turns(cli: RunCli, clip: Path, disparity_folder: Path, results: Path):
    arguments = ["refocus", clip, "--disparity", disparity_folder, "--focus", "0.9", "-o", results / "o.mp4"]
    assert cli(*arguments, "--blades", "5", "--aperture-rotation-deg", "20", "--quiet").code == 0


@pytest.mark.parametrize(("option", "said"), [("--breathing", "has no effect"), ("--grain", "no grain")])
@pytest.mark.parametrize(("command", "name"), [("refocus", "o.mp4"), ("preview", "o.png")])
def test_what_finds_nothing_to_do_is_told(
    cli: RunCli, clip: Path, disparity_folder: Path, results: Path, command: str, name: str, option: str, said: str
):
    outcome = cli(command, clip, "--disparity", disparity_folder, "--focus", "0.9", option, "0.1", "-o", results / name)
    assert outcome.code == 0
    assert [said in line for line in outcome.err.splitlines()] == [True]


def test_fields_of_pictures_are_refused(cli: RunCli, frame_folder: Path, disparity_folder: Path, results: Path):
    given = [frame_folder, "--disparity", disparity_folder, "--focus", "0.9", "-o", results / "o.mp4"]
    outcome = cli("refocus", *given, "--deinterlace", "off")
    assert (outcome.code, len(outcome.err.splitlines())) == (2, 1)
    assert "--deinterlace off is for video" in outcome.err


def test_sound_of_a_silent_clip_is_told(cli: RunCli, frame_folder: Path, disparity_folder: Path, results: Path):
    given = [frame_folder, "--disparity", disparity_folder, "--focus", "0.9", "-o", results / "o.mp4"]
    outcome = cli("refocus", *given, "--sound", "aac")
    assert outcome.code == 0
    assert "has no sound; --sound aac changes nothing" in outcome.err


def test_steadying_one_frame_is_told(cli: RunCli, frame_folder: Path, disparity_folder: Path, results: Path):
    given = [frame_folder / "00000.png", "--disparity", disparity_folder / "00000.png", "--focus", "0.9"]
    outcome = cli("refocus", *given, "--scale-alignment", "blend", "-o", results / "o")
    assert outcome.code == 0
    assert "--scale-alignment blend has no effect" in outcome.err


@pytest.mark.parametrize("option", [["--subject-point", "0.5,0.5"], ["--subject-box", "0.2,0.2,0.6,0.6"]])
def test_depth(cli: RunCli, clip: Path, results: Path, tmp_path: Path, option: list[str]):
    model = write_model(tmp_path / "tiny")
    outcome = cli("depth", clip, "--depth-model", model, *option, "-o", results / "maps")
    assert (outcome.code, outcome.out, len(outcome.err.splitlines())) == (2, "", 1)
    assert " ".join(option) in outcome.err
    assert list(results.iterdir()) == []


def test_depth_on_a_device_that_nothing_uses(cli: RunCli, clip: Path, results: Path):
    outcome = cli("depth", clip, "--depth-model", "rough", "--device", "cuda", "-o", results / "maps")
    assert (outcome.code, len(outcome.err.splitlines())) == (2, 1)
    assert "--device cuda" in outcome.err


@needs_uvicorn
@needs_diffusers
@pytest.mark.parametrize(
    ("options", "named"),
    [
        (["--depth-model", "/no/such"], "/no/such"),
        (["--depth-model", "someone/tiny"], "someone/tiny"),
        (["--model", "someone/tiny"], "someone/tiny"),
        (["--model", "FOLDER"], "FOLDER"),
    ],
)
def test_app_does_not_serve(
    cli: RunCli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str], named: str
):
    from any2bokeh.app import server

    monkeypatch.setattr(server, "serve", lambda *_, **__: pytest.fail("it serves"))
    options = [option.replace("FOLDER", str(tmp_path)) for option in options]
    outcome = cli("app", "--port", "0", *options)
    assert (outcome.code, outcome.out, len(outcome.err.splitlines())) == (2, "", 1), outcome
    assert named.replace("FOLDER", str(tmp_path)) in outcome.err


def test_maps_have_the_numbers_of_the_frames(cli: RunCli, results: Path, tmp_path: Path):
    frames = tmp_path / "frames"
    frames.mkdir()
    for index, file in enumerate(sorted(clips.write_frames(tmp_path / "from0").iterdir())):
        file.rename(frames / f"shot.{1001 + index}{file.suffix}")
    part = ["--frames", "3:6"]
    assert cli("depth", frames, "--depth-model", "rough", *part, "-o", results / "maps", "--quiet").code == 0
    assert sorted(path.name for path in (results / "maps").iterdir()) == [f"shot.{n}.png" for n in (1004, 1005, 1006)]
    given = ["refocus", frames, "--disparity", results / "maps", "--focus", "0.9", *part, "--quiet"]
    assert cli(*given, "-o", results / "out").code == 0
    wrong = cli(*given[:-3], "--frames", "4:7", "-o", results / "other")
    assert wrong.code == 0
    assert "numbered 1004 to 1006 and the clip 1005 to 1007" in wrong.err


@pytest.mark.parametrize("name", ["IMG_0042.png", "0007.png", "map.png"])
def test_a_single_still_takes_a_single_map(cli: RunCli, results: Path, tmp_path: Path, name: str):
    still, maps = tmp_path / "IMG_0042.png", clips.write_disparity(tmp_path / "maps", stop=1)
    next(clips.write_frames(tmp_path / "from0").iterdir()).rename(still)
    (maps / "00000.png").rename(maps / name)
    for disparity in (maps, maps / name):
        outcome = cli("refocus", still, "--disparity", disparity, "--focus", "0.9", "-o", results / "o", "--overwrite")
        assert (outcome.code, outcome.err) == (0, "")


def test_a_plane_in_a_part_that_is_estimated_alone_is_told(cli: RunCli, clip: Path, results: Path):
    arguments = ["refocus", clip, "--depth-model", "rough", "--focus", "0.6"]
    part = cli(*arguments, "--frames", "3:6", "-o", results / "part.mp4")
    assert part.code == 0
    assert (
        len([line for line in part.err.splitlines() if "disparity of frames 3:6 is estimated on its own" in line]) == 1
    )
    assert "of their own" not in cli(*arguments, "-o", results / "whole.mp4").err
