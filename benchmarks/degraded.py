"""The layered engine with disparity as people have it: path-traced clips, their exact maps spoilt in five ways.

`any2bokeh evaluate --suite degraded` does the same with clips of our own.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import get_args

import numpy as np

from any2bokeh.disparity.edges import EdgeTreatment
from any2bokeh.plate.choice import PlateChoice
from any2bokeh.render_inputs import render_inputs
from any2bokeh.renderers.layered import LayeredRenderer
from any2bokeh.synthesis.degradation import DEGRADATIONS, degraded
from benchmarks.quality import Score, as_file, score
from benchmarks.scenes import read_disparity, read_picture, thin_lens_scenes
from benchmarks.table import table

EXACT = "exact"
WAYS = DEGRADATIONS

TREATMENTS: tuple[tuple[EdgeTreatment, PlateChoice], ...] = (
    ("off", "off"),
    *((edges, "auto") for edges in get_args(EdgeTreatment)),
    ("auto", "off"),
)
"""Of edges and the plate, side by side: nothing, each treatment of edges with a plate, and the default without one."""


@dataclass(frozen=True, slots=True)
class WayScore:
    """Figures of the layered engine on one scene with its disparity spoilt in one way.

    Attributes:
        way: one of ``WAYS``, or ``EXACT``.
        edges, plate: how the edges of its disparity are treated, and where hidden background comes from.
        score: against the path-traced truth; edges are those of the exact disparity.
    """

    way: str
    edges: EdgeTreatment
    plate: PlateChoice
    score: Score


def measure(folder: Path, *, frames: int | None = None, threads: int) -> list[WayScore]:
    """Scores of every scene with exact and with spoilt disparity; empty where the data is missing.

    Args:
        folder: of the path-traced clips.
        frames: of each scene; None = all.
        threads: of the renderer.
    """
    renderer = LayeredRenderer(threads=threads)
    scores = []
    for scene in thin_lens_scenes(folder, frames=frames):
        clip, setting = scene.name.split(" ", 1)
        names = [f"{index:05d}.png" for index in range(len(scene.inputs))]
        truth = [as_file(read_picture(folder / clip / f"gt_{setting}" / name)) for name in names]
        exact = [read_disparity(folder / clip / "disparity" / name) for name in names]
        for way in (EXACT, *WAYS):
            maps = exact if way == EXACT else [degraded(d, way, i) for i, d in enumerate(exact)]
            told = [replace(frame, disparity=d[None]) for frame, d in zip(scene.inputs, maps, strict=True)]
            for edges, plate in TREATMENTS:
                pictures = [as_file(renderer.render_frame(f)) for f in render_inputs(told, edges=edges, plate=plate)]
                scores.append(WayScore(way, edges, plate, score(scene.name, "layered", pictures, truth, exact)))
    return scores


def report(scores: Sequence[WayScore]) -> str:
    """A table of every scene and way, the mean of each way, and the mean of the five, for each treatment."""
    if not scores:
        return "left out: the path-traced scenes are not there"
    rows = []
    for treatment in TREATMENTS:
        these = [each for each in scores if (each.edges, each.plate) == treatment]
        rows += [_row(each.score.scene, each.way, *treatment, [each.score]) for each in these]
        of_way = {way: [each.score for each in these if each.way == way] for way in (EXACT, *WAYS)}
        rows += [_row("mean", way, *treatment, of) for way, of in of_way.items()]
        for scene in dict.fromkeys(each.score.scene for each in these):
            spoilt = [each.score for each in these if each.way != EXACT and each.score.scene == scene]
            rows.append(_row(scene, "the five", *treatment, spoilt))
        rows.append(_row("mean", "the five", *treatment, [each.score for each in these if each.way != EXACT]))
    return table(["scene", "disparity", "edges", "plate", "PSNR dB", "SSIM", "edge PSNR dB", "temporal"], rows)


def _row(scene: str, way: str, edges: EdgeTreatment, plate: PlateChoice, scores: Sequence[Score]) -> list[str]:
    psnr_db = np.mean([each.psnr_db for each in scores])
    ssim = np.mean([each.ssim for each in scores])
    edge_psnr_db = np.mean([each.edge_psnr_db for each in scores])
    temporal = np.mean([each.temporal for each in scores])
    return [scene, way, edges, plate, f"{psnr_db:.2f}", f"{ssim:.4f}", f"{edge_psnr_db:.2f}", f"{temporal:.5f}"]
