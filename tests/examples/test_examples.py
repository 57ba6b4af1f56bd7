"""Each script of examples/ runs as it is, and makes what it says."""

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from any2bokeh import FocusScript, open_disparity, open_source
from any2bokeh.demo import CLIP_FOLDER

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
FAR_ROBOT = np.s_[:, 180:280, 575:665]
NEAR_ROBOT = np.s_[:, 260:400, 220:360]


def example(name: str) -> ModuleType:
    spec = spec_from_file_location(name, EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def frame(path: Path, index: int) -> np.ndarray:
    with open_source(path) as source:
        [shown] = source.frames(index, index + 1)
    return shown.pixels


def detail(pixels: np.ndarray) -> float:
    """How much neighbouring pixels differ."""
    return float(np.abs(np.diff(pixels, axis=2)).mean())


def kept_detail(path: Path, index: int, place: tuple[slice, ...]) -> float:
    """Share of the source's detail that is left at a place."""
    return detail(frame(path, index)[place]) / detail(frame(CLIP_FOLDER / "clip.mp4", index)[place])


def test_every_example_is_tested():
    names = {path.stem for path in EXAMPLES.glob("*.py")}
    assert names == {
        "arrays_to_contact_sheet",
        "lens_and_aperture",
        "own_depth_model",
        "rack_focus",
        "refocus_at_a_point",
    }


def test_refocus_at_a_point(tmp_path: Path):
    written = example("refocus_at_a_point").main(tmp_path / "new")
    assert kept_detail(written, 0, FAR_ROBOT) > 0.9
    assert kept_detail(written, 0, NEAR_ROBOT) < 0.5


@pytest.mark.slow
def test_rack_focus(tmp_path: Path):
    written = example("rack_focus").main(tmp_path / "new")
    script = FocusScript.load(tmp_path / "new" / "rack.json")
    assert [keyframe.frame for keyframe in script.keyframes] == [0, 10]
    assert kept_detail(written, 0, NEAR_ROBOT) > 0.9 > 0.5 > kept_detail(written, 0, FAR_ROBOT)
    assert kept_detail(written, 11, FAR_ROBOT) > 0.9 > 0.5 > kept_detail(written, 11, NEAR_ROBOT)


@pytest.mark.slow
def test_lens_and_aperture(tmp_path: Path):
    written = example("lens_and_aperture").main(tmp_path / "new")
    assert [path.name for path in written] == ["lens-round.png", "lens-six-blades.png", "lens-old-portrait.png"]
    pictures = [frame(path, 0) for path in written]
    for picture in pictures:
        assert detail(picture[NEAR_ROBOT]) > 0.9 * detail(frame(CLIP_FOLDER / "clip.mp4", 0)[NEAR_ROBOT])
    for first, second in ((0, 1), (0, 2), (1, 2)):
        assert np.abs(pictures[first] - pictures[second]).max() > 0.05  # the lamps have other shapes


def test_own_depth_model(tmp_path: Path):
    module = example("own_depth_model")
    written = module.main(tmp_path / "new")
    with open_source(written) as source:
        assert source.info.frame_count == 12
    [depth] = module.FlatGround(horizon=0.35).maps([np.zeros((3, 540, 960), np.float32)])
    assert depth.shape == (1, 135, 240)
    assert np.isinf(depth[0, 0]).all()
    assert (np.diff(depth[0, 60:, 0]) < 0).all()  # lower is nearer
    # In focus is one row of the ground; the sky, infinitely far, is not.
    assert kept_detail(written, 5, np.s_[:, :100, :]) < 0.6


def test_arrays_to_contact_sheet(tmp_path: Path):
    module = example("arrays_to_contact_sheet")
    sheet = frame(module.main(tmp_path / "new"), 0)
    pixels, _ = module.scene()
    step_y, step_x = module.HEIGHT + module.GAP_PX, module.WIDTH + module.GAP_PX
    tiles = [
        [sheet[:, y * step_y :, x * step_x :][:, : module.HEIGHT, : module.WIDTH] for x in range(3)] for y in range(3)
    ]
    for column in range(3):
        np.testing.assert_allclose(tiles[0][column], np.rint(pixels * 255) / 255, atol=1e-6)  # K = 0
        card = np.s_[:, 60:130, 30 + 100 * column : 90 + 100 * column]
        for row in (1, 2):
            np.testing.assert_allclose(tiles[row][column][card], tiles[0][column][card], atol=1e-6)  # in focus
            other = np.s_[:, 60:130, 30 + 100 * ((column + 1) % 3) : 90 + 100 * ((column + 1) % 3)]
            assert detail(tiles[row][column][other]) < 0.8 * detail(pixels[other])


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.stem)
def test_examples_are_short_and_of_the_public_package(path: Path):
    text = path.read_text()
    assert len(text.splitlines()) <= 70
    assert "import _" not in text


def test_points_of_the_examples_lie_on_the_robots():
    maps = open_disparity(CLIP_FOLDER / "disparity.mkv", clip_frame_count=72)
    disparity = maps.at(0)[0]
    height, width = disparity.shape
    assert disparity[int(0.6 * height), int(0.31 * width)] > 0.8
    assert 0.3 < disparity[int(0.46 * height), int(0.65 * width)] < 0.5
