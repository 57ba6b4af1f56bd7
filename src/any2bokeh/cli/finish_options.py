"""Options for focus breathing, before the blur, and for grain, after it."""

from dataclasses import dataclass
from typing import Annotated

from any2bokeh.cli.option_groups import Group
from any2bokeh.cli.options import option

_FINISH = Group.FINISH


@dataclass(frozen=True, slots=True)
class FinishOptions:
    """Breathing and grain, as typed."""

    breathing: Annotated[
        float,
        option(
            "--breathing",
            help="Focus breathing: how much the picture grows as the focus moves from infinity to the nearest point, "
            "such as 0.05 (-0.5 to 0.5).",
            panel=_FINISH,
            metavar="B",
        ),
    ] = 0.0
    grain: Annotated[
        float,
        option(
            "--grain",
            help="Restores film grain or sensor noise in blurred areas; 1 restores as much as the source has (0 to 4).",
            panel=_FINISH,
            metavar="G",
        ),
    ] = 0.0
