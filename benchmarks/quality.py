"""How close to the path-traced truth the layered engine and the baselines come.

The figures are those of the data's own scoring script: 8-bit sRGB code values, means over the frames of a clip.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from any2bokeh.evaluation.baselines import GatherRenderer, ScatterRenderer
from any2bokeh.render_inputs import render_inputs
from any2bokeh.renderers.base import RenderInput
from any2bokeh.renderers.layered import LayeredRenderer
from benchmarks.scenes import read_disparity, read_picture, thin_lens_scenes
from benchmarks.table import table

Picture = NDArray[np.float64]  # (H, W, 3), code values in [0, 1]

_EDGE_DISPARITY_STEP = 0.03  # over 3x3 pixels
_EDGE_BAND_PX = 12
_LEAST_ERROR = 1e-10  # of identical pictures: 100 dB
_SSIM_WINDOW, _SSIM_SIGMA = 11, 1.5


@dataclass(frozen=True, slots=True)
class Score:
    """Figures of one method on one scene.

    Attributes:
        scene: clip and focus setting.
        method: what made the pictures.
        psnr_db: mean over frames.
        ssim: mean over frames.
        edge_psnr_db: PSNR of the pixels near an edge of disparity, mean over frames.
        temporal: mean of ``|(p[t + 1] - p[t]) - (g[t + 1] - g[t])|``, p the pictures, g the truth; 0 for one frame.
    """

    scene: str
    method: str
    psnr_db: float
    ssim: float
    edge_psnr_db: float
    temporal: float


def measure(folder: Path, *, frames: int | None = None, threads: int) -> list[Score]:
    """Scores of the unblurred source, gather, scatter and the layered engine; empty where the data is missing.

    All are given what ``refocus`` gives them: treated edges, and hidden background from the frames around. ``layered,
    alone`` is the engine with each map as it is and each frame by itself.
    """
    layered = LayeredRenderer(threads=threads)
    methods: dict[str, Callable[[RenderInput], NDArray[np.float32]]] = {
        "source": lambda frame: frame.pixels,
        "gather": GatherRenderer(threads=threads).render_frame,
        "scatter": ScatterRenderer(threads=threads).render_frame,
        "layered": layered.render_frame,
    }
    scores = []
    for scene in thin_lens_scenes(folder, frames=frames):
        clip, setting = scene.name.split(" ", 1)
        truth = [
            as_file(read_picture(folder / clip / f"gt_{setting}" / f"{index:05d}.png"))
            for index in range(len(scene.inputs))
        ]
        maps = [read_disparity(folder / clip / "disparity" / f"{index:05d}.png") for index in range(len(scene.inputs))]
        made: dict[str, list[Picture]] = {method: [] for method in methods}
        for frame in render_inputs(scene.inputs):
            for method, render in methods.items():
                made[method].append(as_file(render(frame)))
        made["layered, alone"] = [as_file(layered.render_frame(frame)) for frame in scene.inputs]
        scores += [score(scene.name, method, pictures, truth, maps) for method, pictures in made.items()]
    return scores


def score(
    scene: str, method: str, pictures: Sequence[Picture], truth: Sequence[Picture], maps: Sequence[NDArray[np.float32]]
) -> Score:
    """Figures of a clip against the truth, both ``(H, W, 3)`` a frame, given its disparity ``(H, W)``."""
    pairs = list(zip(pictures, truth, strict=True))
    errors = [(ours - true) ** 2 for ours, true in pairs]
    edge_errors = [error[edge_band(disparity)] for error, disparity in zip(errors, maps, strict=True)]
    drifts = [ours - true for ours, true in pairs]
    changes = [float(np.abs(after - before).mean()) for before, after in pairwise(drifts)]
    return Score(
        scene,
        method,
        float(np.mean([psnr_db(float(error.mean())) for error in errors])),
        float(np.mean([ssim(ours, true) for ours, true in pairs])),
        float(np.mean([psnr_db(float(error.mean())) for error in edge_errors])),
        float(np.mean(changes)) if changes else 0.0,
    )


def psnr_db(mean_square_error: float) -> float:
    """Peak signal-to-noise ratio for a peak of 1; at most 100."""
    return float(-10 * np.log10(max(mean_square_error, _LEAST_ERROR)))


def ssim(one: Picture, other: Picture) -> float:
    """Structural similarity, mean over pixels and channels, without the border that the window reaches beyond.

    Source: Wang et al., "Image quality assessment", IEEE TIP 2004, eq. 13, with its 11x11 Gaussian window.
    """
    border = _SSIM_WINDOW // 2
    window = (_SSIM_WINDOW, _SSIM_WINDOW)

    def mean(values: Picture) -> Picture:
        blurred = cv2.GaussianBlur(values, window, _SSIM_SIGMA, borderType=cv2.BORDER_REFLECT)
        return np.asarray(blurred[border:-border, border:-border], np.float64)

    mean_one, mean_other = mean(one), mean(other)
    variance_one = mean(one * one) - mean_one * mean_one
    variance_other = mean(other * other) - mean_other * mean_other
    covariance = mean(one * other) - mean_one * mean_other
    c1, c2 = 0.01**2, 0.03**2
    similarity = (2 * mean_one * mean_other + c1) * (2 * covariance + c2)
    similarity /= (mean_one**2 + mean_other**2 + c1) * (variance_one + variance_other + c2)
    return float(similarity.mean())


def edge_band(disparity: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Pixels near an edge of disparity, ``(H, W)`` both."""
    window = np.ones((3, 3), np.uint8)
    is_edge = cv2.dilate(disparity, window) - cv2.erode(disparity, window) > _EDGE_DISPARITY_STEP
    return cv2.distanceTransform(np.asarray(~is_edge, np.uint8), cv2.DIST_L2, 5) <= _EDGE_BAND_PX


def as_file(pixels: NDArray[np.float32]) -> Picture:
    """``(3, H, W)`` as it comes back from an 8-bit file."""
    return np.rint(np.clip(pixels.transpose(1, 2, 0), 0, 1).astype(np.float64) * 255) / 255


def report(scores: Sequence[Score]) -> str:
    """A table of all scenes and methods."""
    if not scores:
        return "left out: the path-traced scenes are not there"
    rows = [
        [each.scene, each.method, f"{each.psnr_db:.2f}", f"{each.ssim:.4f}", f"{each.edge_psnr_db:.2f}",
         f"{each.temporal:.5f}"]
        for each in scores
    ]  # fmt: skip
    return table(["scene", "method", "PSNR dB", "SSIM", "edge PSNR dB", "temporal"], rows)
