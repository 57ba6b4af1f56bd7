"""What the truth about hidden background and mixed pixels is worth to the layered engine.

``python -m benchmarks.hidden --clips 10`` prints the figures of docs/edges.md, "What is hidden". The disparity is
exact, and edges are left as they are, so that what differs is what is told of the hidden. Pixels that a clipped lamp
reaches count nothing.
"""

import argparse
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from any2bokeh.optics.transfer import srgb_encode
from any2bokeh.plate.hidden import HiddenBackground
from any2bokeh.render_inputs import treated_inputs
from any2bokeh.renderers.base import RenderInput
from any2bokeh.renderers.layered import LayeredRenderer
from any2bokeh.renderers.layered.layered_image import LayeredImage
from any2bokeh.renderers.layered.layers import BEHIND, HIDDEN
from benchmarks.quality import as_file, edge_band, psnr_db
from benchmarks.table import table
from benchmarks.traced_layers import LENSES, Lens, TracedLayers, traced_layers

SEED = 8811
"""Of the clips: unlike those of the suites of ``evaluate``, and of all training."""


@dataclass(frozen=True, slots=True)
class HiddenScore:
    """Figures of one frame through one lens.

    Attributes:
        told: what the engine was told.
        lens: what the frame was shot through.
        psnr_db: of the frame.
        edge_psnr_db: of its pixels near an edge of disparity.
    """

    told: str
    lens: Lens
    psnr_db: float
    edge_psnr_db: float


def measure(scenes: Iterable[TracedLayers]) -> list[HiddenScore]:
    """Scores of all scenes through all lenses; the plate's where a scene has frames around it."""
    renderer = LayeredRenderer(threads=1)
    scores = []
    for scene in scenes:
        near_edges = edge_band(scene.disparity[scene.middle, 0]) & scene.is_fair
        for lens in LENSES:
            truth = as_file(scene.bokeh[lens])
            for told, frame in _ways(scene, lens).items():
                error = (as_file(renderer.render_frame(frame)) - truth) ** 2
                of_frame, of_edges = (float(error[part].mean()) for part in (scene.is_fair, near_edges))
                scores.append(HiddenScore(told, lens, psnr_db(of_frame), psnr_db(of_edges)))
    return scores


def _ways(scene: TracedLayers, lens: Lens) -> dict[str, RenderInput]:
    """The frame with more and more of the truth."""
    frames = [
        RenderInput(pixels, disparity, scene.focus_disparity[lens], lens.blur_strength)
        for pixels, disparity in zip(scene.frames, scene.disparity, strict=True)
    ]
    frame, hidden = frames[scene.middle], scene.hidden
    colours, disparity, is_filled = _filled(frame)
    known = hidden.known * is_filled
    ways = {
        "nothing": frame,
        "hidden disparity": replace(frame, hidden=HiddenBackground(colours, hidden.disparity, known)),
        "hidden colour": replace(frame, hidden=HiddenBackground(hidden.pixels, disparity, known)),
        "hidden colour and disparity": replace(frame, hidden=hidden),
        "mixed pixels": replace(frame, bands=scene.bands),
        "both": replace(frame, hidden=hidden, bands=scene.bands),
    }
    if len(frames) > 1:
        ways["frames around (plate)"] = list(treated_inputs(frames, None, "auto"))[scene.middle]
    return ways


def _filled(frame: RenderInput) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """What the engine itself continues behind the foreground: colour, disparity, and where."""
    image = LayeredImage.of(frame)
    is_filled = (image.kind & HIDDEN) != 0
    light = np.where(is_filled[..., None], image.light[BEHIND, ..., :3], 0)
    colours = srgb_encode(np.clip(light, 0, 1)).transpose(2, 0, 1)
    disparity = image.defocus[BEHIND] / image.px_per_disparity + frame.focus_disparity
    disparity = np.where(is_filled, np.clip(disparity, 0, 1), 0)
    return colours.astype(np.float32), disparity.astype(np.float32)[None], is_filled.astype(np.float32)


def report(scores: Sequence[HiddenScore]) -> str:
    """Means over frames, for each lens and all of them: of the frame, and of its edges."""
    rows = []
    for told in dict.fromkeys(each.told for each in scores):
        these = [each for each in scores if each.told == told]
        by_lens = [[each for each in these if each.lens == lens] for lens in LENSES]
        rows.append([told, *(_means(part) for part in (*by_lens, these))])
    heads = [f"{lens.focus} {lens.blur_strength:g}" for lens in LENSES]
    return table(["told", *heads, "all"], rows)


def _means(scores: Sequence[HiddenScore]) -> str:
    whole, edges = (np.mean([getattr(each, name) for each in scores]) for name in ("psnr_db", "edge_psnr_db"))
    return f"{whole:.2f} / {edges:.2f}"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--clips", type=int, default=10, help="number of clips (default 10)")
    parser.add_argument(
        "--frames", type=int, default=1, help="frames of each clip, of which the middle one counts; the plate's need 13"
    )
    parser.add_argument("--seed", type=int, default=SEED, help=f"of the clips (default {SEED})")
    parser.add_argument("--samples", type=int, default=256, help="rays of each pixel through the lens (default 256)")
    options = parser.parse_args()
    scenes = traced_layers(options.clips, options.frames, seed=options.seed, lens_samples=options.samples)
    print(report(measure(scenes)))


if __name__ == "__main__":
    main()
