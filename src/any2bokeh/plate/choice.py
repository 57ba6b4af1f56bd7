"""Whether other frames are asked for hidden background, by name."""

from typing import Literal, get_args

from any2bokeh.errors import InputError

PlateChoice = Literal[
    "auto",  # wherever a frame of a clip is blurred
    "off",  # every frame by itself
]


def uses_plate(choice: PlateChoice) -> bool:
    """Whether other frames are asked.

    Raises:
        InputError: an unknown name.
    """
    if choice not in get_args(PlateChoice):
        raise InputError(f"plate is {choice!r}; allowed is {', '.join(get_args(PlateChoice))}")
    return choice == "auto"
