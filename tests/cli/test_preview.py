from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from tests import clips
from tests.cli.conftest import RunCli


def read_rgb(path: Path) -> NDArray[np.generic]:
    picture = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert picture is not None
    return cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)


@pytest.fixture
def arguments(frame_folder: Path, disparity_folder: Path, results: Path) -> list[object]:
    return ["preview", frame_folder, "--disparity", disparity_folder, "-o", results / "frame.png"]


def test_preview_is_the_frame_that_refocus_writes(
    cli: RunCli, arguments: list[object], frame_folder: Path, disparity_folder: Path, results: Path
):
    assert cli(*arguments, "--focus", "0.9", "--blur", "40", "--frame", "7").code == 0
    assert (
        cli(
            *["refocus", frame_folder, "--disparity", disparity_folder, "--focus", "0.9", "--blur", "40"],
            *["-o", results / "all"],
        ).code
        == 0
    )
    np.testing.assert_array_equal(read_rgb(results / "frame.png"), read_rgb(results / "all" / "00007.png"))


def test_large_frames_tell_how_far_they_are(
    cli: RunCli, results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    size = {"width": 40, "height": 200}
    for name, picture in (("still", clips.picture(0, **size)), ("map", clips.depth_map(0, **size))):
        (tmp_path / name).mkdir()
        assert cv2.imwrite(str(tmp_path / name / "0.png"), picture)
    output = results / "frame.png"
    blurred = ["preview", tmp_path / "still", "--disparity", tmp_path / "map", "-o", output, "--overwrite"]
    blurred += ["--focus", "0.9", "--blur", "4"]
    assert "part by part" not in cli(*blurred).out
    whole = read_rgb(output)
    monkeypatch.setattr("any2bokeh.renderers.layered.renderer.MOST_PX", 1000)
    lines = cli(*blurred).out.splitlines()
    assert lines[0] == "rendering a large frame part by part"
    assert lines[-1].startswith(str(output))
    np.testing.assert_array_equal(read_rgb(output), whole)
    assert "part by part" not in cli(*blurred, "--quiet").out


def test_sharp_preview_is_the_source(cli: RunCli, arguments: list[object], results: Path):
    assert cli(*arguments, "--focus", "0.9", "--blur", "0", "--time", "0.2").code == 0
    np.testing.assert_array_equal(read_rgb(results / "frame.png"), clips.picture(5))  # shown at 0.208 s


def test_result_object_says_where_the_focus_is(cli: RunCli, arguments: list[object]):
    x = (4 + 2 * 6 + 10) / clips.WIDTH  # in the near square of frame 6; behind it in frame 0
    point = ["--focus-point", f"{x},0.5", "--focus-frame", "6"]
    result = cli(*arguments, *point, "--blur", "4", "--frame", "6", "--json").result
    assert (result["frame"], result["blur_strength"]) == (6, 4)
    assert result["focus_disparity"] == pytest.approx(0.9, abs=1e-3)


def test_overlay_tints_near_focus_and_far(cli: RunCli, arguments: list[object], results: Path):
    # K = 100: one pixel of blur is 0.01 of disparity. The slope from 0.1 to 0.4 passes the focus at 0.25.
    common = [*arguments, "--focus", "0.25", "--blur", "100"]
    assert cli(*common).code == 0
    plain = read_rgb(results / "frame.png").astype(float)
    assert cli(*common, "--overlay", "--overwrite").code == 0
    tint = read_rgb(results / "frame.png").astype(float) - plain * 0.55  # what the overlay has added
    near, focus, far = (
        tint[24, 10],
        tint[5, 31],
        tint[5, 2],
    )  # in the square, in the middle and at the left of the slope
    assert near.argmax() == 0
    assert focus.argmax() == 1
    assert far.argmax() == 2


def test_deep_source_gives_a_deep_png(cli: RunCli, disparity_folder: Path, results: Path, tmp_path: Path):
    deep = clips.write_clip(tmp_path / "deep.mkv", codec="ffv1", pixel_format="yuv420p10le", sound=False)
    outcome = cli(
        "preview", deep, "--disparity", disparity_folder, "--focus", "0.5", "--blur", "8", "-o", results / "frame.png"
    )
    assert outcome.code == 0
    assert read_rgb(results / "frame.png").dtype == np.uint16


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (["--frame", "12"], "12"),
        (["--frame", "-1"], "-1"),
        (["--time", "9"], "9"),
        (["--time", "nan"], "nan"),
        (["--frame", "1", "--time", "0"], "--frame 1"),
        (["--focus-point", "0.5,0.5"], "--focus-point"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_bad_input(cli: RunCli, arguments: list[object], results: Path, options: list[str], named: str):
    outcome = cli(*arguments, "--focus", "0.9", "--blur", "4", *options)
    assert (outcome.code, outcome.out, len(outcome.err.splitlines())) == (2, "", 1)
    assert named in outcome.err
    assert list(results.iterdir()) == []


def test_existing_and_foreign_outputs_are_refused(
    cli: RunCli, frame_folder: Path, disparity_folder: Path, results: Path
):
    common = ["preview", frame_folder, "--disparity", disparity_folder, "--focus", "0.9", "--blur", "4"]
    (results / "mine.png").write_bytes(b"mine")
    for name, named in (("mine.png", "--overwrite"), ("frame.gif", ".png"), ("none/frame.png", "none")):
        outcome = cli(*common, "-o", results / name)
        assert (outcome.code, len(outcome.err.splitlines())) == (2, 1)
        assert named in outcome.err
    assert (results / "mine.png").read_bytes() == b"mine"
