"""Which pictures there are, and how they are asked for."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from any2bokeh.errors import require_choice

Aov = Literal[
    "coc",  # radius of the circle of confusion, px
    "defocus",  # the same, above 0 in front of the focal plane, below 0 behind it
    "focus-matte",  # 1 where it is sharp, 0 where it is blurred
    "focus-overlay",  # the result, tinted by side of the focal plane
    "disparity",  # as given or estimated, at the size of the picture
    "alpha",  # of what is in front of the focal plane and in it, after the blur
    "layers",  # near, focus and far: the result in three parts that add up to it
]
AovFormat = Literal[
    "exr",  # a folder for each picture
    "exr-channels",  # one file a frame, with the result and all pictures as channels
    "png",  # a folder for each picture, 16 bits
]


@dataclass(frozen=True, slots=True)
class AovRequest:
    """What is to be written beside a result.

    Attributes:
        kinds: the pictures, each once; none writes the metadata alone.
        folder: where to.
        format: of the files.

    Raises:
        InputError: unknown kinds or formats.
    """

    kinds: tuple[Aov, ...]
    folder: Path
    format: AovFormat = "exr"

    def __post_init__(self) -> None:
        for kind in self.kinds:
            require_choice("AOV", kind, get_args(Aov))
        require_choice("AOV format", self.format, get_args(AovFormat))

    @classmethod
    def of(cls, kinds: Sequence[str], folder: str | Path, format: AovFormat = "exr") -> "AovRequest":
        """A request for kinds in the order of ``Aov``, named twice or not.

        Raises:
            InputError: unknown kinds or formats.
        """
        unknown = [kind for kind in kinds if kind not in get_args(Aov)]
        known = [kind for kind in get_args(Aov) if kind in kinds]
        return cls((*known, *unknown), Path(folder), format)  # type: ignore[arg-type]
