"""What a look costs, beside the plain disc."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from any2bokeh.optics.aperture import ImageAperture, Polygon
from any2bokeh.optics.profile import BokehProfile
from any2bokeh.optics.vignetting import Vignetting
from any2bokeh.renderers.layered.reduced import layered_renderer
from benchmarks.scenes import Scene
from benchmarks.table import table
from benchmarks.timing import Cost, Job, round_robin

DISC = "disc"


@dataclass(frozen=True, slots=True)
class Look:
    """A look, and how much more than the disc it may cost; for a draft, how much less it must.

    Attributes:
        arguments: of ``layered_renderer``.
        most: its processor time over the disc's, at most.
    """

    arguments: Mapping[str, Any]
    most: float


def looks() -> dict[str, Look]:
    """All that are measured."""
    places = np.linspace(-1, 1, 128)
    x, y = places[None, :], places[:, None]
    star = np.hypot(x, y) < 0.6 + 0.35 * np.cos(5 * np.arctan2(y, x))
    fading = np.clip(1.2 - np.hypot(x, y), 0, 1)
    return {
        DISC: Look({}, 1.0),
        "six blades": Look({"aperture": Polygon(6)}, 1.3),
        "squeezed": Look({"aperture": Polygon(9, 1, squeeze=0.5)}, 1.3),
        "cat's eye": Look({"vignetting": Vignetting(cat_eye=0.7)}, 2.0),
        "swirl": Look({"vignetting": Vignetting(cat_eye=0.5, swirl=0.5)}, 2.0),
        "picture of a star": Look({"aperture": ImageAperture(star.astype(np.float32))}, 4.0),
        "picture that fades": Look({"aperture": ImageAperture(fading.astype(np.float32))}, 4.0),
        "spherical": Look({"profile": BokehProfile(spherical=0.7)}, 2.0),
        "softness": Look({"profile": BokehProfile(softness=0.4)}, 2.0),
        "axial chromatic": Look({"axial_chromatic": 0.03}, 2.0),
        "preview": Look({"quality": "preview"}, 1.0),
        "draft": Look({"quality": "draft"}, 0.25),
    }


def measure(scene: Scene, *, rounds: int, threads: int) -> dict[str, Cost]:
    """Cost of a frame under every look, on the same frames in turn."""
    jobs: dict[str, list[Job]] = {}
    for name, look in looks().items():
        renderer = layered_renderer(**look.arguments, threads=threads)
        jobs[name] = [lambda renderer=renderer, frame=frame: renderer.render_frame(frame) for frame in scene.inputs]
    return round_robin(jobs, rounds=rounds)


def report(costs: Mapping[str, Cost]) -> str:
    """A table."""
    rows = []
    for name, look in looks().items():
        cost, ratio = costs[name], costs[name].cpu_ms / costs[DISC].cpu_ms
        verdict = "" if name == DISC else f"{look.most:g}" + ("" if ratio <= look.most else " MISSED")
        rows.append(
            [name, f"{cost.median_ms:.1f}", f"{cost.iqr_ms:.1f}", f"{cost.cpu_ms:.1f}", f"{ratio:.2f}", verdict]
        )
    return table(["look", "ms/frame", "IQR", "CPU ms", "CPU vs disc", "at most"], rows)
