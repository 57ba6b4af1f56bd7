"""Where frames go."""

from abc import ABC, abstractmethod
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from any2bokeh.video.frame import Frame


class VideoSink(ABC):
    """Takes the frames of one clip in order.

    A context manager: the result appears under its name on a clean exit; on any exception nothing is left of it.
    """

    path: Path

    @abstractmethod
    def write(self, frame: Frame, pixels: NDArray[np.float32]) -> None:
        """Encode ``pixels``, ``(3, H, W)`` float32 in the source's transfer, with the time stamp of ``frame``.

        The very array ``frame.pixels`` means "untouched": the frame's native samples are encoded.

        Raises:
            InputError: if the disk is full or went away.
        """

    def __enter__(self) -> Self:
        return self

    @abstractmethod
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Publish the result, or remove what there is of it."""
