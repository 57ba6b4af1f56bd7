"""What becomes of a clip's frames before renderers are told of them, as ``refocus`` has it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product

from any2bokeh.disparity.edges import EdgeTreatment
from any2bokeh.plate.choice import PlateChoice
from any2bokeh.render_inputs import render_inputs
from any2bokeh.renderers.base import RenderInput

EDGES, PLATE = "edges", "plate"
"""Conditions: how edges of disparity are treated, and where hidden background comes from."""


@dataclass(frozen=True, slots=True)
class Treatment:
    """How edges of disparity are treated, and where hidden background comes from; see ``Recipe``."""

    edges: EdgeTreatment = "auto"
    plate: PlateChoice = "auto"

    @property
    def conditions(self) -> dict[str, float | str]:
        """What sets a clip apart that is treated so."""
        return {EDGES: self.edges, PLATE: self.plate}

    def applied(self, frames: Iterable[RenderInput]) -> Iterator[RenderInput]:
        """The frames as renderers are given them; see ``render_inputs``."""
        return render_inputs(frames, edges=self.edges, plate=self.plate)


def named_treatments(
    edges: Sequence[EdgeTreatment], plates: Sequence[PlateChoice]
) -> list[tuple[tuple[str, ...], Treatment]]:
    """Every treatment of edges with every plate, each with what is added to the name of its clip: what differs."""
    return [
        ((*([how] if len(edges) > 1 else []), *([f"plate-{plate}"] if len(plates) > 1 else [])), Treatment(how, plate))
        for how, plate in product(edges, plates)
    ]
