"""Make the enlarged pictures of docs/edges.md: edges, hidden background, lamps and flicker, before, after and in truth.

Run ``python -m scripts.edge_pictures``; names of pictures make only these. All scenes are the project's own synthesis,
ray traced through a thin lens; the same seeds give the same pictures.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from any2bokeh.disparity.edges import EdgeTreatment
from any2bokeh.optics.aperture import Disc
from any2bokeh.optics.highlights import Highlights
from any2bokeh.optics.transfer import srgb_encode
from any2bokeh.plate.choice import PlateChoice
from any2bokeh.render_inputs import render_inputs
from any2bokeh.renderers.base import RenderInput
from any2bokeh.renderers.layered import LayeredRenderer
from any2bokeh.synthesis import matte, motion, ray_trace, texture
from any2bokeh.synthesis.degradation import Degradation, degraded
from any2bokeh.synthesis.motion import Motion
from any2bokeh.synthesis.picture import Picture
from any2bokeh.synthesis.scene import Layer, Scene
from any2bokeh.synthesis.surface import Plane

TARGET = Path(__file__).resolve().parents[1] / "docs" / "images"
WIDTH, HEIGHT, FOCAL_PX, FRAMES = 512, 288, 512.0, 25
ENLARGED = 4
SAMPLES = {"in_focus": 64, "lens": 2048, "strip": 128}
GAP_PX, LABEL_PX, JPEG_QUALITY = 8, 34, 86

Pixels = NDArray[np.float32]  # (H, W, 3) code values
Matte = Callable[[np.random.Generator, tuple[int, int]], NDArray[np.uint8]]


@dataclass(frozen=True, slots=True)
class Way:
    """One way to render an example.

    Attributes:
        label: above its picture.
        disparity: in which way its maps are wrong; None = not at all.
        edges, plate, highlights: as in ``refocus``.
    """

    label: str
    disparity: Degradation | None = None
    edges: EdgeTreatment = "auto"
    plate: PlateChoice = "auto"
    highlights: float | Literal["auto"] = 0.0


@dataclass(frozen=True)
class Example:
    """One picture of the docs: a crop of the all-in-focus frame, of each way to render it, and of the truth.

    Attributes:
        name: of its file.
        scene: what is traced, of ``FRAMES`` frames.
        frame: which of them is shown.
        blur_strength: K.
        on_subject: whether the subject is in focus, or else the background.
        crops: left and top of each row of the picture, in pixels of the frame.
        ways: side by side.
        size: width and height of a crop.
        over_time: a row of every frame in place of a crop, the one at the top of the crop.
    """

    name: str
    scene: Callable[[], Scene]
    frame: int
    blur_strength: float
    on_subject: bool
    crops: Sequence[tuple[int, int]]
    ways: Sequence[Way]
    size: tuple[int, int] = (96, 72)
    over_time: bool = False


NETWORK = (
    Way("--edges off", disparity="model", edges="off"),
    Way("--edges auto (default)", disparity="model"),
)
"""With disparity as a network gives it: edges moved, soft, different in every frame."""
SOFT = (Way("--edges off", disparity="soft1", edges="off"), Way("--edges auto (default)", disparity="soft1"))
EXAMPLES = (
    Example("edges-hair", lambda: hairy(5), 12, 40, True, [(312, 96), (222, 146)], SOFT),
    Example("edges-twigs", lambda: twigs(12), 12, 40, True, [(122, 14), (310, 96)], NETWORK),
    Example("edges-over-time", lambda: twigs(12), 0, 40, True, [(310, 110)], NETWORK, over_time=True),
    Example("edges-lost-hair", lambda: hairy(12), 12, 40, True, [(138, 44), (290, 40)], NETWORK),
    Example(
        "plate-fence", lambda: fence(5), 12, 60, False, [(16, 56), (292, 62)],
        (Way("--plate off", plate="off"), Way("--plate auto (default)")),
    ),
    Example(
        "lamps-leaves", lambda: lamps(5), 12, 48, True, [(48, 28), (225, 130)],
        (Way("--highlights 0 (default)"), Way("--highlights auto", highlights="auto")),
    ),
)  # fmt: skip


def hairy(seed: int) -> Scene:
    """Something hairy before leaves."""
    rng = np.random.default_rng(seed)
    back = texture.dead_leaves(rng, (480, 720))
    return _scene(rng, back, matte.furry, 0.75, motion.smooth(rng, FRAMES, shift=0.05, turn_deg=3))


def twigs(seed: int) -> Scene:
    """Twigs with leaves before a wall."""
    rng = np.random.default_rng(seed)
    back = texture.dead_leaves(rng, (480, 720))
    return _scene(rng, back, matte.foliage, 1.0, motion.smooth(rng, FRAMES, shift=0.05, turn_deg=3))


def fence(seed: int) -> Scene:
    """A wall that moves behind a still fence."""
    rng = np.random.default_rng(seed)
    back = texture.print_(rng, (480, 720))
    shift = np.linspace(0, -0.25, FRAMES)[:, None] * [1, 0.1, 0]
    moving = Motion(shift, np.zeros((FRAMES, 3)))
    return _scene(rng, back, matte.fence, 1.4, motion.still(FRAMES), moving)


def lamps(seed: int) -> Scene:
    """Leaves in the dark before many lamps, up to 20 times as bright as white, each pale in a colour of its own."""
    rng = np.random.default_rng(seed)
    size = (480, 720)
    dark = texture.dead_leaves(rng, size) * np.float32(0.25)
    gain = np.ones(size, np.float32)
    for _ in range(100):
        spot = np.zeros(size, np.uint8)
        at = rng.uniform(0, 1, 2) * size[::-1] * 16
        radius_px = rng.uniform(0.7, 3) if rng.uniform() < 0.9 else rng.uniform(3, 8)
        cv2.circle(spot, (int(at[0]), int(at[1])), int(radius_px * 16), (255,), -1, cv2.LINE_AA, 4)
        gain = np.maximum(gain, 1 + np.float32(np.exp(rng.uniform(0.5, 3))) * spot.astype(np.float32) / 255)
    colours = 0.35 + 0.65 * texture.random_palette(rng, 48).reshape(6, 8, 3)
    colours /= colours.max(axis=-1, keepdims=True)
    lit = np.clip((gain - 1) / 2, 0, 1)[..., None]
    back = dark * (1 - lit) + lit * cv2.resize(colours, size[::-1], interpolation=cv2.INTER_NEAREST)
    return _scene(rng, back, matte.foliage, 1.2, motion.still(FRAMES), gain=gain, shade=0.5)


def _scene(
    rng: np.random.Generator,
    back: NDArray[np.float32],
    cut: Matte,
    share: float,
    moving: Motion,
    back_moving: Motion | None = None,
    gain: NDArray[np.float32] | None = None,
    shade: float = 1.0,
) -> Scene:
    """A subject cut out by a matte, that is ``share`` of the frame wide, at depth 2 before a background at 16."""
    long_side_px = int(share * WIDTH * 1.2)
    size = (long_side_px * 9 // 16, long_side_px)
    alpha = cut(rng, size).astype(np.float32) / np.float32(255)
    code = np.clip(shade * texture.random_texture(rng, size) * matte.shading(rng, alpha)[..., None], 0, 1)
    depth, far = 2.0, 16.0
    across = share * WIDTH / FOCAL_PX * depth
    subject = Plane.facing(np.array([0, 0, depth]), (across, across * 9 / 16))
    cover = 1.3 * WIDTH / FOCAL_PX * far
    background = Plane.facing(np.array([0, 0, far]), (cover, cover * 2 / 3))
    still = motion.still(FRAMES)
    whole = np.ones(back.shape[:2], np.float32)
    layers = [
        Layer(_picture(back, whole, gain), background, back_moving or still, endless=True),
        Layer(_picture(code, alpha), subject, moving),
    ]
    return Scene(layers, [1], still, FOCAL_PX, HEIGHT, WIDTH)


def _picture(code: Pixels, alpha: NDArray[np.float32], gain: NDArray[np.float32] | None = None) -> Picture:
    return Picture(np.clip(code, 0, 1).astype(np.float32)[None], alpha[None], None if gain is None else gain[None])


class Traced:
    """The frames of a scene, traced when they are asked for."""

    def __init__(self, example: Example) -> None:
        scene = example.scene()
        self.atlas = scene.atlas("srgb")
        self.scene = scene.scaled_to_nearest(self.atlas)
        self.example = example
        subjects, far = self.scene.focus_places(example.frame)
        self.focus_disparity = max(subjects) if example.on_subject else far

    @cached_property
    def inputs(self) -> list[RenderInput]:
        found = []
        for t in range(FRAMES):
            view = self.scene.view(t, self.atlas)
            light, _ = ray_trace.trace_in_focus(view, aperture=Disc(), sample_count=SAMPLES["in_focus"], seed=t)
            codes = np.rint(np.clip(srgb_encode(light), 0, 1) * 255).astype(np.float32) / np.float32(255)
            disparity = ray_trace.seen_disparity(view)
            found.append(RenderInput(codes, disparity, self.focus_disparity, self.example.blur_strength))
        return found

    def truth(self, t: int) -> Pixels:
        samples = SAMPLES["strip" if self.example.over_time else "lens"]
        light = ray_trace.trace(
            self.scene.view(t, self.atlas),
            focus_disparity=self.focus_disparity,
            blur_strength=self.example.blur_strength,
            aperture=Disc(),
            sample_count=samples,
            seed=t,
        )
        return np.clip(srgb_encode(light), 0, 1).transpose(1, 2, 0)

    def rendered(self, way: Way) -> Iterator[Pixels]:
        """Every frame in one way."""
        told = (
            frame
            if way.disparity is None
            else replace(frame, disparity=degraded(frame.disparity[0], way.disparity, t)[None])
            for t, frame in enumerate(self.inputs)
        )
        renderer = LayeredRenderer(highlights=Highlights(gain=way.highlights))
        for pixels in renderer.render(render_inputs(told, edges=way.edges, plate=way.plate)):
            yield np.clip(pixels, 0, 1).transpose(1, 2, 0)


def main() -> None:
    wanted = sys.argv[1:] or [example.name for example in EXAMPLES]
    for example in EXAMPLES:
        if example.name in wanted:
            path = TARGET / f"{example.name}.jpg"
            cv2.imwrite(str(path), _sheet(example), [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
            print(f"{path}: {path.stat().st_size} bytes")


def _sheet(example: Example) -> NDArray[np.uint8]:
    """Columns: the source, each way, the truth; a row for each crop. BGR."""
    traced = Traced(example)
    frames = range(FRAMES) if example.over_time else [example.frame]
    columns: dict[str, list[Pixels]] = {"all in focus": [traced.inputs[t].pixels.transpose(1, 2, 0) for t in frames]}
    for way in example.ways:
        columns[way.label] = list(islice(traced.rendered(way), frames[0], frames[-1] + 1))
    columns["ray-traced truth"] = [traced.truth(t) for t in frames]
    rows = []
    for left, top in example.crops:
        tiles = [_tile(pictures, left, top, example) for pictures in columns.values()]
        rows.append(_joined(tiles, axis=1))
    labels = _joined([_label(name, example.size[0] * ENLARGED) for name in columns], axis=1)
    return np.vstack([labels, _joined(rows, axis=0)])


def _tile(pictures: Sequence[Pixels], left: int, top: int, example: Example) -> NDArray[np.uint8]:
    """A crop, each of its pixels a square, or the row at its top of every picture, one below the other."""
    width, height = example.size
    right = left + width
    part = (
        np.concatenate([picture[top : top + 1, left:right] for picture in pictures])
        if example.over_time
        else pictures[0][top : top + height, left:right]
    )
    tall = 2 * ENLARGED if example.over_time else ENLARGED
    size = (width * ENLARGED, part.shape[0] * tall)
    enlarged = cv2.resize(np.ascontiguousarray(part), size, interpolation=cv2.INTER_NEAREST)
    return np.rint(enlarged[..., ::-1] * 255).astype(np.uint8)


def _label(text: str, width: int) -> NDArray[np.uint8]:
    bar = np.full((LABEL_PX, width, 3), 255, np.uint8)
    cv2.putText(bar, text, (4, LABEL_PX - 11), cv2.FONT_HERSHEY_SIMPLEX, 0.65, (20, 20, 20), 1, cv2.LINE_AA)
    return bar


def _joined(tiles: Sequence[NDArray[np.uint8]], axis: int) -> NDArray[np.uint8]:
    """Beside or below one another, with a white gap between them."""
    shape = list(tiles[0].shape)
    shape[axis] = GAP_PX
    gap = np.full(shape, 255, np.uint8)
    parts = [part for tile in tiles for part in (gap, tile)][1:]
    return np.concatenate(parts, axis=axis)


if __name__ == "__main__":
    main()
