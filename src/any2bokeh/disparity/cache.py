"""Estimated disparity kept on disk, for each clip and all settings."""

import errno
import hashlib
import json
import os
import secrets
import shutil
import zlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from any2bokeh.claim import Claim, claim_path, sweep
from any2bokeh.disparity.map_spool import MapSpool
from any2bokeh.disparity.raw_scale import on_scale
from any2bokeh.errors import InputError

_FORMAT = 1
_ENTRY_FILE, _MAPS_FILE = "entry.json", "disparity.npy"
_FULL_SCALE = 65535
_CHUNK_BYTES = 1 << 20
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

    def find(self, key: Mapping[str, object], notice: Callable[[str], None] | None = None) -> Entry | None:
        """The entry of a key; one that is partial or damaged is removed, and counts as none.

        Args:
            key: what the entry was made of.
            notice: told of an entry that is removed, in one line.
        """
        place = self._place(key)
        if not place.is_dir():
            return None
        entry = _checked(place, key)
        if entry is None:
            shutil.rmtree(place, ignore_errors=True)
            if notice is not None:
                notice(f"the disparity kept in {place} is damaged, and is estimated anew")
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
            sweep(self.folder)
            # Claimed under a name of its own: two runs may estimate the same clip at the same time.
            claim = Claim(claim_path(self.folder, secrets.token_hex(16)), self.folder)
            partial = self.folder / f".partial-{claim.key}"
            partial.mkdir(mode=0o700)
        except OSError as error:
            raise InputError(
                f"the cache folder {self.folder} cannot be written ({error.strerror}); set XDG_CACHE_HOME to a folder "
                f"that can, or make the disparity with any2bokeh depth and give --disparity"
            ) from None
        return PendingEntry(partial, claim, self._place(key), key, frame_count, self._prune)

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

    Attributes:
        raw: for the maps as a model makes them.
        maps: for the maps that the entry will hold, in any unit, finite; their scale is given at the end.
    """

    def __init__(
        self,
        partial: Path,
        claim: Claim,
        place: Path,
        key: Mapping[str, object],
        frame_count: int,
        published: Callable[[Path], None],
    ) -> None:
        self._partial, self._claim, self._place, self._key = partial, claim, place, key
        self._published = published
        self.raw = MapSpool(partial / "raw.npy", frame_count)
        self.maps = MapSpool(partial / _MAPS_FILE, frame_count)

    def publish(self, ends: tuple[float, float], facts: Mapping[str, Any]) -> Entry:
        """Bring all maps to the scale on which ``ends`` are 0 and 1, and give the entry its name."""
        self.raw.close()
        self.raw.path.unlink(missing_ok=True)
        self.maps.rescale(lambda values: np.rint(on_scale(values, ends) * _FULL_SCALE).astype(np.uint16))
        entry = {
            "format": _FORMAT,
            "key": json.loads(_canonical(self._key)),
            "bytes": self.maps.path.stat().st_size,
            "crc32": _crc32(self.maps.path),
            "facts": dict(facts),
        }
        (self._partial / _ENTRY_FILE).write_text(json.dumps(entry))
        # Somebody else may have made the same meanwhile.
        shutil.rmtree(self._place, ignore_errors=True)
        self._partial.rename(self._place)
        self._published(self._place)
        return Entry(self._place / _MAPS_FILE, dict(facts))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.raw.close()
        self.maps.close()
        shutil.rmtree(self._partial, ignore_errors=True)
        self._claim.release()
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO):
            raise InputError(
                f"the cache in {self._place.parent} cannot be written ({error.strerror}); free some space, or set "
                f"XDG_CACHE_HOME to another disk"
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
