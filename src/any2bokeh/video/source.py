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


def open_source(
    path: str | Path, *, fps: float | Fraction | str | None = None, reading: Reading | None = None
) -> VideoSource:
    """Open a video file, a folder of images, a pattern of images, or one image.

    Args:
        path: what to read. Images are taken in natural order (``frame9`` before ``frame10``). A pattern is a glob
            (``shot.*.exr``) or has a place for the number (``shot.####.exr``, ``shot.%04d.exr``).
        fps: rate of an image sequence, what EXR files say or 24 unless given, or of a video stream without a clock
            (.h264, .h265, .m2v), what it says or 25 unless given; not allowed for a video with time stamps of its own.
        reading: what is read, what is done with damage and gaps, and with interlaced video; None = the defaults of
            ``Reading``.

    Raises:
        InputError: missing, empty, not a video, no frames, unreadable.
    """
    from any2bokeh.video.sequence import animation_in, find_sequence

    images = find_sequence(path)
    animation = None if images is None else animation_in(images)
    if images is not None and animation is None:
        from any2bokeh.video.sequence_source import SequenceSource

        return SequenceSource(Path(path), images, fps=_rate(fps), reading=reading)
    if reading is not None and reading.layer is not None:
        raise InputError(f"{path} has no layers; --layer ({reading.layer}) is for EXR: leave it out")
    if animation == "webp":
        from any2bokeh.video.webp_animation import WebpAnimation

        assert images is not None
        if fps is not None:
            raise InputError(f"{path} has durations of its own; fps ({fps}) is for images without: leave it out")
        return WebpAnimation(images[0])
    from any2bokeh.video.container_source import ContainerSource

    return ContainerSource(Path(path) if images is None else images[0], fps=_rate(fps), reading=reading)


def check_range(path: Path, start: int, stop: int, count: int) -> None:
    """Raise InputError unless the frames ``start <= index < stop`` lie inside a clip of ``count`` frames."""
    if not 0 <= start <= stop <= count:
        raise InputError(
            f"frames {start} to {stop} are not in {path}, which has {count}; give 0 <= start <= end <= {count}"
        )


def _rate(fps: float | Fraction | str | None) -> Fraction | None:
    if fps is None:
        return None
    try:
        rate = Fraction(fps)
    except (ValueError, ZeroDivisionError, OverflowError):
        raise InputError(f"fps is {fps!r}; give a number above 0 such as 24, 29.97 or 30000/1001") from None
    if not 0 < rate <= 1000:
        raise InputError(f"fps is {fps}; give a number above 0 and at most 1000")
    # 29.97 and 23.976 are how people write the NTSC rates, which are exactly n*1000/1001.
    for whole in (24, 30, 48, 60, 120):
        exact = Fraction(whole * 1000, 1001)
        if rate != exact and abs(rate - exact) < Fraction(6, 1000):
            return exact
    return rate.limit_denominator(1001)
