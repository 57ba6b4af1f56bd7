"""A part of a clip comes out as the same frames of the whole clip do."""

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from any2bokeh.disparity.source import open_disparity
from any2bokeh.errors import InputError
from any2bokeh.focus import FocusScript
from any2bokeh.focus.script import Keyframe
from any2bokeh.focus.target import DisparityTarget
from any2bokeh.grain import MatchedGrain
from any2bokeh.optics.breathing import Breathing
from any2bokeh.optics.lens import Lens
from any2bokeh.recipe import Recipe
from any2bokeh.refocusing import RefocusResult, refocus
from any2bokeh.video import open_source
from tests import clips
from tests.cli.conftest import RunCli

START, STOP = 5, 9
RACK = FocusScript(
    keyframes=(
        Keyframe(0, DisparityTarget(0.9), easing="linear"),
        Keyframe(clips.FRAMES - 1, DisparityTarget(0.2), easing="linear", transition_s=0.4),
    )
)
LENS = Lens(f_number=1.8, focal_length_mm=50)


def rendered(result: RefocusResult) -> NDArray[np.float32]:
    """Frames of a lossless video."""
    with open_source(result.output) as source:
        return np.stack([frame.pixels for frame in source.frames()])


CASES = {
    "a rack with lens numbers": {"focus": RACK, "blur_strength": LENS},
    "a rack with breathing": {"focus": RACK, "blur_strength": 16, "breathing": Breathing(0.4)},
    "both": {"focus": RACK, "blur_strength": LENS, "breathing": Breathing(-0.4)},
    "grain": {"focus": RACK, "blur_strength": 16, "grain": 1.0},
}


@pytest.mark.parametrize("case", CASES)
def test_a_part_is_rendered_as_the_whole(frame_folder: Path, disparity_folder: Path, tmp_path: Path, case: str):
    recipe = Recipe(disparity=disparity_folder, **CASES[case])
    whole = refocus(frame_folder, tmp_path / "whole.mkv", recipe, encoding=_lossless())
    part = refocus(frame_folder, tmp_path / "part.mkv", recipe, frames=(START, STOP), encoding=_lossless())
    assert (part.start, part.stop, part.frame_count) == (START, STOP, STOP - START)
    np.testing.assert_array_equal(part.track.blur_strength, whole.track.blur_strength[START:STOP])
    np.testing.assert_array_equal(part.track.focus_disparity, whole.track.focus_disparity[START:STOP])
    assert len(set(whole.track.focus_disparity[START:STOP])) == STOP - START, "the focus moves within the part"
    np.testing.assert_array_equal(rendered(part), rendered(whole)[START:STOP])


@pytest.mark.parametrize("arguments", [["--focus-point", "0.25,0.5"], ["--focus-box", "0.1,0.2,0.4,0.8"],
                                       ["--focus-point", "0.5,0.5", "--focus-frame", "7", "--no-track"]])  # fmt: skip
def test_a_point_is_one_of_the_clip(
    cli: RunCli, frame_folder: Path, disparity_folder: Path, results: Path, arguments: list[str]
):
    given = [frame_folder, "--disparity", disparity_folder, *arguments, "--f-number", "2", "--focal-length-mm", "50"]
    whole = cli("refocus", *given, "-o", results / "whole", "--json").result
    part = cli("refocus", *given, "--frames", f"{START}:{STOP}", "-o", results / "part", "--json").result
    assert part["focus_disparity"] == whole["focus_disparity"][START:STOP]
    assert part["blur_strength"] == whole["blur_strength"][START:STOP]
    shown = cli("preview", *given, "--frame", str(STOP - 1), "-o", results / "shown.png", "--json").result
    assert shown["focus_disparity"] == pytest.approx(part["focus_disparity"][-1], abs=1e-6)
    assert shown["blur_strength"] == pytest.approx(part["blur_strength"][-1], abs=1e-6)


def test_a_preview_breathes_and_grains_as_the_render(
    cli: RunCli, frame_folder: Path, disparity_folder: Path, results: Path, tmp_path: Path
):
    RACK.save(tmp_path / "rack.json")
    given = [frame_folder, "--disparity", disparity_folder, "--focus-script", tmp_path / "rack.json", "--blur", "16"]
    given += ["--breathing", "0.3", "--grain", "1"]
    assert cli("refocus", *given, "-o", results / "all").code == 0
    assert cli("preview", *given, "--frame", "7", "-o", results / "shown.png").code == 0
    assert (results / "shown.png").stat().st_size > 0
    np.testing.assert_array_equal(_png(results / "shown.png"), _png(results / "all" / "00007.png"))


def test_grain_is_that_of_the_clip(tmp_path: Path):
    """A clip whose grain begins in its middle: a part without it is still given what the clip has."""
    noise = np.random.default_rng(1)
    folder = tmp_path / "frames"
    folder.mkdir()
    for index in range(12):
        grey = np.full((96, 128, 3), 128.0) + noise.normal(0, 6, (96, 128, 3)) * (index >= 6)
        _write_png(folder / f"{index:05d}.png", np.clip(np.rint(grey), 0, 255).astype(np.uint8))
    with open_source(folder) as source:
        assert MatchedGrain.of_clip(1.0, source).is_known


def test_numbers_in_a_part_are_those_of_the_source(
    cli: RunCli, frame_folder: Path, disparity_folder: Path, results: Path
):
    given = [frame_folder, "--disparity", disparity_folder, "--focus", "0.9", "--blur", "16", "--aov", "coc,defocus"]
    given += ["--aov-format", "png"]
    assert cli("refocus", *given, "--frames", "5:7", "-o", results / "part.mkv").code == 0
    assert cli("refocus", *given, "-o", results / "whole.mkv").code == 0
    for kind in ("coc", "defocus"):
        names = sorted(path.name for path in (results / "part-aov" / kind).iterdir())
        assert names == ["00005.png", "00006.png"]
        for name in names:
            part, whole = (results / folder / kind / name for folder in ("part-aov", "whole-aov"))
            assert part.read_bytes() == whole.read_bytes(), "one scale of radii in a part and in the whole"
    told = json.loads((results / "part-aov" / "focus.json").read_text())
    assert [frame["frame"] for frame in told["frames"]] == [5, 6]


def test_disparity_of_a_part_is_told_where_it_matters(frame_folder: Path, tmp_path: Path):
    maps = clips.write_disparity(tmp_path / "part", start=START, stop=STOP)
    told: list[str] = []
    focus = FocusScript(keyframes=(Keyframe(START, DisparityTarget(0.9)),))
    refocus(
        frame_folder,
        tmp_path / "out.mkv",
        Recipe(focus=focus, disparity=maps, blur_strength=LENS),
        frames=(START, STOP),
        notice=told.append,
        encoding=_lossless(),
    )
    assert len(told) == 1
    assert f"frames {START}:{STOP} alone" in told[0]
    assert "distance of the lens" in told[0]


RANGES = {"5:9": (5, 9), "5:": (5, 12), ":3": (0, 3), " 11:12 ": (11, 12)}


@pytest.mark.parametrize("text", RANGES)
def test_ranges_of_frames(cli: RunCli, frame_folder: Path, disparity_folder: Path, results: Path, text: str):
    given = [frame_folder, "--disparity", disparity_folder, "--focus", "0.9", "--blur", "0", "-o", results / "out.mkv"]
    outcome = cli("refocus", *given, "--frames", text, "--json").result
    assert (outcome["start_frame"], outcome["start_frame"] + outcome["frames"]) == RANGES[text]


@pytest.mark.parametrize("text", ["5", "9:5", "5:5", "0:13", "12:", "-1:4", "a:b", "5-9", "1:2:3", ""])
def test_ranges_that_are_none(cli: RunCli, frame_folder: Path, disparity_folder: Path, results: Path, text: str):
    given = [frame_folder, "--disparity", disparity_folder, "--focus", "0.9", "-o", results / "out.mkv"]
    outcome = cli("refocus", *given, f"--frames={text}")
    assert (outcome.code, len(outcome.err.splitlines())) == (2, 1), outcome
    assert list(results.iterdir()) == []


def test_frames_and_seconds(cli: RunCli, frame_folder: Path, disparity_folder: Path, results: Path):
    given = [frame_folder, "--disparity", disparity_folder, "--focus", "0.9", "-o", results / "out.mkv"]
    for times in (["--start", "0.1"], ["--end", "0.2"]):
        outcome = cli("refocus", *given, "--frames", "1:3", *times)
        assert (outcome.code, len(outcome.err.splitlines())) == (2, 1)
        assert times[0] in outcome.err
    with pytest.raises(InputError, match="give one of the two"):
        refocus(frame_folder, results / "out.mkv", Recipe(focus=RACK, disparity=""), start_s=0.1, frames=(1, 3))


@pytest.mark.parametrize("command", ["depth", "track"])
def test_other_commands_take_frames(cli: RunCli, frame_folder: Path, disparity_folder: Path, results: Path, command):
    given = {
        "depth": ["--depth-model", "rough", "-o", results / "maps.npz"],
        "track": ["--disparity", disparity_folder, "--focus-point", "0.25,0.5", "-o", results / "focus.json"],
    }[command]
    outcome = cli(command, frame_folder, *given, "--frames", "2:6", "--json", "--quiet").result
    assert (outcome["start_frame"], outcome["frames"]) == (2, 4)
    if command == "depth":
        assert open_disparity(results / "maps.npz", clip_frame_count=4).frame_count == 4


def _lossless():
    from any2bokeh.video import Encoding

    return Encoding("ffv1")


def _png(path: Path) -> NDArray[np.generic]:
    import cv2

    picture = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert picture is not None
    return picture


def _write_png(path: Path, samples: NDArray[np.uint8]) -> None:
    import cv2

    assert cv2.imwrite(str(path), samples)
