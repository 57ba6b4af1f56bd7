"""How the layered engine's cost grows with the frame and with the blur."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from any2bokeh.optics.coc import REFERENCE_LONG_SIDE_PX
from any2bokeh.renderers.base import RenderInput
from any2bokeh.renderers.layered import LayeredRenderer
from benchmarks.scenes import Scene, demo_scene, with_blur
from benchmarks.table import table
from benchmarks.timing import Cost, Job, round_robin

LINEAR_UP_TO = 1.1
"""How far an exponent may lie above that of linear growth: noise, and frames that outgrow the caches."""


@dataclass(frozen=True, slots=True)
class Growth:
    """Cost against one quantity, others fixed.

    Attributes:
        against: the quantity, and what is fixed.
        values: of the quantity.
        costs: of a frame at each value.
        exponent: of the power law fitted to the processor times.
        local_exponents: from each value to the next.
        linear_exponent: what the exponent is where cost is linear in pixels and in radius.
    """

    against: str
    values: Sequence[float]
    costs: Sequence[Cost]
    exponent: float
    local_exponents: Sequence[float]
    linear_exponent: float

    @classmethod
    def of(
        cls, against: str, values: Sequence[float], costs: Sequence[Cost], *, linear_exponent: float = 1.0
    ) -> "Growth":
        """Growth through measured costs."""
        places, heights = np.log(values), np.log([cost.cpu_ms for cost in costs])
        exponent = float(np.polyfit(places, heights, 1)[0])
        local = (np.diff(heights) / np.diff(places)).tolist()
        return cls(against, list(values), list(costs), exponent, local, linear_exponent)

    @property
    def is_linear(self) -> bool:
        """Whether cost grows no faster than that, over the whole range and at its upper end."""
        return max(self.exponent, self.local_exponents[-1]) <= LINEAR_UP_TO * self.linear_exponent


@dataclass(frozen=True, slots=True)
class Scaling:
    """Growth with the pixels, at a fixed radius in pixels and at a fixed K, and growth with K."""

    pixels_at_radius: Growth
    pixels_at_blur_strength: Growth
    blur_strength: Growth


def measure(
    sizes: Sequence[tuple[int, int]],
    blur_strengths: Sequence[float],
    *,
    size: tuple[int, int],
    blur_strength: float,
    frames: int,
    rounds: int,
    threads: int,
) -> Scaling:
    """Costs on the demo clip, all cases in turn.

    Args:
        sizes: (width, height), smallest first.
        blur_strengths: K, smallest first, for frames of ``size``.
        size: (width, height); the radius in pixels of ``blur_strength`` in it is the one that is held fixed.
        blur_strength: K for growth with the pixels.
        frames: how many of the clip, evenly over its length.
        rounds: how often each frame is rendered.
        threads: of the renderer.
    """
    scenes = {each: demo_scene(each, frames=frames, blur_strength=blur_strength) for each in {*sizes, size}}
    radius_px = blur_strength * max(size) / REFERENCE_LONG_SIDE_PX
    jobs: dict[str, Sequence[Job]] = {}
    for each in sizes:
        at_radius = radius_px * REFERENCE_LONG_SIDE_PX / max(each)
        jobs[f"radius {each}"] = _jobs(scenes[each], at_radius, threads)
        jobs[f"K {each}"] = jobs[f"radius {each}"] if each == size else _jobs(scenes[each], blur_strength, threads)
    for strength in blur_strengths:
        jobs[f"K = {strength:g}"] = _jobs(scenes[size], strength, threads)
    costs = round_robin(jobs, rounds=rounds)
    pixels = [width * height for width, height in sizes]
    return Scaling(
        Growth.of(f"pixels, {radius_px:g} px a unit", pixels, [costs[f"radius {each}"] for each in sizes]),
        # Twice the sides are four times the pixels and twice the radius.
        Growth.of(
            f"pixels, K = {blur_strength:g}", pixels, [costs[f"K {each}"] for each in sizes], linear_exponent=1.5
        ),
        Growth.of(
            f"K at {size[0]}x{size[1]}", blur_strengths, [costs[f"K = {strength:g}"] for strength in blur_strengths]
        ),
    )


def _jobs(scene: Scene, blur_strength: float, threads: int) -> list[Job]:
    renderer = LayeredRenderer(threads=threads)
    return [_job(renderer, frame) for frame in with_blur(scene, blur_strength)]


def _job(renderer: LayeredRenderer, frame: RenderInput) -> Job:
    return lambda: renderer.render_frame(frame)


def report(result: Scaling) -> str:
    """A table of all cases, and what it means."""
    growths: Mapping[str, Growth] = {
        "linear in pixels": result.pixels_at_radius,
        "linear in pixels times radius": result.pixels_at_blur_strength,
        "no worse than linear in K": result.blur_strength,
    }
    rows = []
    for growth in growths.values():
        for value, cost, local in zip(growth.values, growth.costs, [None, *growth.local_exponents], strict=True):
            exponent = "" if local is None else f"{local:.2f}"
            rows.append(
                [growth.against, f"{value:.0f}", f"{cost.median_ms:.1f}",
                 f"{cost.iqr_ms:.1f}", f"{cost.min_ms:.1f}", f"{cost.cpu_ms:.1f}", exponent]
            )  # fmt: skip
    lines = [table(["against", "value", "ms/frame", "IQR", "min", "CPU ms", "exponent"], rows)]
    for claim, growth in growths.items():
        lines.append(
            f"{claim}: {'yes' if growth.is_linear else 'NO'} (exponent fitted {growth.exponent:.2f}, "
            f"at the upper end {growth.local_exponents[-1]:.2f}; linear is {growth.linear_exponent:g})"
        )
    return "\n".join(lines)
