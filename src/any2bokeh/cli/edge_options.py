"""The option that says how edges of disparity are treated."""

from dataclasses import dataclass
from typing import Annotated

from any2bokeh.cli.options import option
from any2bokeh.disparity.edges.choice import EdgeTreatment


@dataclass(frozen=True, slots=True)
class EdgeOptions:
    """How edges of disparity are treated."""

    edges: Annotated[
        EdgeTreatment,
        option(
            "--edges",
            help="How edges of disparity are treated: auto draws them sharp where the picture has them if those of a "
            "map are soft or displaced, and leaves other maps as they are; classical always does; off never.",
        ),
    ] = "auto"
