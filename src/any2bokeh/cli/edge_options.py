"""The option that says how edges of disparity are treated."""

from dataclasses import dataclass
from typing import Annotated

from any2bokeh.cli.option_groups import Group
from any2bokeh.cli.options import option
from any2bokeh.disparity.edges.choice import EdgeTreatment


@dataclass(frozen=True, slots=True)
class EdgeOptions:
    """How edges of disparity are treated."""

    edges: Annotated[
        EdgeTreatment,
        option(
            "--edges",
            help="Treatment of soft or displaced edges in disparity maps: classical moves them to the edges of the "
            "picture and sharpens them, learned does so with a trained network, auto takes the better of both and only "
            "for maps that need it, off leaves all maps as they are.",
            panel=Group.DISPARITY,
        ),
    ] = "auto"
