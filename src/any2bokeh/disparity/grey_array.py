"""A NumPy file of grey maps, one for each frame."""

import math
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from any2bokeh.errors import InputError

SUFFIXES = (".npy", ".npz")

# The array of an .npz that is taken where there are several.
_PREFERRED_NAME = "disparity"
_DTYPES = ("float16", "float32", "float64", "uint8", "uint16")


class GreyArray:
    """Maps of a .npy or .npz file, read one at a time: memory is flat in clip length.

    The array is ``(T, H, W)``, ``(T, 1, H, W)`` or ``(T, H, W, 1)``, or ``(H, W)`` for one frame, of float16, float32,
    float64, uint8 or uint16. Of several arrays in an .npz the one called ``disparity`` is taken. A compressed .npz can
    only be read from front to back: a step back in it starts again from its beginning, and a step ahead reads (at most
    16 MiB at a time) what it passes.

    Attributes:
        title: what messages call it.
        frame_count: T.
        numbers: None; maps are counted from 0.
        normalised: True for integers, whose values are divided by the full scale of their type; False for floats,
            whose values come as they are.
        full_scale: what integers were divided by; 1 for floats.
        holds_depth, is_cut_out: False; the file does not say.

    Raises:
        InputError: not such a file, an array of another shape or type, or a file that ends early.
    """

    numbers = None
    holds_depth = False
    is_cut_out = False

    def __init__(self, path: Path, *, noun: str) -> None:
        self.title = f"{noun} file"
        self._path = path
        self._place = _placed(path)
        with self._place.opened() as stream:
            shape, is_fortran, dtype = _header(stream, path)
            self._first_byte = stream.tell()
        self._dtype = _readable(dtype, is_fortran, path)
        self.frame_count, self._shape = _frames_of(shape, path)
        self._frame_bytes = math.prod(self._shape) * self._dtype.itemsize
        self.normalised = self._dtype.kind == "u"
        self.full_scale = float(np.iinfo(self._dtype.name).max) if self.normalised else 1.0
        held = self._place.size - (self._first_byte - self._place.origin)
        if held < self.frame_count * self._frame_bytes:
            raise InputError(
                f"{path} ends early: it holds {held // self._frame_bytes} of {self.frame_count} frames; export it again"
            )
        self._stream: IO[bytes] | None = None

    def at(self, index: int) -> NDArray[np.float32]:
        """One map, ``(h, w)`` float32; value over full scale for integers, the value itself for floats."""
        if self._stream is None:
            self._stream = self._place.opened()
        self._seek(self._stream, index)
        return self._read(self._stream)

    def frames(self, start: int, stop: int) -> Iterator[NDArray[np.float32]]:
        """Maps ``start`` to ``stop`` in order."""
        with self._place.opened() as stream:
            self._seek(stream, start)
            for _ in range(start, stop):
                yield self._read(stream)

    def label(self, index: int) -> str:
        """What messages call one frame."""
        return f"{self._path.name} frame {index}"

    def first_missing(self) -> tuple[int, str]:
        """Position and name of the frame after the last."""
        return self.frame_count, f"frame {self.frame_count}"

    def close(self) -> None:
        """Close the file; it is opened again when it is needed."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def _seek(self, stream: IO[bytes], index: int) -> None:
        with _reading(self._path):
            stream.seek(self._first_byte + index * self._frame_bytes)

    def _read(self, stream: IO[bytes]) -> NDArray[np.float32]:
        with _reading(self._path):
            encoded = stream.read(self._frame_bytes)
        if len(encoded) < self._frame_bytes:
            raise InputError(f"{self._path} ends early; export it again")
        values = np.frombuffer(encoded, self._dtype).reshape(self._shape)
        if not self.normalised:
            return values.astype(np.float32)
        return np.divide(values, np.float32(np.iinfo(self._dtype.name).max), dtype=np.float32)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the bytes of a .npy are: a file, a stored member of a zip (a stretch of the file), or a packed member."""

    path: Path
    origin: int
    size: int
    packed_member: str | None = None

    def opened(self) -> IO[bytes]:
        with _reading(self.path):
            if self.packed_member is not None:
                with zipfile.ZipFile(self.path) as archive:
                    return archive.open(self.packed_member)
            stream = self.path.open("rb")
            stream.seek(self.origin)
            return stream


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Tell the user of an unreadable file, whatever it made the reader raise."""
    try:
        yield
    except (OSError, EOFError, zlib.error, zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        raise InputError(f"cannot read {path}: {error}; export it again") from error


def _placed(path: Path) -> _Place:
    with _reading(path):
        if path.suffix.lower() == ".npy":
            return _Place(path, origin=0, size=path.stat().st_size)
        with zipfile.ZipFile(path) as archive:
            members = [member for member in archive.infolist() if member.filename.endswith(".npy")]
            member = _chosen(members, path)
            if member.compress_type != zipfile.ZIP_STORED:
                return _Place(path, origin=0, size=member.file_size, packed_member=member.filename)
        with path.open("rb") as file:  # the local header repeats name and extra field, with lengths of its own
            file.seek(member.header_offset + 26)
            name_length, extra_length = np.frombuffer(file.read(4), "<u2")
        origin = member.header_offset + 30 + int(name_length) + int(extra_length)
        return _Place(path, origin=origin, size=min(member.file_size, path.stat().st_size - origin))


def _chosen(members: list[zipfile.ZipInfo], path: Path) -> zipfile.ZipInfo:
    names = [member.filename.removesuffix(".npy") for member in members]
    if _PREFERRED_NAME in names:
        return members[names.index(_PREFERRED_NAME)]
    if len(members) != 1:
        found = f"the arrays {', '.join(names)}" if members else "no array"
        raise InputError(f"{path} holds {found}; save one array, called {_PREFERRED_NAME}")
    return members[0]


def _header(stream: IO[bytes], path: Path) -> tuple[tuple[int, ...], bool, np.dtype]:
    try:
        version = np.lib.format.read_magic(stream)
        if version == (1, 0):
            return np.lib.format.read_array_header_1_0(stream)
        if version == (2, 0):
            return np.lib.format.read_array_header_2_0(stream)
    except (ValueError, EOFError, OSError, zlib.error, zipfile.BadZipFile) as error:
        raise InputError(f"cannot read {path}: not a NumPy array ({str(error).splitlines()[0]})") from error
    raise InputError(f"cannot read {path}: its array is not of plain numbers; save one of {', '.join(_DTYPES)}")


def _readable(dtype: np.dtype, is_fortran: bool, path: Path) -> np.dtype:
    if dtype.name not in _DTYPES:
        raise InputError(f"{path} holds values of type {dtype.name}; save one of {', '.join(_DTYPES)}")
    if is_fortran:
        raise InputError(f"{path} is in Fortran order, which cannot be streamed; save numpy.ascontiguousarray(array)")
    return dtype


def _frames_of(shape: tuple[int, ...], path: Path) -> tuple[int, tuple[int, int]]:
    match shape:
        case (height, width):
            frame_count = 1
        case (frame_count, height, width) | (frame_count, 1, height, width) | (frame_count, height, width, 1):
            pass
        case _:
            raise InputError(
                f"{path} holds an array of shape {shape}; save (frames, height, width), one grey map per frame"
            )
    if min(frame_count, height, width) < 1:
        raise InputError(f"{path} holds an array of shape {shape}; it has no frames to read")
    return frame_count, (height, width)
