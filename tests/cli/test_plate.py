"""What other frames saw, through a whole run: ``--plate``."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from any2bokeh.focus import FocusScript
from any2bokeh.focus.script import Keyframe
from any2bokeh.focus.target import DisparityTarget
from any2bokeh.plate.stream import AHEAD, BACK
from any2bokeh.preview import preview, write_preview
from any2bokeh.recipe import Recipe
from any2bokeh.refocusing import refocus
from any2bokeh.renderers.base import RenderInput
from any2bokeh.renderers.layered import LayeredRenderer
from any2bokeh.video import Encoding, open_source
from tests.cli.conftest import RunCli
from tests.plate import scenes

COUNT = BACK + AHEAD + 6
ON_BACKGROUND = FocusScript(keyframes=(Keyframe(0, DisparityTarget(scenes.FAR)),))


@pytest.fixture(scope="module")
def clip() -> scenes.HidingClip:
    return scenes.clip(COUNT, way=lambda t: (2.0 * t, 0.3 * t, 0.0))


@pytest.fixture(scope="module")
def folders(clip: scenes.HidingClip, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    frames, maps = tmp_path_factory.mktemp("frames"), tmp_path_factory.mktemp("maps")
    for index, (pixels, disparity) in enumerate(zip(clip.frames, clip.maps, strict=True)):
        codes = np.rint(pixels.transpose(1, 2, 0)[..., ::-1] * 255).astype(np.uint8)
        cv2.imwrite(str(frames / f"{index:05d}.png"), codes)
        cv2.imwrite(str(maps / f"{index:05d}.png"), np.rint(disparity[0] * 65535).astype(np.uint16))
    return frames, maps


def rendered(output: Path) -> NDArray[np.float32]:
    with open_source(output) as source:
        return np.stack([frame.pixels for frame in source.frames()])


def run(
    folders: tuple[Path, Path], output: Path, *, frames: tuple[int, int] | None = None, **changes: Any
) -> NDArray[np.float32]:
    recipe = replace(Recipe(ON_BACKGROUND, folders[1], blur_strength=60.0), **changes)
    refocus(folders[0], output, recipe, frames=frames, encoding=Encoding(codec="ffv1"))
    return rendered(output)


def test_what_other_frames_saw_is_seen_past_the_fence(clip: scenes.HidingClip, folders, tmp_path: Path):
    """Beside the truth: the same with the background itself behind the fence."""
    renderer, index = LayeredRenderer(), 14
    shown = {plate: run(folders, tmp_path / f"{plate}.mkv", plate=plate)[index] for plate in ("auto", "off")}
    known = np.ones((scenes.HEIGHT, scenes.WIDTH), np.float32)
    behind = scenes.HiddenBackground(clip.behind[index], np.full_like(clip.maps[index], scenes.FAR), known)
    truth = renderer.render_frame(RenderInput(clip.frames[index], clip.maps[index], scenes.FAR, 60.0, behind))
    inner = (slice(None), slice(8, -8), slice(8, -8))
    error = {plate: float(np.sqrt(((pixels - truth)[inner] ** 2).mean())) for plate, pixels in shown.items()}
    assert error["auto"] < 0.4 * error["off"]  # seen: 0.16


def test_a_part_is_rendered_as_the_whole(folders, tmp_path: Path):
    whole, start = run(folders, tmp_path / "whole.mkv"), BACK + 3
    part = run(folders, tmp_path / "part.mkv", frames=(start, start + 2))
    np.testing.assert_array_equal(part, whole[start : start + 2])
    begin = run(folders, tmp_path / "begin.mkv", frames=(0, 2))
    np.testing.assert_array_equal(begin, whole[:2])


def test_a_preview_is_rendered_as_the_clip(folders, tmp_path: Path):
    whole = run(folders, tmp_path / "whole.mkv")
    with open_source(folders[0]) as source:
        shown = preview(source, 9, Recipe(focus=ON_BACKGROUND, disparity=folders[1], blur_strength=60.0))
    write_preview(shown, tmp_path / "shown.png")  # dithered as the clip is
    with open_source(tmp_path / "shown.png") as source:
        [frame] = source.frames()
    np.testing.assert_array_equal(frame.pixels, whole[9])


def test_frames_without_blur_between_others_stay_the_sources(folders, tmp_path: Path):
    rack = FocusScript.from_dense([scenes.FAR] * COUNT, [60.0 * (index % 3 == 0) for index in range(COUNT)])
    mixed = run(folders, tmp_path / "mixed.mkv", focus=rack, blur_strength=None)
    whole = run(folders, tmp_path / "whole.mkv")
    np.testing.assert_array_equal(mixed[::3], whole[::3])
    with open_source(folders[0]) as source:
        np.testing.assert_array_equal(mixed[1::3], np.stack([frame.pixels for frame in source.frames()])[1::3])


def test_maps_may_end_with_the_part(folders, tmp_path: Path):
    """Frames after the part are asked as far as there are maps of them."""
    frames, maps = folders
    fewer = tmp_path / "maps"
    fewer.mkdir()
    for index in range(10):
        (fewer / f"{index:05d}.png").write_bytes((maps / f"{index:05d}.png").read_bytes())
    part = run((frames, fewer), tmp_path / "part.mkv", frames=(4, 10))
    assert len(part) == 6


def test_plate_by_another_name(cli: RunCli, folders, results: Path):
    given = [folders[0], "--disparity", folders[1], "--focus", "0.2", "-o", results / "o.mkv"]
    outcome = cli("refocus", *given, "--plate", "always")
    assert (outcome.code, "plate" in outcome.err) == (2, True)
    assert cli("refocus", *given, "--plate", "off", "--frames", "0:2", "--quiet").code == 0
