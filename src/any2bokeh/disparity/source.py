"""A clip's disparity, streamed."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal, Protocol, get_args

import numpy as np
from numpy.typing import NDArray

from any2bokeh.disparity.grey_folder import GreyFolder
from any2bokeh.errors import InputError

Polarity = Literal[
    "near-white",  # large values are near: disparity, inverse depth
    "near-black",  # large values are far: turned over, d = 1 - value
]


class DisparitySource(Protocol):
    """Disparity of every frame of a clip, ``(1, h, w)`` float32 in [0, 1], 1 = nearest, one scale for the clip."""

    @property
    def frame_count(self) -> int: ...

    def frames(self, start: int = 0, stop: int | None = None) -> Iterator[NDArray[np.float32]]:
        """Maps of frames ``start`` to ``stop`` (exclusive; the end where None), in order."""
        ...

    def at(self, index: int) -> NDArray[np.float32]:
        """The map of one frame."""
        ...


class FileDisparity:
    """Disparity read from files; see `open_disparity`."""

    def __init__(self, reader: GreyFolder, *, polarity: Polarity) -> None:
        self._reader = reader
        self._polarity = polarity
        self.frame_count = reader.frame_count

    def frames(self, start: int = 0, stop: int | None = None) -> Iterator[NDArray[np.float32]]:
        for values in self._reader.frames(start, self.frame_count if stop is None else stop):
            yield self._disparity(values)

    def at(self, index: int) -> NDArray[np.float32]:
        return self._disparity(self._reader.at(index))

    def _disparity(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        near_white = values if self._polarity == "near-white" else 1 - values
        return near_white[None]


def open_disparity(
    path: str | Path,
    *,
    clip_frame_count: int,
    polarity: Polarity = "near-white",
    stop: int | None = None,
    frame_size: tuple[int, int] | None = None,
) -> DisparitySource:
    """Open the disparity of a clip."""
    if polarity not in get_args(Polarity):
        raise InputError(f"disparity polarity is {polarity!r}; give one of {', '.join(get_args(Polarity))}")
    path = Path(path)
    if not path.exists():
        raise InputError(f"disparity {path} does not exist")
    reader = GreyFolder(path, noun="disparity")
    return FileDisparity(reader, polarity=polarity)
