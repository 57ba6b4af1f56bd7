"""Where frames go."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from any2bokeh.errors import InputError
from any2bokeh.video.encoding import Encoding
from any2bokeh.video.frame import Frame
from any2bokeh.video.frame_numbers import NamePattern, result_stems
from any2bokeh.video.part import Part
from any2bokeh.video.source import VideoSource

CONTAINER_EXTENSIONS = (".mp4", ".mov", ".mkv", ".webm")


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


def open_sink(
    path: str | Path,
    source: VideoSource,
    *,
    encoding: Encoding | None = None,
    start: int = 0,
    stop: int | None = None,
    overwrite: bool = False,
    notice: Callable[[str], None] | None = None,
) -> VideoSink:
    """Make ready to write the frames ``start <= index < stop`` of ``source``.

    Args:
        path: a file whose extension says the container (.mp4 .mov .mkv .webm), a folder for numbered images, or a
            pattern of their names (``shot.####.exr``, ``shot.%04d.png``).
        encoding: see ``Encoding``; None = its defaults.
        start, stop: the range that will be written; the sound is trimmed to it.
        overwrite: replace an existing result, once the new one is complete.
        notice: called with one-line remarks: when the sink is opened, on what is converted or left out; at its end, on
            what turned out damaged.

    Raises:
        InputError: before any frame is written, if the result exists, cannot be written, or if the codec cannot
            hold what the source needs.
    """
    target = Path(path)
    encoding = encoding or Encoding()
    extension = target.suffix.lower()
    if extension in CONTAINER_EXTENSIONS:
        from any2bokeh.video.container_sink import ContainerSink

        part = Part.of(source, start, stop)
        return ContainerSink(target, source.info, encoding, part=part, overwrite=overwrite, notice=notice)
    pattern = None if target.is_dir() else NamePattern.of(target)
    if extension and pattern is None and not target.is_dir():
        allowed = ", ".join(CONTAINER_EXTENSIONS)
        raise InputError(
            f"cannot write {path}: {extension} is not one of {allowed}; or give a folder for numbered images, or a "
            f"pattern such as {target.with_name('####.png')}"
        )
    from any2bokeh.video.sequence_sink import SequenceSink

    stems = frame_stems(path, source, start=start, stop=stop)
    return SequenceSink(target, source.info, encoding, stems=stems, pattern=pattern, overwrite=overwrite, notice=notice)


def frame_stems(path: str | Path, source: VideoSource, *, start: int = 0, stop: int | None = None) -> list[str]:
    """Names without extension of the numbered images of a result, and of what is written beside it.

    Args:
        path: the result; the names are those of its pattern, where it is one.
        source: whose numbers they keep, where it has some.
        start, stop: the range that is written.
    """
    stop = source.info.frame_count if stop is None else stop
    target = Path(path)
    is_pattern = target.suffix.lower() not in CONTAINER_EXTENSIONS and not target.is_dir()
    return result_stems(source.numbers, start, stop, pattern=NamePattern.of(target) if is_pattern else None)


def pattern_files(path: str | Path, stems: Sequence[str]) -> list[Path]:
    """The files of a result that is a pattern, by their names without extension; none where it is something else."""
    target = Path(path)
    if target.suffix.lower() in CONTAINER_EXTENSIONS or target.is_dir() or NamePattern.of(target) is None:
        return []
    return [target.with_name(f"{stem}{target.suffix}") for stem in stems]
