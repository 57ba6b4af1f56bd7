"""Frames of an animated WebP."""

import struct
import threading
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import accumulate
from pathlib import Path

from any2bokeh.errors import InputError
from any2bokeh.video.frame import Frame
from any2bokeh.video.image import ImageReader
from any2bokeh.video.sequence_source import describe
from any2bokeh.video.source import VideoSource, check_range

_MS = Fraction(1, 1000)
# What browsers show a frame for that says 10 ms or less: such files mean "as fast as you can".
_SHORTEST_MS, _INSTEAD_MS = 10, 100


class WebpAnimation(VideoSource):
    """Frames of a WebP with the durations that the file gives; see ``VideoSource``. FFmpeg reads none of them."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        self._closed = threading.Event()
        durations = _durations_ms(path)
        if not durations:
            raise InputError(f"{path} is damaged (no frames); export it again")
        self._durations_s = [ms * _MS for ms in durations]
        self._times_s = [Fraction(0), *accumulate(self._durations_s)]
        with ImageReader(path) as reader:
            first = reader.image(0)
        count, duration_s = len(durations), self._times_s[-1]
        info = describe(path, path, first, count=count, fps=count / duration_s)
        self.info = replace(info, time_base=_MS, duration_s=duration_s)
        self._remarks = list(first.remarks)

    def frames(self, start: int = 0, stop: int | None = None) -> Iterator[Frame]:
        """See ``VideoSource.frames``."""
        stop = self.info.frame_count if stop is None else stop
        check_range(self._path, start, stop, self.info.frame_count)
        with ImageReader(self._path) as reader:
            for index in range(start, stop):
                if self._closed.is_set():
                    return
                image = reader.image(index)
                times = self._times_s[index], self._durations_s[index]
                yield Frame(image.pixels(), index, times[0], image, times[1], alpha=image.coverage())

    def index_at(self, time_s: float | Fraction) -> int:
        """See ``VideoSource.index_at``."""
        # Times given in decimals mean the frame that they round to, not the one after.
        return min(bisect_left(self._times_s, Fraction(time_s) - Fraction(1, 10_000)), self.info.frame_count)

    def close(self) -> None:
        """See ``VideoSource.close``."""
        self._closed.set()

    def _opening_remarks(self) -> list[str]:
        return list(self._remarks)


def _durations_ms(path: Path) -> list[int]:
    """How long each frame is shown. Source: RFC 9649, 2.7.1.1."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}); check the file") from None
    durations = []
    at = 12
    while at + 8 <= len(data):
        kind, size = struct.unpack_from("<4sI", data, at)
        if kind == b"ANMF" and at + 8 + size <= len(data):
            duration = int.from_bytes(data[at + 20 : at + 23], "little")
            durations.append(duration if duration > _SHORTEST_MS else _INSTEAD_MS)
        at += 8 + size + (size & 1)
    return durations
