"""How a clip is read."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reading:
    """What is read of a clip, and what is done where it is not as it should be.

    Attributes:
        strict: refuse gaps in the numbers of images; otherwise they are told.
        layer: which layer of EXR files is the picture; None = the finished picture, as renderers call it.
    """

    strict: bool = False
    layer: str | None = None
