"""Options for what comes before and after the blur."""

from dataclasses import dataclass
from typing import Annotated

from any2bokeh.cli.options import option

_FINISH = "Finish"


@dataclass(frozen=True, slots=True)
class FinishOptions:
    """Breathing and grain, as typed."""

    breathing: Annotated[
        float,
        option(
            "--breathing",
            help="How much larger the picture is with the focus nearest than at infinity, such as 0.05.",
            panel=_FINISH,
            metavar="B",
        ),
    ] = 0.0
    grain: Annotated[
        float,
        option(
            "--grain", help="Puts grain back where blur took it; 1 as much as there was.", panel=_FINISH, metavar="G"
        ),
    ] = 0.0
