"""How a clip is read."""

from dataclasses import dataclass
from typing import Literal, get_args

from any2bokeh.errors import InputError

Deinterlace = Literal["auto", "off"]


@dataclass(frozen=True, slots=True)
class Reading:
    """What is done with clips that are not as they should be.

    Attributes:
        strict: refuse damaged, missing and miscounted frames; otherwise they are concealed, as players do, and told.
        deinterlace: ``auto`` makes whole frames of those that say they are interlaced; ``off`` leaves their fields
            woven, as they were recorded.
    """

    strict: bool = False
    deinterlace: Deinterlace = "auto"

    def __post_init__(self) -> None:
        if self.deinterlace not in get_args(Deinterlace):
            raise InputError(f"deinterlace is {self.deinterlace!r}; give {' or '.join(get_args(Deinterlace))}")
