"""What becomes of a clip's frames before renderers are told of them, as ``refocus`` has it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product

from any2bokeh.disparity.edges import EdgeTreatment
from any2bokeh.plate.choice import PlateChoice
from any2bokeh.render_inputs import render_inputs
from any2bokeh.renderers.base import RenderInput
from any2bokeh.source_blur import SourceBlur, SourceLens

EDGES, PLATE, SOURCE_BLUR = TREATMENTS = ("edges", "plate", "source blur")
"""Conditions: how edges of disparity are treated, where hidden background comes from, what blur is there already."""


@dataclass(frozen=True, slots=True)
class Treatment:
    """How edges of disparity are treated, where hidden background comes from, and what blur is there already.

    See ``Recipe``; of maps of radii nothing is known here.
    """

    edges: EdgeTreatment = "auto"
    plate: PlateChoice = "auto"
    source_blur: SourceBlur = "off"

    @property
    def conditions(self) -> dict[str, float | str]:
        """What sets a clip apart that is treated so."""
        return {EDGES: self.edges, PLATE: self.plate, SOURCE_BLUR: named_source_blur(self.source_blur)}

    def applied(self, frames: Iterable[RenderInput], source_lens: SourceLens | None = None) -> Iterator[RenderInput]:
        """The frames as renderers are given them; see ``render_inputs``."""
        return render_inputs(frames, edges=self.edges, plate=self.plate, source_blur=source_lens)


def named_treatments(
    edges: Sequence[EdgeTreatment], plates: Sequence[PlateChoice], source_blurs: Sequence[SourceBlur] = ("off",)
) -> list[tuple[tuple[str, ...], Treatment]]:
    """Every combination, each with what is added to the name of its clip: what differs."""
    found = []
    for how, plate, blur in product(edges, plates, source_blurs):
        parts = {how: edges, f"plate-{plate}": plates, f"source-blur-{named_source_blur(blur)}": source_blurs}
        varied = tuple(part for part, choices in parts.items() if len(choices) > 1)
        found.append((varied, Treatment(how, plate, blur)))
    return found


def named_source_blur(choice: SourceBlur) -> str:
    """As it is typed."""
    return f"{choice.blur_strength:g},{choice.focus_disparity:g}" if isinstance(choice, SourceLens) else str(choice)
