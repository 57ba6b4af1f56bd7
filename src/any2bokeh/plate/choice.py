"""Whether other frames are asked for hidden background, by name."""

from typing import Literal, get_args

from any2bokeh.errors import require_choice

PlateChoice = Literal[
    "auto",  # wherever a frame of a clip is blurred
    "off",  # every frame by itself
]


def uses_plate(choice: PlateChoice) -> bool:
    """Whether other frames are asked.

    Raises:
        InputError: an unknown name.
    """
    require_choice("plate", choice, get_args(PlateChoice))
    return choice == "auto"
