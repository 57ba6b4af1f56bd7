"""How a clip is read."""

from dataclasses import dataclass
from typing import Literal, get_args

from any2bokeh.errors import require_choice

Deinterlace = Literal["auto", "off"]


@dataclass(frozen=True, slots=True)
class Reading:
    """What is read of a clip, and what is done where it is not as it should be.

    Attributes:
        strict: refuse damaged, missing and miscounted frames, and gaps in the numbers of images; otherwise they are
            concealed, as players do, and told.
        deinterlace: ``auto`` makes whole frames of those that say they are interlaced; ``off`` leaves their fields
            woven, as they were recorded.
        layer: which layer of EXR files is the picture; None = the finished picture, as renderers call it.
    """

    strict: bool = False
    deinterlace: Deinterlace = "auto"
    layer: str | None = None

    def __post_init__(self) -> None:
        require_choice("deinterlace", self.deinterlace, get_args(Deinterlace))
