"""Estimated disparity kept on disk, for each clip and all settings."""

import hashlib
import json
import os
import shutil
import tempfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from any2bokeh.errors import InputError

_FORMAT = 1
_ENTRY_FILE, _MAPS_FILE = "entry.json", "disparity.npy"
_FULL_SCALE = 65535
_CHUNK_BYTES = 1 << 24
DEFAULT_LIMIT_BYTES = 8 << 30
"""What all entries together may take; those that were used longest ago go first."""


def cache_folder() -> Path:
    """``any2bokeh/disparity`` in the user's cache folder: ``$XDG_CACHE_HOME``, or ``~/.cache``."""
    home = os.environ.get("XDG_CACHE_HOME")
    root = Path(home) if home and Path(home).is_absolute() else Path.home() / ".cache"
    return root / "any2bokeh" / "disparity"


@dataclass(frozen=True, slots=True)
class Entry:
    """A complete entry.

    Attributes:
        maps: ``.npy`` of ``(T, h, w)`` uint16, disparity times 65535.
        facts: what its maker noted beside the maps.
    """

    maps: Path
    facts: Mapping[str, Any]


class DisparityCache:
    """Entries in a folder, each named after the hash of its key.

    Args:
        folder: made when it is first written to.
        limit_bytes: what all entries together may take.
    """

    def __init__(self, folder: Path | None = None, *, limit_bytes: int = DEFAULT_LIMIT_BYTES) -> None:
        self.folder = folder or cache_folder()
        self._limit_bytes = limit_bytes

    def find(self, key: Mapping[str, object]) -> Entry | None:
        """The entry of a key; one that is partial or damaged is removed, and counts as none."""
        place = self._place(key)
        if not place.is_dir():
            return None
        entry = _checked(place, key)
        if entry is None:
            shutil.rmtree(place, ignore_errors=True)
            return None
        with suppress(OSError):
            os.utime(place)  # used just now
        return entry

    def begin(self, key: Mapping[str, object], *, frame_count: int) -> "PendingEntry":
        """Make ready to write an entry.

        Raises:
            InputError: the cache folder cannot be written.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            partial = Path(tempfile.mkdtemp(prefix=".partial-", dir=self.folder))
        except OSError as error:
            raise InputError(
                f"the cache folder {self.folder} cannot be written ({error.strerror}); set XDG_CACHE_HOME to a folder "
                f"that can, or make the disparity with any2bokeh depth and give --disparity"
            ) from None
        return PendingEntry(partial, self._place(key), key, frame_count, self._prune)

    def _place(self, key: Mapping[str, object]) -> Path:
        return self.folder / hashlib.sha256(_canonical(key).encode()).hexdigest()[:32]

    def _prune(self, keep: Path) -> None:
        """Remove the entries used longest ago while all of them take too much."""
        entries = []
        for place in self.folder.iterdir():
            with suppress(OSError):
                if place.is_dir() and not place.name.startswith("."):
                    size = sum(file.stat().st_size for file in place.iterdir())
                    entries.append((place.stat().st_mtime, size, place))
        total = sum(size for _, size, _ in entries)
        for _, size, place in sorted(entries):
            if total <= self._limit_bytes:
                return
            if place != keep:
                shutil.rmtree(place, ignore_errors=True)
                total -= size


class PendingEntry:
    """An entry that is being written; it appears whole, when it is published, or not at all.

    Maps come in any unit first (``write``), each kept with 16 bits of its own range, and are brought to one scale in a
    second pass over the file (``publish``): the scale is known only after the last.
    """

    def __init__(
        self,
        partial: Path,
        place: Path,
        key: Mapping[str, object],
        frame_count: int,
        published: Callable[[Path], None],
    ) -> None:
        self._partial, self._place, self._key = partial, place, key
        self._frame_count = frame_count
        self._published = published
        self._ranges: list[tuple[float, float]] = []
        self._shape: tuple[int, int] | None = None
        self._file: Any = None
        self._first_byte = 0

    def write(self, disparity: NDArray[np.float32]) -> None:
        """Add a map ``(1, h, w)``, finite.

        Raises:
            InputError: the disk is full.
        """
        values = disparity[0]
        low, high = float(values.min()), float(values.max())
        codes = np.zeros(values.shape, np.uint16)
        if high > low:
            codes = np.rint((values - np.float32(low)) * np.float32(_FULL_SCALE / (high - low))).astype(np.uint16)
        with _telling_of_full_disks(self._place.parent):
            if self._file is None:
                self._open(codes.shape)
            if codes.shape != self._shape:
                raise RuntimeError(f"map {len(self._ranges)} is {codes.shape}, the first is {self._shape}")
            self._file.write(codes.tobytes())
        self._ranges.append((low, high))

    def publish(self, ends: tuple[float, float], facts: Mapping[str, Any]) -> Entry:
        """Bring all maps to the scale on which ``ends`` are 0 and 1, and give the entry its name.

        Raises:
            InputError: the disk is full, or the cache folder went away.
        """
        from any2bokeh.disparity.raw_scale import on_scale

        if len(self._ranges) != self._frame_count:
            raise RuntimeError(f"{len(self._ranges)} maps of {self._frame_count} were written")
        assert self._shape is not None
        frame_bytes = 2 * self._shape[0] * self._shape[1]
        with _telling_of_full_disks(self._place.parent):
            for index, (low, high) in enumerate(self._ranges):
                self._file.seek(self._first_byte + index * frame_bytes)
                codes = np.frombuffer(self._file.read(frame_bytes), np.uint16).reshape(self._shape)
                values = codes * np.float32((high - low) / _FULL_SCALE) + np.float32(low)
                scaled = np.rint(on_scale(values, ends) * _FULL_SCALE).astype(np.uint16)
                self._file.seek(self._first_byte + index * frame_bytes)
                self._file.write(scaled.tobytes())
            self._file.close()
            maps = self._partial / _MAPS_FILE
            entry = {
                "format": _FORMAT,
                "key": json.loads(_canonical(self._key)),
                "bytes": maps.stat().st_size,
                "crc32": _crc32(maps),
                "facts": dict(facts),
            }
            (self._partial / _ENTRY_FILE).write_text(json.dumps(entry))
            # Somebody else may have made the same meanwhile.
            shutil.rmtree(self._place, ignore_errors=True)
            self._partial.rename(self._place)
        self._published(self._place)
        return Entry(self._place / _MAPS_FILE, dict(facts))

    def _open(self, shape: tuple[int, ...]) -> None:
        self._shape = (shape[0], shape[1])
        self._file = (self._partial / _MAPS_FILE).open("w+b")
        header = {"descr": "<u2", "fortran_order": False, "shape": (self._frame_count, *self._shape)}
        np.lib.format.write_array_header_1_0(self._file, header)
        self._first_byte = self._file.tell()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()
        shutil.rmtree(self._partial, ignore_errors=True)


@contextmanager
def _telling_of_full_disks(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise InputError(
            f"the cache in {folder} cannot be written ({error.strerror}); free some space, or set XDG_CACHE_HOME to "
            f"another disk"
        ) from None


def _checked(place: Path, key: Mapping[str, object]) -> Entry | None:
    try:
        said = json.loads((place / _ENTRY_FILE).read_text())
        maps = place / _MAPS_FILE
        is_whole = (
            said["format"] == _FORMAT
            and said["key"] == json.loads(_canonical(key))
            and said["bytes"] == maps.stat().st_size
            and said["crc32"] == _crc32(maps)
        )
        return Entry(maps, said["facts"]) if is_whole else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _crc32(path: Path) -> int:
    found = 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            found = zlib.crc32(chunk, found)
    return found


def _canonical(key: Mapping[str, object]) -> str:
    return json.dumps(key, sort_keys=True, default=str)
