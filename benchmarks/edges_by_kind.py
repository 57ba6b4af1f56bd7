"""Level III of perturbed disparity, taken apart: what each kind of error costs, and how much of it could be had.

``python -m benchmarks.edges_by_kind`` prints the figures of docs/edges.md, "By kind of error". The clips are those of
``benchmarks.edges``, of seeds that neither its figures nor training take. Beside the treatments, parts of the truth are
told: which of the surfaces that the network chooses from each pixel of the band shows, as the map came and once torn
rims are mended, and true disparity in the band and everywhere. Mixed pixels are split by the classical treatment there.
"""

import argparse
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from any2bokeh.disparity.edges import edge_estimator, matte
from any2bokeh.disparity.edges.bands import EdgeBands
from any2bokeh.disparity.edges.classical import FirstLook, Steps, matted
from any2bokeh.disparity.edges.learned.clues import Clues
from any2bokeh.disparity.edges.learned.torn import mended
from any2bokeh.render_inputs import treated_inputs
from any2bokeh.renderers.base import RenderInput
from any2bokeh.renderers.layered import LayeredRenderer
from any2bokeh.synthesis.clip import SyntheticClip
from any2bokeh.synthesis.perturb import ROBUSTNESS_LEVELS, perturb
from benchmarks.edges import traced
from benchmarks.quality import as_file, edge_band, psnr_db
from benchmarks.table import table

SEEDS = (9001, 9002, 8801)

_ALL = ROBUSTNESS_LEVELS["III"]
KINDS = {
    "growth": replace(_ALL, elastic_px=0, band_noise=0),
    "growth, torn": replace(_ALL, elastic_px=0),
    "wandering": replace(_ALL, morphology_px=0, band_noise=0),
    "wandering, torn": replace(_ALL, morphology_px=0),
    "growth and wandering": replace(_ALL, band_noise=0),
    "all: level III": _ALL,
}
"""Whole subjects dilated or eroded; outlines that wander; both; and what is uncovered left as noise."""

_TREATMENTS = ("off", "classical", "auto")


@dataclass(frozen=True, slots=True)
class KindScore:
    """Figures of one frame with one kind of error.

    Attributes:
        kind: one of ``KINDS``.
        told: how the map was treated, or what part of the truth was told.
        psnr_db: of the frame.
        edge_psnr_db: of the pixels near an edge of the exact disparity.
    """

    kind: str
    told: str
    psnr_db: float
    edge_psnr_db: float


def measure(clips: Iterable[tuple[int, SyntheticClip]], kinds: Sequence[str] = tuple(KINDS)) -> list[KindScore]:
    """Scores of the first frame of each clip, which comes with the seed of its errors."""
    renderer, scores = LayeredRenderer(threads=1), []
    for seed, clip in clips:
        truth, near_edges = as_file(clip.bokeh[0]), edge_band(clip.disparity[0, 0])
        for kind in kinds:
            maps = perturb(clip.disparity, clip.masks, KINDS[kind], seed)
            given = RenderInput(clip.frames[0], maps[0], float(clip.focus_disparity[0]), float(clip.blur_strength[0]))
            for told, frame in _ways(given, clip.disparity[0]):
                error = (as_file(renderer.render_frame(frame)) - truth) ** 2
                scores.append(
                    KindScore(kind, told, psnr_db(float(error.mean())), psnr_db(float(error[near_edges].mean())))
                )
    return scores


def _ways(given: RenderInput, truth: NDArray[np.float32]) -> Iterator[tuple[str, RenderInput]]:
    """A frame treated in every way, and with more and more of the truth ``(1, H, W)``."""
    for edges in _TREATMENTS:
        yield edges, next(treated_inputs([given], edge_estimator(edges), "off"))
    look = FirstLook.of(given.disparity, given.pixels, enlarged=False)
    if look is None:
        return
    clues = Clues.of_look(given.disparity, look, enlarged=False)
    yield "right choice", _split(given, _best_of(clues, given.disparity, truth))
    without = mended(given.disparity, look)
    if without is None:
        yield "right choice, rims mended", _split(given, _best_of(clues, given.disparity, truth))
    else:
        again = Clues.of_look(*without, enlarged=False)
        yield "right choice, rims mended", _split(given, _best_of(again, without.disparity, truth))
    yield "truth in the band", _split(given, np.where(clues.band, truth, given.disparity))
    yield "truth", _split(given, truth)


def _best_of(clues: Clues, given: NDArray[np.float32], truth: NDArray[np.float32]) -> NDArray[np.float32]:
    """The map with the surface in each pixel of the band that comes closest to the truth, of those in question."""
    surfaces = np.stack([clues.near, clues.far, clues.third])
    best = np.take_along_axis(surfaces, np.abs(surfaces - truth).argmin(axis=0)[None], axis=0)
    return np.where(clues.band, best, given)


def _split(frame: RenderInput, disparity: NDArray[np.float32]) -> RenderInput:
    """The frame with another map, whose mixed pixels are split by the classical treatment."""
    step = Steps.of(np.ascontiguousarray(disparity[0]), 1, matte.REACH_PX)
    bands = matted(EdgeBands.none(disparity), frame.pixels, step)
    return replace(frame, disparity=disparity, bands=bands if bands.is_mixed else None)


def report(scores: Sequence[KindScore]) -> str:
    """Means over frames of each kind and way: of the frame, and of its edges."""
    ways = list(dict.fromkeys(each.told for each in scores))
    rows = []
    for kind in dict.fromkeys(each.kind for each in scores):
        row = [kind]
        for told in ways:
            these = [each for each in scores if (each.kind, each.told) == (kind, told)]
            whole, edges = (np.mean([getattr(each, name) for each in these]) for name in ("psnr_db", "edge_psnr_db"))
            row.append(f"{whole:.2f} / {edges:.2f}")
        rows.append(row)
    return table(["kind", *ways], rows)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--clips", type=int, default=4, help="number of clips of each seed (default 4)")
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS, help="of the clips")
    parser.add_argument("--samples", type=int, default=64, help="rays of each pixel through the lens (default 64)")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=tuple(KINDS), help="of errors (default all)")
    options = parser.parse_args()
    clips = (
        numbered
        for seed in options.seeds
        for numbered in enumerate(traced(options.clips, 2, seed=seed, lens_samples=options.samples))
    )
    print(report(measure(clips, options.kinds)))


if __name__ == "__main__":
    main()
