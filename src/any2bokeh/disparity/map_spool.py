"""Maps of a clip on disk while their common scale is not known yet."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

_MISSING = 65535
_FULL_SCALE = 65534
_CODE_BYTES = 2


class MapSpool:
    """A ``.npy`` file of ``(T, h, w)`` uint16 that maps are appended to, each with 16 bits of its own range.

    Args:
        path: the file; made with the first map.
        frame_count: T.
    """

    def __init__(self, path: Path, frame_count: int) -> None:
        self.path = path
        self._frame_count = frame_count
        self._ranges: list[tuple[float, float]] = []
        self._shape: tuple[int, int] | None = None
        self._file: BinaryIO | None = None
        self._first_byte = 0

    def write(self, values: NDArray[np.float32]) -> None:
        """Append a map ``(1, h, w)``; what is not finite is read back as NaN."""
        known = np.isfinite(values[0])
        low, high = (float(values[0][known].min()), float(values[0][known].max())) if known.any() else (0.0, 0.0)
        scale = np.float32(_FULL_SCALE / (high - low)) if high > low else np.float32(0)
        codes = np.rint((np.where(known, values[0], np.float32(low)) - np.float32(low)) * scale).astype(np.uint16)
        file = self._file or self._opened(codes.shape)
        if codes.shape != self._shape:
            raise RuntimeError(f"map {len(self._ranges)} is {codes.shape}, the first is {self._shape}")
        file.write(np.where(known, codes, np.uint16(_MISSING)).tobytes())
        self._ranges.append((low, high))

    def maps(self) -> Iterator[NDArray[np.float32]]:
        """All maps, in order, as they went in but for rounding."""
        self._require_all()
        assert self._file is not None
        self._file.flush()
        with self.path.open("rb") as file:
            file.seek(self._first_byte)
            for place in self._ranges:
                yield self._decoded(file, place)

    def rescale(self, codes_of: Callable[[NDArray[np.float32]], NDArray[np.uint16]]) -> None:
        """Replace every map by its codes on the scale of the clip, in place, and close the file."""
        self._require_all()
        assert self._file is not None
        size = self._frame_bytes
        for index, place in enumerate(self._ranges):
            self._file.seek(self._first_byte + index * size)
            codes = codes_of(self._decoded(self._file, place)[0])
            self._file.seek(self._first_byte + index * size)
            self._file.write(codes.tobytes())
        self.close()

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()

    @property
    def _frame_bytes(self) -> int:
        assert self._shape is not None
        return _CODE_BYTES * self._shape[0] * self._shape[1]

    def _opened(self, shape: tuple[int, ...]) -> BinaryIO:
        self._shape = (shape[0], shape[1])
        self._file = self.path.open("w+b")
        header = {"descr": "<u2", "fortran_order": False, "shape": (self._frame_count, *self._shape)}
        np.lib.format.write_array_header_1_0(self._file, header)
        self._first_byte = self._file.tell()
        return self._file

    def _decoded(self, file: BinaryIO, place: tuple[float, float]) -> NDArray[np.float32]:
        assert self._shape is not None
        codes = np.frombuffer(file.read(self._frame_bytes), np.uint16).reshape(self._shape)
        low, high = place
        values = codes * np.float32((high - low) / _FULL_SCALE) + np.float32(low)
        return np.where(codes == _MISSING, np.float32(np.nan), values).astype(np.float32)[None]

    def _require_all(self) -> None:
        if len(self._ranges) != self._frame_count:
            raise RuntimeError(f"{len(self._ranges)} maps of {self._frame_count} were written")
