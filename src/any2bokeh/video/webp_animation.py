"""Frames of an animated WebP.

FFmpeg of the versions that are supported reads no animation, OpenImageIO composes transparent ones wrongly (3.2 was
seen to), and OpenCV has all frames in memory at once: so stills are decoded one by one, and composed here.
"""

import struct
import threading
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import accumulate
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from any2bokeh.errors import InputError
from any2bokeh.video.frame import Frame
from any2bokeh.video.icc import read_profile
from any2bokeh.video.image import Image
from any2bokeh.video.sequence_source import describe
from any2bokeh.video.source import VideoSource, check_range

_MS = Fraction(1, 1000)
# What browsers show a frame for that says 10 ms or less: such files mean "as fast as you can".
_SHORTEST_MS, _INSTEAD_MS = 10, 100
_HAS_ALPHA = 0x10


class WebpAnimation(VideoSource):
    """Frames of a WebP with the durations that the file gives; see ``VideoSource``."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        self._closed = threading.Event()
        self._file = _parsed(path)
        self._durations_s = [part.duration_ms * _MS for part in self._file.parts]
        self._times_s = [Fraction(0), *accumulate(self._durations_s)]
        first = next(self._images())
        count, duration_s = len(self._durations_s), self._times_s[-1]
        info = describe(path, path, first, count=count, fps=count / duration_s)
        self.info = replace(info, time_base=_MS, duration_s=duration_s)

    def frames(self, start: int = 0, stop: int | None = None) -> Iterator[Frame]:
        """See ``VideoSource.frames``."""
        stop = self.info.frame_count if stop is None else stop
        check_range(self._path, start, stop, self.info.frame_count)
        for index, image in enumerate(self._images()):
            if index == stop or self._closed.is_set():
                return
            if index >= start:
                times = self._times_s[index], self._durations_s[index]
                yield Frame(image.pixels(), index, times[0], image, times[1], alpha=image.coverage())

    def index_at(self, time_s: float | Fraction) -> int:
        """See ``VideoSource.index_at``."""
        # Times given in decimals mean the frame that they round to, not the one after.
        return min(bisect_left(self._times_s, Fraction(time_s) - Fraction(1, 10_000)), self.info.frame_count)

    def close(self) -> None:
        """See ``VideoSource.close``."""
        self._closed.set()

    def _images(self) -> Iterator[Image]:
        """Every frame of the animation as it is shown, from the first: each is painted over the one before."""
        file = self._file
        canvas = np.zeros((file.height, file.width, 4), np.uint8)
        for part in file.parts:
            painted = part.decoded(self._path)
            rows = slice(part.y, part.y + painted.shape[0])
            columns = slice(part.x, part.x + painted.shape[1])
            if canvas[rows, columns].shape != painted.shape:
                raise InputError(f"{self._path} is damaged (a frame lies outside the picture); export it again")
            canvas[rows, columns] = _over(painted, canvas[rows, columns]) if part.blends else painted
            yield Image(
                canvas[:, :, :3].copy(), 8, alpha=canvas[:, :, 3].copy() if file.has_alpha else None,
                profile=None if file.profile is None else read_profile(file.profile),
            )  # fmt: skip
            if part.is_disposed:
                canvas[rows, columns] = 0


@dataclass(frozen=True, slots=True)
class _Part:
    """One coded frame: where it is painted, for how long it is shown, and how it meets the frame before."""

    x: int
    y: int
    duration_ms: int
    blends: bool
    is_disposed: bool
    coded: bytes

    def decoded(self, path: Path) -> NDArray[np.uint8]:
        """``(h, w, 4)`` RGBA, not multiplied by alpha."""
        found = cv2.imdecode(np.frombuffer(self.coded, np.uint8), cv2.IMREAD_UNCHANGED)
        if found is None or found.ndim != 3:
            raise InputError(f"{path} is damaged (a frame cannot be decoded); export it again")
        kind = cv2.COLOR_BGRA2RGBA if found.shape[2] == 4 else cv2.COLOR_BGR2RGBA
        return np.asarray(cv2.cvtColor(found, kind), np.uint8)


@dataclass(frozen=True, slots=True)
class _File:
    width: int
    height: int
    has_alpha: bool
    profile: bytes | None
    parts: list[_Part]


def _parsed(path: Path) -> _File:
    """The frames of a file. Source: RFC 9649, 2.7."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}); check the file") from None
    found = list(_chunks(data, 12))
    head = next((content for kind, content in found if kind == b"VP8X" and len(content) >= 10), None)
    parts = [_part(content) for kind, content in found if kind == b"ANMF" and len(content) > 16]
    if head is None or not parts or len(data) < 8 + int.from_bytes(data[4:8], "little"):
        raise InputError(f"{path} is damaged (cut short, {len(parts)} frames are there); export it again")
    profile = next((content for kind, content in found if kind == b"ICCP"), None)
    return _File(_u24(head, 4) + 1, _u24(head, 7) + 1, bool(head[0] & _HAS_ALPHA), profile, parts)


def _part(content: bytes) -> _Part:
    duration, flags = _u24(content, 12), content[15]
    coded = b"".join(_chunk(kind, body) for kind, body in _chunks(content, 16) if kind in (b"ALPH", b"VP8 ", b"VP8L"))
    if coded.startswith(b"ALPH"):
        # A still of its own, that says it has alpha.
        coded = _chunk(b"VP8X", bytes([_HAS_ALPHA, 0, 0, 0]) + content[6:12]) + coded
    return _Part(
        2 * _u24(content, 0),
        2 * _u24(content, 3),
        duration if duration > _SHORTEST_MS else _INSTEAD_MS,
        blends=not flags & 2,
        is_disposed=bool(flags & 1),
        coded=b"RIFF" + struct.pack("<I", len(coded) + 4) + b"WEBP" + coded,
    )


def _over(upper: NDArray[np.uint8], lower: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """One RGBA picture on another, neither multiplied by alpha. Source: RFC 9649, 2.7.1.1, "Alpha-blending"."""
    top = upper[:, :, 3:].astype(np.float32) / 255
    rest = lower[:, :, 3:].astype(np.float32) / 255 * (1 - top)
    alpha = top + rest
    colours = upper[:, :, :3] * top + lower[:, :, :3] * rest
    colours = np.divide(colours, alpha, out=np.zeros_like(colours), where=alpha > 0)
    return np.rint(np.concatenate([colours, alpha * 255], axis=2)).astype(np.uint8)


def _chunks(data: bytes, at: int) -> Iterator[tuple[bytes, bytes]]:
    while at + 8 <= len(data):
        kind, size = struct.unpack_from("<4sI", data, at)
        yield kind, data[at + 8 : at + 8 + size]
        at += 8 + size + (size & 1)


def _chunk(kind: bytes, content: bytes) -> bytes:
    return kind + struct.pack("<I", len(content)) + content + bytes(len(content) & 1)


def _u24(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 3], "little")
