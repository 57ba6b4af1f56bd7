"""The option that says whether other frames are asked for hidden background."""

from dataclasses import dataclass
from typing import Annotated

from any2bokeh.cli.option_groups import Group
from any2bokeh.cli.options import option
from any2bokeh.plate.choice import PlateChoice


@dataclass(frozen=True, slots=True)
class PlateOptions:
    """Whether other frames are asked for hidden background."""

    plate: Annotated[
        PlateChoice,
        option(
            "--plate",
            help="Where hidden background comes from: auto takes it from the frames around that show it, and continues "
            "the rest from beside it; off continues all of it, each frame by itself.",
            panel=Group.DISPARITY,
        ),
    ] = "auto"
