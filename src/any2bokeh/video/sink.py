"""Where frames go."""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from fractions import Fraction
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

    @property
    @abstractmethod
    def temporary(self) -> Path:
        """Where the result lies until it has its name."""

    @abstractmethod
    def segment(self, folder: Path, *, before: int, first_s: Fraction) -> "SegmentSink":
        """Make ready to write a segment of the result by itself, instead of the result; see ``join``.

        Args:
            folder: an empty one, for the segment alone.
            before: frames of the result that come before it.
            first_s: when the first frame of the result is shown, on the source's clock.

        Raises:
            InputError: the folder cannot be written.
        """

    @abstractmethod
    def join(self, folders: Iterable[Path], *, first_s: Fraction) -> None:
        """Make the result of its segments, as they are; they stay where they are.

        Args:
            folders: of all segments, in order.
            first_s: see ``segment``.

        Raises:
            InputError: a segment is damaged, or the disk is full.
        """

    def __enter__(self) -> Self:
        return self

    @abstractmethod
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Publish the result, or remove what there is of it."""


class SegmentSink(ABC):
    """Takes the frames of one segment of a result in order."""

    @abstractmethod
    def write(self, frame: Frame, pixels: NDArray[np.float32]) -> None:
        """See ``VideoSink.write``."""

    @abstractmethod
    def finish(self) -> None:
        """Complete what is written; at least one frame was.

        Raises:
            InputError: if the disk is full or went away.
        """

    @abstractmethod
    def close(self) -> None:
        """Let go of the files; harmless when called twice, and after ``finish``."""
