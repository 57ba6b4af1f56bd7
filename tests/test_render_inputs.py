"""Frames in memory as renderers take them, held against those of a clip that is decoded on the way."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from any2bokeh import FocusScript, LayeredRenderer, Recipe
from any2bokeh.disparity.edges import EdgeTreatment
from any2bokeh.plate.choice import PlateChoice
from any2bokeh.refocusing import refocus_frames
from any2bokeh.render_inputs import render_inputs
from any2bokeh.renderers.base import RenderInput
from any2bokeh.shot import Shot
from any2bokeh.shot_frames import frames_of
from any2bokeh.source_blur import SourceLens
from any2bokeh.video import open_source
from tests import clips

COUNT, WIDTH, HEIGHT = 24, 96, 64
FOCUS, STRENGTH = 0.1, 120.0


def pictures() -> list[NDArray[np.uint8]]:
    """A post that moves before a pattern which stands still: what it hides is seen before or after."""
    rng = np.random.default_rng(3)
    ground = rng.integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
    found = []
    for index in range(COUNT):
        picture = ground.copy()
        picture[:, 3 * index : 3 * index + 12] = (220, 60, 20)
        found.append(picture)
    return found


def maps() -> list[NDArray[np.float32]]:
    found = []
    for index in range(COUNT):
        disparity = np.full((1, HEIGHT, WIDTH), 0.1, np.float32)
        disparity[..., 3 * index : 3 * index + 12] = 0.9
        found.append(disparity)
    return found


def inputs(strengths: list[float]) -> list[RenderInput]:
    given = zip(pictures(), maps(), strengths, strict=True)
    return [
        RenderInput(np.ascontiguousarray(p.transpose(2, 0, 1), np.float32) / np.float32(255), d, FOCUS, k)
        for p, d, k in given
    ]


@pytest.mark.parametrize(
    ("edges", "plate", "source_blur"),
    [("auto", "auto", None), ("off", "auto", None), ("classical", "off", None), ("auto", "auto", SourceLens(60, 0.0))],
)
def test_frames_in_memory_get_what_frames_of_a_clip_get(
    tmp_path: Path, edges: EdgeTreatment, plate: PlateChoice, source_blur: SourceLens | None
):
    # Not blurred in the middle and at the end: such frames are looked at by others, or by none.
    strengths = [STRENGTH] * 6 + [0.0] * 4 + [STRENGTH] * 4 + [0.0] * 10
    for index, picture in enumerate(pictures()):
        clips._write(tmp_path / f"{index:02d}.png", np.ascontiguousarray(picture[..., ::-1]))
    script = FocusScript.from_dense([FOCUS] * COUNT, strengths)
    recipe = Recipe(script, disparity=Maps(), edges=edges, plate=plate)
    with open_source(tmp_path) as source:
        shot = Shot.open(source, replace(recipe, source_blur=source_blur or "off"))
        wanted = [frame.given for frame in frames_of(shot)]
    found = list(render_inputs(inputs(strengths), edges=edges, plate=plate, source_blur=source_blur))
    assert len(found) == COUNT
    assert any(frame.hidden is not None for frame in wanted) == (plate == "auto")
    for ours, theirs in zip(found, wanted, strict=True):
        np.testing.assert_array_equal(ours.pixels, theirs.pixels)
        assert (ours.focus_disparity, ours.blur_strength) == (theirs.focus_disparity, theirs.blur_strength)
        if ours.blur_strength > 0:
            np.testing.assert_array_equal(ours.disparity, theirs.disparity)
            assert (ours.bands is None) == (theirs.bands is None)
        assert (ours.hidden is None) == (theirs.hidden is None)
        if ours.hidden is not None and theirs.hidden is not None:
            np.testing.assert_array_equal(ours.hidden.known, theirs.hidden.known)
            np.testing.assert_array_equal(ours.hidden.pixels, theirs.hidden.pixels)
            np.testing.assert_array_equal(ours.hidden.disparity, theirs.hidden.disparity)
        if ours.bands is not None and theirs.bands is not None:
            np.testing.assert_array_equal(ours.bands.near, theirs.bands.near)
            np.testing.assert_array_equal(ours.bands.far, theirs.bands.far)


def test_frames_are_read_eight_ahead_at_most():
    read = 0

    def counted() -> Iterator[RenderInput]:
        nonlocal read
        for frame in inputs([STRENGTH] * COUNT):
            read += 1
            yield frame

    for given, _ in enumerate(render_inputs(counted()), 1):
        assert read <= given + 8


def test_refocus_frames_shows_what_other_frames_saw():
    frames = np.stack([frame.pixels for frame in inputs([STRENGTH] * COUNT)])
    disparity = np.stack(maps())
    middle, post = COUNT // 2, slice(3 * (COUNT // 2), 3 * (COUNT // 2) + 12)
    truth = with_true_ground(frames, disparity, middle)
    off, auto = (refocus_frames(frames, disparity, FOCUS, STRENGTH, plate=plate)[middle] for plate in ("off", "auto"))
    error_off, error_auto = (np.square(one - truth)[..., post].mean() for one in (off, auto))
    assert error_auto < 0.5 * error_off


def with_true_ground(frames: NDArray[np.float32], disparity: NDArray[np.float32], index: int) -> NDArray[np.float32]:
    """The frame with the true background behind its post: that of the first frame, in which it stands elsewhere."""
    from any2bokeh.plate.hidden import HiddenBackground

    ground = frames[0]
    known = np.ones((HEIGHT, WIDTH), np.float32)
    hidden = HiddenBackground(ground, np.full((1, HEIGHT, WIDTH), 0.1, np.float32), known)
    return LayeredRenderer().render_frame(RenderInput(frames[index], disparity[index], FOCUS, STRENGTH, hidden=hidden))


class Maps:
    """Disparity of the clip above, as a source."""

    frame_count = COUNT

    def frames(self, start: int = 0, stop: int | None = None) -> Iterator[NDArray[np.float32]]:
        yield from maps()[start:stop]

    def at(self, index: int) -> NDArray[np.float32]:
        return maps()[index]
