"""``any2bokeh track``, and following a subject from the other commands."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.cli.conftest import RunCli
from tests.subject.scenes import BALL, HEIGHT, RADIUS, WIDTH, Scene, away_and_back, overlap

SCENE = Scene(away_and_back, 60)
POINT = f"{110 / WIDTH},{60 / HEIGHT}"


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with ``frames`` and ``disparity`` of a ball that leaves the picture and comes back."""
    folder = tmp_path_factory.mktemp("scene")
    for name in ("frames", "disparity"):
        (folder / name).mkdir()
    for index in range(SCENE.frame_count):
        pixels = cv2.cvtColor(SCENE.pixels(index), cv2.COLOR_RGB2BGR)
        assert cv2.imwrite(str(folder / "frames" / f"{index:05d}.png"), pixels)
        values = np.rint(SCENE.disparity(index) * 65535).astype(np.uint16)
        assert cv2.imwrite(str(folder / "disparity" / f"{index:05d}.png"), values)
    return folder


@pytest.fixture
def arguments(scene: Path, results: Path) -> list[object]:
    given = ["--disparity", scene / "disparity", "-o", results / "out.json", "--tracker", "classical"]
    return ["track", scene / "frames", *given]


def test_a_point_is_written_as_a_script_that_follows_it(
    cli: RunCli, arguments: list[object], results: Path, scene: Path
):
    outcome = cli(*arguments, "--focus-point", POINT, "--blur", "12", "--json")
    assert (outcome.code, outcome.err) == (0, "")
    script = json.loads((results / "out.json").read_text())
    assert script["keyframes"] == [
        {"frame": 0, "point": [110 / WIDTH, 60 / HEIGHT], "track": True, "blur_strength": 12.0}
    ]
    found = outcome.result
    assert (found["frames"], found["keyframes"]) == (60, 1)
    assert 30 < found["seen_frames"] < 48
    assert found["focus_disparity"] == pytest.approx([BALL] * 60, abs=0.02)
    read_back = cli(
        *["preview", scene / "frames", "--disparity", scene / "disparity", "--focus-script", results / "out.json"],
        *["--frame", "50", "--tracker", "classical", "-o", results / "frame.png", "--json"],
    )
    assert read_back.result["focus_disparity"] == pytest.approx(found["focus_disparity"][50], abs=1e-6)


def test_mattes_are_read_back_as_masks(cli: RunCli, arguments: list[object], results: Path, scene: Path):
    assert cli(*arguments, "--focus-point", POINT, "--masks", results / "mattes").code == 0
    paths = sorted((results / "mattes").iterdir())
    assert [path.name for path in paths] == [f"{index:05d}.png" for index in range(60)]
    mattes = [np.asarray(cv2.imread(str(path), cv2.IMREAD_UNCHANGED)) for path in paths]
    assert mattes[0].shape == (HEIGHT, WIDTH)
    assert mattes[0].dtype == np.uint8
    assert not mattes[30].any(), "out of view"
    assert overlap((mattes[58] / 255).astype(np.float32), SCENE.mask(58)) > 0.95
    outcome = cli(
        *["refocus", scene / "frames", "--disparity", scene / "disparity", "--focus-mask", results / "mattes"],
        *["--blur", "0", "-o", results / "pictures", "--json"],
    )
    assert outcome.result["focus_disparity"] == pytest.approx([BALL] * 60, abs=0.02)


def test_automatic_focus_writes_weak_keyframes(cli: RunCli, arguments: list[object], results: Path):
    assert cli(*arguments, "--focus", "auto", "--end", "0.8").code == 0
    script = json.loads((results / "out.json").read_text())
    assert script["fps"] == 24
    keyframe = script["keyframes"][0]  # others are of the rest of the clip, which decides with the part
    assert (keyframe["frame"], keyframe["strength"], keyframe["track"]) == (0, "weak", True)
    x0, y0, x1, y1 = keyframe["box"]
    assert np.hypot((x0 + x1) / 2 * WIDTH - 110, (y0 + y1) / 2 * HEIGHT - 60) < RADIUS / 2


def test_a_baked_script_needs_no_tracking(cli: RunCli, arguments: list[object], results: Path):
    assert cli(*arguments, "--focus-point", POINT, "--bake").code == 0
    keyframes = json.loads((results / "out.json").read_text())["keyframes"]
    assert all("focus_disparity" in keyframe for keyframe in keyframes)


def test_refocus_follows_unless_told_not_to(cli: RunCli, scene: Path, results: Path, tmp_path: Path):
    nearing = tmp_path / "nearing"
    nearing.mkdir()
    for index in range(12):
        values = np.where(SCENE.mask(index), BALL + 0.02 * index, SCENE.disparity(index))
        assert cv2.imwrite(str(nearing / f"{index:05d}.png"), np.rint(values * 65535).astype(np.uint16))
    common = [*["refocus", scene / "frames", "--disparity", nearing, "--end", "0.5", "--blur", "0", "--json"]]
    common += ["--focus-point", POINT, "--overwrite", "-o", results / "pictures"]
    followed = cli(*common, "--tracker", "classical").result["focus_disparity"]
    held = cli(*common, "--no-track").result["focus_disparity"]
    assert held == pytest.approx([BALL] * 12, abs=1e-3)
    assert followed[-1] == pytest.approx(BALL + 0.22, abs=0.03)


def test_refocus_finds_its_subject_by_itself(cli: RunCli, scene: Path, results: Path):
    outcome = cli(
        *["refocus", scene / "frames", "--disparity", scene / "disparity", "--focus", "auto", "--end", "0.5"],
        *["--tracker", "classical", "--blur", "4", "-o", results / "pictures", "--json"],
    )
    assert outcome.result["focus_disparity"] == pytest.approx([BALL] * 12, abs=0.02)


def test_the_classical_tracker_is_announced_where_it_stands_in(
    cli: RunCli, arguments: list[object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    constants = pytest.importorskip("huggingface_hub.constants", reason="needs the diffusion extra")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    automatic = [*arguments[:-2], "--focus-point", POINT, "--end", "0.3"]
    outcome = cli(*automatic)
    assert outcome.code == 0
    assert len(outcome.err.splitlines()) == 1
    assert outcome.err.startswith("warning: the subject is followed by the classical tracker")
    assert cli(*automatic, "--overwrite", "--quiet").err == ""


REFUSED = {
    "point outside the frame": (["--focus-point", "1.2,0.5"], ["point x", "1.2"]),
    "box inverted": (["--focus-box", "0.6,0.2,0.3,0.9"], ["box x0", "0.6", "0.3"]),
    "no subject": ([], ["--focus-point"]),
    "two subjects": (["--focus-point", POINT, "--focus", "auto"], ["--focus auto", "--focus-point"]),
    "a plane": (["--focus", "0.5"], ["--focus 0.5", "auto"]),
    "no words": (["--focus-text", " "], ["--focus-text"]),
    "scenery has no mattes": (["--focus-point", "0.05,0.05", "--masks", "{results}/mattes"], ["--masks"]),
    "model of a classical tracker": (["--focus-point", POINT, "--tracker-model", "x/y"], ["x/y"]),
    "blur below 0": (["--focus-point", POINT, "--blur", "-1"], ["--blur", "-1"]),
    "tracker unknown": (["--focus-point", POINT, "--tracker", "psychic"], ["psychic"]),
    "name of the script": (["--focus-point", POINT, "-o", "{results}/out.txt"], ["out.txt", ".json"]),
}


@pytest.mark.parametrize("case", REFUSED)
def test_bad_input_is_one_line(cli: RunCli, arguments: list[object], results: Path, case: str):
    options, named = REFUSED[case]
    outcome = cli(*arguments, *[option.format(results=results) for option in options])
    assert_refused(outcome.code, outcome.err, results, *named)


def test_a_mask_that_never_shows_its_subject_is_one_line(cli: RunCli, scene: Path, results: Path, tmp_path: Path):
    for index in range(60):
        assert cv2.imwrite(str(tmp_path / f"{index:05d}.png"), np.zeros((HEIGHT, WIDTH), np.uint8))
    outcome = cli(
        *["refocus", scene / "frames", "--disparity", scene / "disparity", "--focus-mask", tmp_path, "--blur", "4"],
        *["-o", results / "out.mp4"],
    )
    assert_refused(outcome.code, outcome.err, results, "empty")


def test_a_model_folder_of_the_wrong_kind_is_one_line(
    cli: RunCli, arguments: list[object], results: Path, tmp_path: Path
):
    pytest.importorskip("transformers", reason="needs the diffusion extra")
    (tmp_path / "config.json").write_text('{"model_type": "clip"}')
    automatic = arguments[:-2]
    outcome = cli(*automatic, "--focus-point", POINT, "--tracker-model", tmp_path)
    assert_refused(outcome.code, outcome.err, results, "--tracker-model", "'clip'", "sam2_video")
    outcome = cli(*automatic, "--focus-text", "the ball", "--text-model", tmp_path)
    assert_refused(outcome.code, outcome.err, results, "--text-model", "'clip'", "owlv2")


def test_what_exists_is_kept_unless_told_to_overwrite(cli: RunCli, arguments: list[object], results: Path):
    (results / "out.json").write_text("mine")
    short = [*arguments, "--focus-point", POINT, "--end", "0.2"]
    outcome = cli(*short)
    assert outcome.code == 2
    assert "--overwrite" in outcome.err
    assert (results / "out.json").read_text() == "mine"
    assert cli(*short, "--overwrite").code == 0
    assert json.loads((results / "out.json").read_text())["version"] == 1


def assert_refused(code: int, err: str, results: Path, *named: str) -> None:
    assert code == 2, err
    assert len(err.splitlines()) == 1, err
    assert err.startswith("error: ")
    for name in named:
        assert name in err
    assert list(results.iterdir()) == []
