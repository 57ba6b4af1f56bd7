"""The layered engine with edges treated in every way, on traced clips that no training and no gate has seen.

``python -m benchmarks.edges --clips 6 --frames 3`` prints the figures of docs/edges.md. Each clip is traced once and
then told with its exact map, with the perturbations of the paper, with smaller maps and with the five ways of
``synthesis.degradation``. Clips have at least two subjects, so that three surfaces meet in them. Each frame is treated
by itself; with ``--over-time`` clips are treated as ``refocus`` treats them: silhouettes are held steady by the frames
around, which tell what is hidden, too.
"""

import argparse
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from any2bokeh.disparity.edges import EdgeTreatment, edge_estimator
from any2bokeh.disparity.edges.bands import EdgeEstimator
from any2bokeh.plate.choice import PlateChoice
from any2bokeh.render_inputs import treated_inputs
from any2bokeh.renderers.base import RenderInput
from any2bokeh.renderers.layered import LayeredRenderer
from any2bokeh.synthesis.clip import SyntheticClip
from any2bokeh.synthesis.degradation import DEGRADATIONS, degraded
from any2bokeh.synthesis.maker import ClipConfig, ClipMaker, ClipPlan
from any2bokeh.synthesis.perturb import ROBUSTNESS_LEVELS, perturb
from any2bokeh.synthesis.scene import SceneConfig
from benchmarks.quality import Picture, as_file, edge_band, psnr_db
from benchmarks.table import table

SEED = 2511
"""Of the clips: unlike those of the suites of ``evaluate``, and of all training."""


class Treatment(NamedTuple):
    """How edges are treated, and whether the frames around are asked."""

    edges: EdgeTreatment
    plate: PlateChoice = "off"


_EDGES: tuple[EdgeTreatment, ...] = ("off", "classical", "learned", "auto")
ALONE = tuple(Treatment(edges) for edges in _EDGES)
OVER_TIME = (Treatment("off"), *(Treatment(edges, "auto") for edges in _EDGES))
"""What is gained over ``off`` with a plate is the edges' doing, the rest the plate's."""

EXACT, LEVELS = "exact", ("I", "II", "III")
SMALLER = {"half": 2, "quarter": 4}
WAYS = (EXACT, *LEVELS, *SMALLER, *DEGRADATIONS)

_BESIDE: tuple[EdgeTreatment, ...] = ("off", "classical")
_LENSES = ((16.0, 1.0), (32.0, 0.0))  # K, and focus from the background (0) to the nearest subject (1); in turn


@dataclass(frozen=True, slots=True)
class EdgeScore:
    """Figures of one clip, told in one way and treated in one.

    Attributes:
        clip: its number.
        way: one of ``WAYS``.
        treatment: how it was treated.
        psnr_db: of each frame.
        edge_psnr_db: of the pixels near an edge of the exact disparity, of each frame.
        temporal: see ``quality.Score``.
    """

    clip: int
    way: str
    treatment: Treatment
    psnr_db: tuple[float, ...]
    edge_psnr_db: tuple[float, ...]
    temporal: float

    @classmethod
    def of(
        cls, clip: int, way: str, treatment: Treatment, errors: NDArray[np.float64], bands: NDArray[np.bool_]
    ) -> "EdgeScore":
        """That of the errors ``(T, H, W, 3)`` of a clip, and where its edges are, ``(T, H, W)``."""
        square = errors**2
        return cls(
            clip,
            way,
            treatment,
            tuple(psnr_db(float(frame.mean())) for frame in square),
            tuple(psnr_db(float(frame[band].mean())) for frame, band in zip(square, bands, strict=True)),
            float(np.abs(np.diff(errors, axis=0)).mean()) if len(errors) > 1 else 0.0,
        )


def traced(
    clips: int, frames: int, *, seed: int = SEED, lens_samples: int = 256, first: int = 0
) -> Iterator[SyntheticClip]:
    """Clips at 512x288 in linear light, with two to four subjects, from the one numbered ``first`` on."""
    for index in range(first, first + clips):
        strength, focus = _LENSES[index % len(_LENSES)]
        config = ClipConfig(
            frame_count=frames,
            lens_samples=lens_samples,
            blur_strength=(strength, strength),
            schedules=("fixed",),
            scene=replace(SceneConfig(), subjects=(2, 4)),
        )
        maker = _Focused(config, seed=seed, count=first + clips, threads=1)
        maker.focus = focus
        yield maker.clip(index)


class _Focused(ClipMaker):
    focus = 1.0

    def plan(self, index: int) -> ClipPlan:
        scene, atlas, schedule, aperture = super().plan(index)
        subjects, far = scene.focus_places(self.frame_count // 2)
        at = min(max(far + self.focus * (max(subjects) - far), 0.0), 1.0)
        return scene, atlas, replace(schedule, focus_disparity=np.full_like(schedule.focus_disparity, at)), aperture


def told(clip: SyntheticClip, way: str, seed: int) -> list[NDArray[np.float32]]:
    """The maps ``(1, h, w)`` of a clip as ``way`` has them."""
    if way == EXACT:
        return list(clip.disparity)
    if way in ROBUSTNESS_LEVELS:
        return list(perturb(clip.disparity, clip.masks, ROBUSTNESS_LEVELS[way], seed))  # pyright: ignore[reportArgumentType]
    if way in SMALLER:
        size = (clip.width // SMALLER[way], clip.height // SMALLER[way])
        smaller = [cv2.resize(d[0], size, interpolation=cv2.INTER_AREA) for d in clip.disparity]
        return [np.asarray(d, np.float32)[None] for d in smaller]
    return [degraded(d[0], way, t)[None] for t, d in enumerate(clip.disparity)]  # pyright: ignore[reportArgumentType]


def measure(
    clips: Iterable[SyntheticClip],
    estimators: Mapping[Treatment, EdgeEstimator | None],
    ways: Sequence[str] = WAYS,
    *,
    first: int = 0,
) -> list[EdgeScore]:
    """Scores of every clip, told in every way and treated in every way; ``first`` is the number of the first clip."""
    renderer = LayeredRenderer(threads=1)
    scores = []
    for number, clip in enumerate(clips, first):
        truth = np.stack([as_file(frame) for frame in clip.bokeh])
        near_edges = np.stack([edge_band(disparity[0]) for disparity in clip.disparity])
        for way in ways:
            lenses = zip(clip.focus_disparity, clip.blur_strength, strict=True)
            frames = [
                RenderInput(pixels, disparity, float(focus), float(strength))
                for pixels, disparity, (focus, strength) in zip(
                    clip.frames, told(clip, way, number), lenses, strict=True
                )
            ]
            treated = [treated_inputs(frames, estimator, each.plate) for each, estimator in estimators.items()]
            pictures = [_rendered(renderer, inputs) for inputs in zip(*treated, strict=True)]
            for treatment, found in zip(estimators, zip(*pictures, strict=True), strict=True):
                scores.append(EdgeScore.of(number, way, treatment, np.stack(found) - truth, near_edges))
    return scores


def _rendered(renderer: LayeredRenderer, inputs: Sequence[RenderInput]) -> list[Picture]:
    """A frame as it was treated in every way; what came out alike is rendered once."""
    pictures: list[Picture] = []
    for number, given in enumerate(inputs):
        alike = [at for at in range(number) if _is_same(inputs[at], given)]
        pictures.append(pictures[alike[0]] if alike else as_file(renderer.render_frame(given)))
    return pictures


def _is_same(one: RenderInput, other: RenderInput) -> bool:
    """Whether a frame is given to the engine alike."""
    return (
        np.array_equal(one.disparity, other.disparity)
        and _holds_same(one.bands, other.bands)
        and _holds_same(one.hidden, other.hidden)
    )


def _holds_same(one: Any, other: Any) -> bool:
    """Whether two dataclasses of one kind hold the same arrays; None is like None alone."""
    if one is None or other is None:
        return one is other
    return all(np.array_equal(getattr(one, field.name), getattr(other, field.name)) for field in fields(one))


def report(scores: Sequence[EdgeScore]) -> str:
    """For each way and treatment: means, the worst frame, and the worst frame beside ``off`` and ``classical``.

    Both ask the frames around where the treatment does.
    """
    beside = {(each.treatment, each.clip, each.way): each.psnr_db for each in scores}
    rows = []
    ways = dict.fromkeys(each.way for each in scores)
    for name, members in {**{way: (way,) for way in ways}, "the five": DEGRADATIONS}.items():
        for treatment in dict.fromkeys(each.treatment for each in scores):
            these = [each for each in scores if each.way in members and each.treatment == treatment]
            if not these:
                continue
            frames = np.concatenate([each.psnr_db for each in these])
            edges, plate = treatment
            gains = [_least_gain(these, beside, Treatment(other, plate)) for other in _BESIDE]
            edge_psnr_db = np.concatenate([each.edge_psnr_db for each in these]).mean()
            temporal = float(np.mean([each.temporal for each in these]))
            rows.append(
                [name, edges, plate, f"{frames.mean():.2f}", f"{frames.min():.2f}",
                 *gains, f"{edge_psnr_db:.2f}", f"{temporal:.5f}"]
            )  # fmt: skip
    return table(
        ["map", "edges", "plate", "PSNR dB", "worst frame", "worst over off", "over classical", "edge PSNR dB",
         "temporal"], rows
    )  # fmt: skip


def _least_gain(
    scores: Sequence[EdgeScore], beside: Mapping[tuple[Treatment, int, str], tuple[float, ...]], other: Treatment
) -> str:
    """Over the other treatment, of the frame that gains least; nothing where that was not measured."""
    found = [beside.get((other, each.clip, each.way)) for each in scores]
    gains = [np.subtract(each.psnr_db, of) for each, of in zip(scores, found, strict=True) if of is not None]
    return f"{min(float(each.min()) for each in gains):+.2f}" if gains else ""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--clips", type=int, default=6, help="number of clips (default 6)")
    parser.add_argument("--first", type=int, default=0, help="number of the first clip of the seed (default 0)")
    parser.add_argument("--frames", type=int, default=3, help="frames of each (default 3)")
    parser.add_argument("--seed", type=int, default=SEED, help=f"of the clips (default {SEED})")
    parser.add_argument("--samples", type=int, default=256, help="rays of each pixel through the lens (default 256)")
    parser.add_argument("--weights", type=Path, help="network to measure in place of the packaged one")
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=WAYS, help="kinds of map (default all)")
    parser.add_argument(
        "--over-time", action="store_true", help="treat whole clips as refocus does, with the frames around and a plate"
    )
    options = parser.parse_args()
    first, treatments = options.first, OVER_TIME if options.over_time else ALONE
    clips = traced(options.clips, options.frames, seed=options.seed, lens_samples=options.samples, first=first)
    print(report(measure(clips, estimators(options.weights, treatments), options.ways, first=first)))


def estimators(weights: Path | None, treatments: Sequence[Treatment] = ALONE) -> dict[Treatment, EdgeEstimator | None]:
    """What treats edges in each way; with the network of a file in place of the packaged one."""
    learned: dict[EdgeTreatment, EdgeEstimator] = {}
    if weights is not None:
        from any2bokeh.disparity.edges.learned import EdgeModel, LearnedEdges

        model = EdgeModel.read(weights)
        learned = {"learned": LearnedEdges(model, always=True), "auto": LearnedEdges(model)}
    return {each: learned.get(each.edges) or edge_estimator(each.edges) for each in treatments}


if __name__ == "__main__":
    main()
