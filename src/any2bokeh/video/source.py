"""Where frames come from."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

from any2bokeh.errors import InputError
from any2bokeh.video.frame import Frame
from any2bokeh.video.frame_numbers import FrameNumbers
from any2bokeh.video.info import VideoInfo
from any2bokeh.video.reading import Reading


class VideoSource(ABC):
    """Frames of one clip.

    Every call of ``frames`` reads the clip anew with a decoder of its own, so that a source can be read from a
    worker thread, more than once, and by more than one reader.

    ``info.frame_count`` is a promise that ``frames`` keeps: a damaged frame comes concealed, one that is lost as the
    one before it, and past an end that comes early the last one comes again, marked ``Frame.is_past_end``. ``tell``
    says so afterwards. A source opened with ``Reading(strict=True)`` raises InputError instead.
    """

    info: VideoInfo
    numbers: FrameNumbers | None = None
    """Of the files of an image sequence; None of any other source, and where the files are not numbered."""
    fps_given: float | Fraction | str | None = None
    """The rate that ``open_source`` was given."""
    reading: Reading | None = None
    """The reading that ``open_source`` was given."""
    layer: str | None = None
    """That pictures are taken from, where one was asked for; see ``Reading``."""

    def __init__(self) -> None:
        self._told: set[str] = set()

    @abstractmethod
    def frames(self, start: int = 0, stop: int | None = None) -> Iterator[Frame]:
        """Yield the frames ``start <= index < stop`` in order of presentation.

        Raises:
            InputError: if the range lies outside the clip, if its size changes or, of a strict source, if the clip
                turns out damaged or cut short.
        """

    @abstractmethod
    def index_at(self, time_s: float | Fraction) -> int:
        """Index of the first frame shown ``time_s`` seconds after the first one, or later.

        It is ``frame_count`` past the end.
        """

    @abstractmethod
    def close(self) -> None:
        """End every running iteration at its next frame. May be called from any thread, and twice."""

    def tell(self, notice: Callable[[str], None], *, at_end: bool = False) -> None:
        """Tell in one-line remarks what the user should know of the clip, each of them once.

        Args:
            notice: called with each remark.
            at_end: reading is over: tell also which frames were damaged.
        """
        for remark in [*self._opening_remarks(), *(self._reading_remarks() if at_end else [])]:
            if remark not in self._told:
                self._told.add(remark)
                notice(remark)

    def _opening_remarks(self) -> list[str]:
        """What is known of the clip before it is read."""
        return []

    def _reading_remarks(self) -> list[str]:
        """What reading it has shown."""
        return []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def check_range(path: Path, start: int, stop: int, count: int) -> None:
    """Raise InputError unless the frames ``start <= index < stop`` lie inside a clip of ``count`` frames."""
    if not 0 <= start <= stop <= count:
        raise InputError(
            f"frames {start} to {stop} are not in {path}, which has {count}; give 0 <= start <= end <= {count}"
        )
