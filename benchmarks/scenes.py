"""What is rendered: frames with their disparity and focus, at the size asked for."""

import json
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from any2bokeh.demo import CLIP_FOLDER
from any2bokeh.disparity import open_disparity, upsample
from any2bokeh.focus import FocusScript, resolve
from any2bokeh.optics.coc import REFERENCE_LONG_SIDE_PX, coc_radius_px
from any2bokeh.renderers.base import RenderInput
from any2bokeh.video import open_source

THIN_LENS_FOLDER = Path(__file__).parents[2] / "shared" / "data" / "thin_lens"
"""Path-traced scenes that lie beside a development checkout; measurements that need them are left out without."""

# B_slope is one continuous surface; the disparity of the others has steps, which nothing may smear.
_SMOOTH_SCENES = ("B_slope",)


@dataclass(frozen=True, slots=True)
class Scene:
    """Frames to render.

    Attributes:
        name: of the clip, and of the focus setting where it has several.
        inputs: in order of time.
    """

    name: str
    inputs: list[RenderInput]

    def mean_radius_px(self) -> float:
        """Mean circle of confusion over all pixels of all frames, what the cost of a blur depends on."""
        radii = [
            coc_radius_px(frame.disparity, frame.focus_disparity, frame.blur_strength, max(frame.disparity.shape))
            for frame in self.inputs
        ]
        return float(np.mean([radius.mean() for radius in radii]))


def demo_scene(size: tuple[int, int], *, frames: int, blur_strength: float, from_start: bool = False) -> Scene:
    """Frames of the bundled clip at ``size`` (width, height), with its focus.

    Args:
        size: of the frames.
        frames: how many.
        blur_strength: K.
        from_start: the first ones, as they follow one another; else they lie evenly over the clip.
    """
    with open_source(CLIP_FOLDER / "clip.mp4") as source:
        count, fps = source.info.frame_count, source.info.fps
        disparity = open_disparity(CLIP_FOLDER / "disparity.mkv", clip_frame_count=count)
        script = FocusScript.load(CLIP_FOLDER / "focus.json")
        track = resolve(script, disparity=disparity, frame_count=count, fps=fps)
        frames = min(frames, count)
        evenly = np.linspace(0, count - 1, frames).round().astype(int).tolist()
        wanted = set(range(frames) if from_start else evenly)
        inputs = []
        for frame, depth_map in zip(source.frames(), disparity.frames(), strict=True):
            if frame.index in wanted:
                pixels = scaled(frame.pixels, size)
                focus = float(track.focus_disparity[frame.index])
                inputs.append(RenderInput(pixels, upsample(depth_map, pixels), focus, blur_strength))
    return Scene("demo clip", inputs)


def thin_lens_scenes(
    folder: Path, size: tuple[int, int] | None = None, *, blur_strength: float | None = None, frames: int | None = None
) -> list[Scene]:
    """The path-traced scenes, one for each focus setting; none where the folder is missing.

    Args:
        folder: with a folder for each clip, see its README.
        size: (width, height); None = their own.
        blur_strength: K; None = their own.
        frames: how many from the beginning of each; None = all.
    """
    scenes = []
    for meta in sorted(folder.glob("*/meta.json")):
        clip, about = meta.parent, json.loads(meta.read_text())
        clip_size = (about["width"], about["height"])
        to_size = size or clip_size
        for setting, lens in about["settings"].items():
            inputs = []
            for index in range(len(lens["K"]))[:frames]:
                pixels = scaled(read_picture(clip / "aif" / f"{index:05d}.png"), to_size)
                disparity = read_disparity(clip / "disparity" / f"{index:05d}.png")
                if to_size != clip_size:
                    how = cv2.INTER_LINEAR if clip.name in _SMOOTH_SCENES else cv2.INTER_NEAREST
                    disparity = np.asarray(cv2.resize(disparity, to_size, interpolation=how), np.float32)
                # Their K is in pixels of their own frames.
                own_strength = lens["K"][index] * REFERENCE_LONG_SIDE_PX / max(clip_size)
                strength = own_strength if blur_strength is None else blur_strength
                inputs.append(RenderInput(pixels, disparity[None], lens["focus_disparity"][index], strength))
            scenes.append(Scene(f"{clip.name} {setting}", inputs))
    return scenes


def with_blur(scene: Scene, blur_strength: float) -> list[RenderInput]:
    """The frames of a scene at another K."""
    return [replace(frame, blur_strength=blur_strength) for frame in scene.inputs]


def scaled(pixels: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    """``(3, H, W)`` at another size (width, height)."""
    if pixels.shape[:0:-1] == size:
        return pixels
    how = cv2.INTER_AREA if size[0] < pixels.shape[2] else cv2.INTER_CUBIC
    return np.clip(np.stack([cv2.resize(plane, size, interpolation=how) for plane in pixels]), 0, 1)


def read_picture(path: Path) -> NDArray[np.float32]:
    """An 8-bit colour picture, ``(3, H, W)`` RGB in [0, 1]."""
    codes = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if codes is None:
        raise FileNotFoundError(path)
    return np.ascontiguousarray(codes[..., ::-1].transpose(2, 0, 1), np.float32) / np.float32(255)


def read_disparity(path: Path) -> NDArray[np.float32]:
    """16-bit disparity, ``(H, W)`` in [0, 1]."""
    codes = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if codes is None:
        raise FileNotFoundError(path)
    return codes.astype(np.float32) / np.float32(65535)
