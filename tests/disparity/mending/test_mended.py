"""Strokes on maps: what each tool does, and how strokes go along with the motion."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from any2bokeh.disparity.mending import Stroke, stroke_json, strokes_of
from any2bokeh.disparity.mending.brush import painted
from any2bokeh.disparity.mending.carrying import StrokeCarrier
from any2bokeh.disparity.mending.mended import mended
from any2bokeh.errors import InputError
from any2bokeh.video import open_source
from any2bokeh.video.image import write_png

WIDTH, HEIGHT = 192, 108
FRAMES, CUT = 10, 7
STEP_PX = 4
LEFT, TOP, SIDE = 30, 30, 48


def texture(seed: int, height: int, width: int) -> np.ndarray:
    noise = np.random.default_rng(seed).uniform(0, 255, (height, width, 3)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 2.0)
    low, high = smooth.min(), smooth.max()
    return ((smooth - low) / (high - low) * 255).astype(np.uint8)


def film(folder: Path) -> Path:
    """A textured square that moves to the right before a texture; from frame ``CUT`` on, another shot."""
    folder.mkdir()
    back, square = texture(1, HEIGHT, WIDTH), texture(2, SIDE, SIDE)
    other = texture(3, HEIGHT, WIDTH) // 3
    other[..., 2] = 250
    for index in range(FRAMES):
        picture = back.copy()
        left = LEFT + STEP_PX * index
        picture[TOP : TOP + SIDE, left : left + SIDE] = square
        write_png(folder / f"{index:05d}.png", picture if index < CUT else other)
    return folder


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return film(tmp_path_factory.mktemp("mending") / "film")


class Flat:
    """Half near everywhere; counted, so that a test sees which maps are read."""

    frame_count = FRAMES

    def frames(self, start: int = 0, stop: int | None = None):
        for index in range(start, FRAMES if stop is None else stop):
            yield self.at(index)

    def at(self, index: int):
        return np.full((1, HEIGHT, WIDTH), 0.5, np.float32)


def on_square(frame: int = 0, **more: object) -> Stroke:
    """A stroke on the middle of the square."""
    x = (LEFT + SIDE / 2 + STEP_PX * frame) / WIDTH
    values = {"radius": 0.05, "strength": 1.0, "softness": 0.0} | more
    return Stroke(frame, points=((x, (TOP + SIDE / 2) / HEIGHT),), **{"tool": "nearer"} | values)  # type: ignore[arg-type]


def centre_of(values: np.ndarray) -> float:
    """Column of the middle of what is nearer than before."""
    return float(np.mean(np.nonzero(values[0] > 0.6)[1]))


def test_a_stroke_follows_the_surface_it_was_painted_on(clip: Path):
    with open_source(clip) as source:
        found = list(mended(Flat(), source, (on_square(1),)).frames())
    np.testing.assert_array_equal(found[0], 0.5)  # nothing is carried back
    for index in range(1, CUT):
        # worst seen 0.2 px, at frame 6
        assert centre_of(found[index]) == pytest.approx(LEFT + SIDE / 2 - 0.5 + STEP_PX * index, abs=1), index
        assert np.count_nonzero(found[index] > 0.6) == pytest.approx(np.pi * (0.05 * WIDTH) ** 2, rel=0.12)


def test_a_cut_ends_a_stroke(clip: Path):
    with open_source(clip) as source:
        found = list(mended(Flat(), source, (on_square(),)).frames())
    assert (found[CUT - 1] > 0.6).any()
    for values in found[CUT:]:
        np.testing.assert_array_equal(values, 0.5)


def test_a_later_stroke_in_the_same_place_takes_over_and_one_elsewhere_does_not(clip: Path):
    first = on_square(radius=0.08)
    over, beside = on_square(3, tool="farther"), Stroke(3, "farther", ((0.9, 0.1),), 0.05, 1.0, 0.0)
    with open_source(clip) as source:
        replaced, kept = (list(mended(Flat(), source, (first, other)).frames()) for other in (over, beside))
    assert (replaced[2] > 0.6).any()
    assert not (replaced[3] > 0.6).any()
    assert (replaced[3] < 0.4).any()
    assert (kept[3] > 0.6).any()
    assert (kept[3] < 0.4).any()


def test_strokes_of_one_frame_add_up_in_their_order(clip: Path):
    with open_source(clip) as source:
        found = mended(Flat(), source, (on_square(), on_square(softness=0.2))).at(0)
    assert float(found.max()) == 1.0


def test_a_frame_is_the_same_however_it_is_reached(clip: Path):
    strokes = (on_square(), Stroke(2, "smooth", ((0.1, 0.2), (0.4, 0.9), (0.8, 0.3)), 0.03), on_square(4, tool="back"))
    with open_source(clip) as source:
        in_order = list(mended(Flat(), source, strokes).frames())
        for index in (9, 5, 1, 6):
            np.testing.assert_array_equal(mended(Flat(), source, strokes).at(index), in_order[index])
        # What carries is kept while strokes come and go.
        carrier = StrokeCarrier(source)
        for held in (strokes[:1], strokes[1:], strokes):
            again = mended(Flat(), source, held, carrier=carrier).at(5)
            np.testing.assert_array_equal(again, mended(Flat(), source, held).at(5))
        part = mended(Flat(), source, strokes, first=3)
        np.testing.assert_array_equal(part.at(2), in_order[5])


def test_what_each_tool_does():
    ramp = np.tile(np.linspace(0, 1, 64, dtype=np.float32), (32, 1))
    step = np.where(np.arange(64) < 32, np.float32(0.2), np.float32(0.8)) * np.ones((32, 1), np.float32)

    def with_tool(values: np.ndarray, tool: str, *points: tuple[float, float]) -> np.ndarray:
        stroke = Stroke(0, tool, points, radius=0.1, strength=1.0, softness=0.0)  # type: ignore[arg-type]
        return painted(values, stroke, np.array(points, np.float32), 1.0)

    middle = (16, 32)
    assert with_tool(ramp, "nearer", (0.5, 0.5))[middle] == pytest.approx(ramp[middle] + 0.25)
    assert with_tool(ramp, "farther", (0.5, 0.5))[middle] == pytest.approx(ramp[middle] - 0.25)
    same = with_tool(ramp, "same", (0.2, 0.5), (0.8, 0.5))
    np.testing.assert_allclose(same[16, 12:52], 0.2, atol=0.02)  # what is there is 0.2, within a pixel of the ramp
    smooth = with_tool(step, "smooth", (0.5, 0.5))
    assert np.abs(np.diff(smooth[16])).max() < 0.5 * np.abs(np.diff(step[16])).max()
    assert with_tool(step, "front", (0.47, 0.5))[16, 29] == pytest.approx(0.8)
    assert with_tool(step, "back", (0.53, 0.5))[16, 34] == pytest.approx(0.2)
    for tool in ("nearer", "farther", "same", "smooth", "front", "back"):
        outside = with_tool(ramp, tool, (0.1, 0.5))
        np.testing.assert_array_equal(outside[:, 40:], ramp[:, 40:])
        assert outside.dtype == np.float32
        assert outside.min() >= 0
        assert outside.max() <= 1


@pytest.mark.parametrize("points", [((0.0, 0.0),), ((1.0, 1.0),), ((0.0, 1.0), (1.0, 0.0))])
def test_brushes_reach_corners_and_tiny_maps(points: tuple[tuple[float, float], ...]):
    for shape in ((1, 1), (2, 3), (5, 4)):
        stroke = Stroke(0, "nearer", points, radius=0.001, strength=1.0, softness=0.0)
        found = painted(np.full(shape, 0.5, np.float32), stroke, np.array(points, np.float32), 1.0)
        assert found.shape == shape
        assert (found > 0.6).any(), shape


def test_strokes_come_back_from_json_equal():
    strokes = (on_square(), Stroke(5, "front", ((0.1, 0.2), (1.0, 0.0)), 0.2, 0.25, 1.0))
    assert strokes_of(json.loads(json.dumps(list(map(stroke_json, strokes))))) == strokes


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "array of strokes"),
        ([1], "stroke 0: it is 1"),
        ([{"frame": 0, "tool": "nearer"}], "stroke 0: points is missing"),
        ([{"frame": 0, "tool": "erase", "points": [[0, 0]]}], "stroke 0: tool is 'erase'"),
        ([{"frame": -1, "tool": "nearer", "points": [[0, 0]]}], "frame is -1"),
        ([{"frame": True, "tool": "nearer", "points": [[0, 0]]}], "frame is True"),
        ([{"frame": 0, "tool": "nearer", "points": []}], "0 points"),
        ([{"frame": 0, "tool": "nearer", "points": [[0, 2]]}], r"y of points\[0\] is 2"),
        ([{"frame": 0, "tool": "nearer", "points": [[0, "a"]]}], r"points\[0\]"),
        ([{"frame": 0, "tool": "nearer", "points": [[0, 0, 0]]}], r"points\[0\]"),
        ([{"frame": 0, "tool": "nearer", "points": [[0, 0]] * 2001}], "2001 points"),
        ([{"frame": 0, "tool": "nearer", "points": [[0, 0]], "radius": 9}], "radius is 9"),
        ([{"frame": 0, "tool": "nearer", "points": [[0, 0]], "radius": 1e400}], "radius is inf"),
        ([{"frame": 0, "tool": "nearer", "points": [[0, 0]], "strength": "1"}], "strength is '1'"),
        ([{"frame": 0, "tool": "nearer", "points": [[0, 0]], "file": "/etc/passwd"}], "unknown key 'file'"),
        ([{"frame": 0, "tool": "nearer", "points": [[0, 0]]}] * 2001, "2001 brush strokes"),
    ],
)
def test_strokes_with_faults_are_refused_by_their_place(given: object, said: str):
    with pytest.raises(InputError, match=said):
        strokes_of(given)


def test_strokes_of_another_clip_are_refused(clip: Path):
    with open_source(clip) as source, pytest.raises(InputError, match="stroke 0 is on frame 50"):
        mended(Flat(), source, (Stroke(50, "nearer", ((0.5, 0.5),)),))
