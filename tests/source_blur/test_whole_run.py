"""A clip that is blurred already, through whole runs."""

import json
from dataclasses import replace
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from any2bokeh.cli.main import run
from any2bokeh.errors import InputError
from any2bokeh.focus import FocusScript
from any2bokeh.optics.breathing import Breathing
from any2bokeh.preview import preview
from any2bokeh.recipe import Recipe
from any2bokeh.refocusing import refocus, refocus_frames
from any2bokeh.segments.cut import Segmentation
from any2bokeh.segments.kept_shot import keep_shot, kept_shot
from any2bokeh.shot import Shot
from any2bokeh.source_blur import RadiusMaps, SourceLens
from any2bokeh.video import Encoding, open_source
from tests import clips
from tests.source_blur import scenes

FOCUS = FocusScript.constant(0.4, 30)


@pytest.fixture(scope="module")
def material(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``clip.mp4``, its ``maps``, and ``radii.npy`` as of K 20 focused at 0.2."""
    folder = tmp_path_factory.mktemp("material")
    clips.write_clip(folder / "clip.mp4", frames=20)
    clips.write_disparity(folder / "maps", stop=20)
    maps = np.float32(1 / 65535) * np.stack([clips.depth_map(index) for index in range(20)]).astype(np.float32)
    np.save(folder / "radii.npy", SourceLens(20, 0.2).radius(maps) * np.float32(max(maps.shape[1:]) / 1024))
    return folder


@pytest.fixture
def recipe(material: Path) -> Recipe:
    return Recipe(FOCUS, disparity=material / "maps")


def rendered(clip: Path, recipe: Recipe, output: Path, segmentation: Segmentation | None = None) -> NDArray[np.generic]:
    refocus(clip, output, recipe, encoding=Encoding(codec="ffv1"), segmentation=segmentation)
    return np.stack(clips.decoded(output))


def write_cards(folder: Path, blur_strength: float, focus: float, *, frames: int = 1) -> Path:
    """``frames`` and ``maps`` of cards seen through a lens."""
    pixels, disparity = scenes.through(blur_strength, focus)
    for name in ("frames", "maps"):
        (folder / name).mkdir(parents=True)
    for index in range(frames):
        codes = np.rint(255 * pixels.transpose(1, 2, 0)[..., ::-1]).astype(np.uint8)
        cv2.imwrite(str(folder / "frames" / f"{index}.png"), codes)
        cv2.imwrite(str(folder / "maps" / f"{index}.png"), np.rint(disparity[0] * 65535).astype(np.uint16))
    return folder


def test_a_sharp_clip_comes_out_as_without_an_estimate(material: Path, recipe: Recipe, tmp_path: Path):
    off = rendered(material / "clip.mp4", recipe, tmp_path / "off.mkv")
    auto = rendered(material / "clip.mp4", replace(recipe, source_blur="auto"), tmp_path / "auto.mkv")
    assert (off == auto).all()


def test_as_much_blur_as_the_source_has_leaves_it_alone(material: Path, recipe: Recipe, tmp_path: Path):
    same = replace(recipe, source_blur=SourceLens(30, 0.4))
    result = rendered(material / "clip.mp4", same, tmp_path / "same.mkv")
    assert (result == np.stack(clips.decoded(material / "clip.mp4"))).all()


def test_a_map_of_a_lens_is_that_lens(material: Path, recipe: Recipe):
    with open_source(material / "clip.mp4") as source:
        lens = preview(source, 7, replace(recipe, source_blur=SourceLens(20, 0.2)))
        mapped = preview(source, 7, replace(recipe, source_blur=material / "radii.npy"))
        off = preview(source, 7, recipe)
    # Floats of different roundings; what is hidden has the mean of a 64th of disparity. Worst seen 0.012.
    assert np.abs(lens.pixels - mapped.pixels).max() < 0.03
    assert np.abs(lens.pixels - off.pixels).max() > 0.1


@pytest.mark.parametrize("breathing", [0.0, 0.2])
def test_squared_radii_add_up_for_all_that_a_renderer_is_given(breathing: float, material: Path, recipe: Recipe):
    """What is seen, hidden or shares a pixel; a picture that is enlarged has its blur enlarged, too."""
    racked = FocusScript.from_dense([0.1 + 0.04 * index for index in range(20)], [30] * 20)
    recipe = replace(recipe, focus=racked, breathing=Breathing(breathing), edges="classical")
    with open_source(material / "clip.mp4") as source:
        off = preview(source, 9, recipe).given
        known = preview(source, 9, replace(recipe, source_blur=SourceLens(20, 0.2))).given
    assert off.hidden is not None
    assert known.hidden is not None
    assert off.bands is not None
    assert known.bands is not None
    for wanted, added in (
        (off.disparity, known.disparity),
        (off.hidden.disparity, known.hidden.disparity),
        (off.bands.near, known.bands.near),
        (off.bands.far, known.bands.far),
    ):
        lacking = (30 * (wanted - off.focus_disparity)) ** 2 - (20 * (wanted - 0.2)) ** 2
        # In units of K; worst seen 1e-5, from float32.
        np.testing.assert_allclose((30 * (added - off.focus_disparity)) ** 2, np.maximum(lacking, 0), atol=1e-3)
        is_blurred = added != np.float32(off.focus_disparity)
        assert is_blurred.any()
        assert (np.sign(added - off.focus_disparity) == np.sign(wanted - off.focus_disparity))[is_blurred].all()


def test_what_is_to_be_in_focus_and_is_not_is_told(material: Path, recipe: Recipe):
    told: list[str] = []
    with open_source(material / "clip.mp4") as source:
        Shot.open(source, replace(recipe, source_blur=SourceLens(20, 0.2)), notice=told.append)
        shot = Shot.open(source, replace(recipe, source_blur=SourceLens(20, 0.2)))
        in_focus = Shot.open(source, replace(recipe, source_blur=SourceLens(20, 0.4)))
    assert [each for each in shot.track.warnings if "radius of up to 4.0 px" in each and "cannot be sharpened" in each]
    assert not any("sharpened" in each for each in in_focus.track.warnings)


@pytest.mark.parametrize("kind", ["lens", "map"])
def test_segments_equal_the_whole(kind: str, material: Path, recipe: Recipe, tmp_path: Path):
    known = replace(recipe, source_blur=SourceLens(20, 0.2) if kind == "lens" else material / "radii.npy")
    whole = rendered(material / "clip.mp4", known, tmp_path / "whole.mkv")
    parts = rendered(material / "clip.mp4", known, tmp_path / "parts.mkv", Segmentation(8))
    assert (whole == parts).all()


def test_a_blurred_clip_gets_what_it_lacks(tmp_path: Path):
    """Beside the same cards through the lens that is wanted."""
    folder = write_cards(tmp_path / "source", 10, 0.1)
    truth, _ = scenes.through(20, 0.1)
    recipe, told = Recipe(FocusScript.constant(0.1, 20), disparity=folder / "maps"), []
    with open_source(folder / "frames") as source:
        off = preview(source, 0, recipe).pixels
        auto = preview(source, 0, replace(recipe, source_blur="auto"), notice=told.append).pixels
    assert any("already blurred as by a lens of K" in each for each in told)
    within = (slice(None), slice(0, 90))  # of the farthest card, and apart from its border
    errors = [float(((each - truth)[within] ** 2).mean()) for each in (off, auto)]
    assert errors[1] <= errors[0]
    nearest = (slice(None), slice(306, None))
    errors = [float(((each - truth)[nearest] ** 2).mean()) for each in (off, auto)]
    assert errors[1] < 0.5 * errors[0]  # 0.2 seen


def test_frames_in_memory_get_what_they_lack():
    """As the clip with these frames does: by a lens that is told or estimated, or by maps."""
    pixels, disparity = (each[None] for each in scenes.through(10, 0.1))
    told: list[str] = []
    made = partial(refocus_frames, pixels, disparity, 0.1, 20, edges="off", notice=told.append)
    assert (made(source_blur="auto") != made()).any()
    [remark] = told
    assert "already blurred as by a lens of K" in remark
    assert (made(source_blur=SourceLens(20, 0.1)) == pixels).all()
    with pytest.raises(InputError, match="source blur"):
        made(source_blur="blurred")  # pyright: ignore[reportArgumentType]


def test_maps_are_of_frames_in_memory_too(material: Path, tmp_path: Path):
    frames = np.stack([clips.picture(index) for index in range(2)]).transpose(0, 3, 1, 2) / np.float32(255)
    maps = np.stack([clips.depth_map(index) for index in range(2)])[:, None] / np.float32(65535)
    np.save(tmp_path / "radii.npy", np.load(material / "radii.npy")[:2])
    made = partial(refocus_frames, frames.astype(np.float32), maps.astype(np.float32), 0.4, 30)
    mapped, lens = made(source_blur=tmp_path / "radii.npy"), made(source_blur=SourceLens(20, 0.2))
    # As above for a clip; worst seen 0.012 there.
    assert np.abs(lens - mapped).max() < 0.03
    assert np.abs(lens - made()).max() > 0.1
    with pytest.raises(InputError, match="20 frames but the clip has 2"):
        made(source_blur=material / "radii.npy")


def test_a_part_of_a_clip_and_a_kept_shot_have_the_lens_of_the_whole(tmp_path: Path):
    folder = write_cards(tmp_path / "source", 10, 0.1, frames=5)
    recipe = Recipe(FOCUS, disparity=folder / "maps", source_blur="auto")
    with open_source(folder / "frames") as source:
        whole, part = Shot.open(source, recipe), Shot.open(source, recipe, start=4, stop=5)
        (tmp_path / "kept").mkdir()
        keep_shot(whole, tmp_path / "kept")
        again = kept_shot(tmp_path / "kept", source, recipe, 0, 5)
    assert isinstance(whole.source_blur, SourceLens)
    assert again is not None
    assert part.source_blur == whole.source_blur == again.source_blur


def test_a_kept_shot_opens_its_maps_again(material: Path, recipe: Recipe, tmp_path: Path):
    mapped = replace(recipe, source_blur=material / "radii.npy")
    with open_source(material / "clip.mp4") as source:
        keep_shot(Shot.open(source, mapped), tmp_path)
        again = kept_shot(tmp_path, source, mapped, 0, 20)
    assert again is not None
    assert isinstance(again.source_blur, RadiusMaps)


def test_the_option_and_the_recipe_say_the_same(material: Path, tmp_path: Path):
    given = ["refocus", str(material / "clip.mp4"), "--disparity", str(material / "maps"), "--focus", "0.4", "--quiet"]
    for number, (typed, kept) in enumerate(
        {
            "8,0.4": {"blur_strength": 8.0, "focus_disparity": 0.4},
            "0.8e1, 0.4": {"blur_strength": 8.0, "focus_disparity": 0.4},
            str(material / "radii.npy"): str(material / "radii.npy"),
            "auto": "auto",
        }.items()
    ):
        recipe, out = tmp_path / f"{number}.json", tmp_path / f"{number}.mkv"
        more = ["--end", "0.1", "-o", str(out)]
        assert run([*given, *more, "--source-blur", typed, "--save-recipe", str(recipe)]) == 0
        assert json.loads(recipe.read_text())["source_blur"] == kept


@pytest.mark.parametrize("typed", ["on", "8", "-3,0.4", "8,9", "nan,0.4", "8,nan", "1e300,0.4", "8,0.4,1", ""])
def test_what_cannot_be_meant_is_refused_in_one_line(
    typed: str, material: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    given = ["refocus", str(material / "clip.mp4"), "--disparity", str(material / "maps"), "--focus", "0.4", "--quiet"]
    assert run([*given, "-o", str(tmp_path / "out.mkv"), f"--source-blur={typed}"]) == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert "source" in told
    assert not (tmp_path / "out.mkv").exists()


def test_info_tells_the_estimate(tmp_path: Path, material: Path, capsys: pytest.CaptureFixture[str]):
    folder = write_cards(tmp_path / "source", 10, 0.1)
    assert run(["info", str(folder / "frames"), "--disparity", str(folder / "maps"), "--json"]) == 0
    blur = json.loads(capsys.readouterr().out)["source_blur"]
    assert blur["blur_strength"] == pytest.approx(10, rel=0.1)
    assert run(["info", str(material / "clip.mp4"), "--disparity", str(material / "maps"), "--json"]) == 0
    assert "sharp" in json.loads(capsys.readouterr().out)["source_blur"]


def test_an_unknown_word_is_refused():
    with pytest.raises(InputError, match="source blur is 'on'; allowed is auto or off"):
        Recipe(FOCUS, source_blur="on")  # pyright: ignore[reportArgumentType]
