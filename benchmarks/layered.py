"""The layered engine alone, beside a plain gather, a plain scatter and FFmpeg's ``varblur``."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from any2bokeh.evaluation.baselines import GatherRenderer, ScatterRenderer
from any2bokeh.renderers.base import RenderInput
from any2bokeh.renderers.layered import LayeredRenderer
from benchmarks.scenes import Scene
from benchmarks.table import table
from benchmarks.timing import Cost, Job, round_robin
from benchmarks.varblur import VarBlur

ABSENT = "absent"

LIMIT_MS, AIM_MS = 80, 40
"""A frame of 1024x576 with K = 16 on two cores."""


@dataclass(frozen=True, slots=True)
class SceneCosts:
    """What a frame of one scene costs.

    Attributes:
        scene: its name.
        mean_radius_px: mean circle of confusion.
        costs: of each method; ``absent`` for a filter that this FFmpeg lacks.
    """

    scene: str
    mean_radius_px: float
    costs: Mapping[str, Cost | str]


def measure(scene: Scene, *, rounds: int, threads: int) -> SceneCosts:
    """Cost of a frame by every method, on the same frames in turn."""
    renderers = {
        "layered": LayeredRenderer(threads=threads),
        "gather": GatherRenderer(threads=threads),
        "scatter": ScatterRenderer(threads=threads),
    }
    jobs: dict[str, Sequence[Job]] = {
        name: [_job(renderer, frame) for frame in scene.inputs] for name, renderer in renderers.items()
    }
    if VarBlur.is_present():
        jobs["varblur"] = [VarBlur(frame) for frame in scene.inputs]
    costs: dict[str, Cost | str] = {**round_robin(jobs, rounds=rounds)}
    costs.setdefault("varblur", ABSENT)
    return SceneCosts(scene.name, scene.mean_radius_px(), costs)


def _job(renderer: LayeredRenderer | GatherRenderer | ScatterRenderer, frame: RenderInput) -> Job:
    return lambda: renderer.render_frame(frame)


def report(results: Sequence[SceneCosts]) -> str:
    """A table of all scenes."""
    rows = []
    for result in results:
        layered = result.costs["layered"]
        for name, cost in result.costs.items():
            row = [f"{result.scene} ({result.mean_radius_px:.1f} px)", name]
            if isinstance(cost, str):
                rows.append([*row, cost, "", "", "", "", ""])
                continue
            ratio = cost.cpu_ms / layered.cpu_ms if isinstance(layered, Cost) else float("nan")
            rows.append(
                [*row, f"{cost.median_ms:.1f}", f"{cost.iqr_ms:.1f}", f"{cost.min_ms:.1f}", f"{cost.cpu_ms:.1f}",
                 f"{cost.frames_per_s:.1f}", f"{ratio:.2f}"]
            )  # fmt: skip
    heads = ["scene (mean radius)", "renderer", "ms/frame", "IQR", "min", "CPU ms", "frames/s", "CPU vs layered"]
    layered = [cost for result in results if isinstance(cost := result.costs["layered"], Cost)]
    slowest, quietest = max(cost.median_ms for cost in layered), max(cost.min_ms for cost in layered)
    processor = max(cost.cpu_ms for cost in layered)
    return (
        f"{table(heads, rows)}\nslowest scene, layered: {slowest:.1f} ms median, {quietest:.1f} ms least, "
        f"{processor:.1f} ms of processor; at 1024x576 at most {LIMIT_MS} ms, aim {AIM_MS} ms"
    )
