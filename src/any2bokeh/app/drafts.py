"""Pictures that were made of a clip, kept on disk by what they were made of."""

import shutil
import threading
from collections import OrderedDict
from contextlib import suppress
from pathlib import Path

_LIMIT_BYTES = 512 << 20


class DraftStore:
    """JPEG files in a folder; those that were used longest ago go first.

    A draft is known by its frame and a key, which differs wherever anything differs that it was made of. So nothing is
    ever stale: after an edit, the frames that it concerns have other keys, and after undo they have theirs again.

    Args:
        folder: for them alone; made when the first is kept.
        limit_bytes: what all of them may take.
    """

    def __init__(self, folder: Path, *, limit_bytes: int = _LIMIT_BYTES) -> None:
        self._folder, self._limit_bytes = folder, limit_bytes
        self._sizes: OrderedDict[tuple[int, str], int] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()
        self._is_closed = False

    def get(self, frame: int, key: str) -> bytes | None:
        """A draft; None where there is none."""
        with self._lock:
            if (frame, key) not in self._sizes:
                return None
            self._sizes.move_to_end((frame, key))
            with suppress(OSError):
                return self._file(frame, key).read_bytes()
            self._forget(frame, key)  # somebody has removed it
            return None

    def put(self, frame: int, key: str, jpeg: bytes) -> None:
        """Keep a draft. Where the disk is full, it is not kept."""
        with self._lock:
            if self._is_closed or (frame, key) in self._sizes:
                return
            with suppress(OSError):
                self._folder.mkdir(mode=0o700, exist_ok=True)
                partial = self._folder / ".partial"
                partial.write_bytes(jpeg)
                partial.replace(self._file(frame, key))
                self._sizes[frame, key] = len(jpeg)
                self._bytes += len(jpeg)
            while self._bytes > self._limit_bytes:
                self._forget(*next(iter(self._sizes)))

    def has(self, frame: int, key: str) -> bool:
        """Whether there is a draft."""
        return (frame, key) in self._sizes

    def frames(self) -> list[int]:
        """The frames of which there is any draft, in order."""
        with self._lock:
            return sorted({frame for frame, _ in self._sizes})

    def close(self) -> None:
        """Remove all of them."""
        with self._lock:
            self._is_closed = True
            self._sizes.clear()
            shutil.rmtree(self._folder, ignore_errors=True)

    def _forget(self, frame: int, key: str) -> None:
        self._bytes -= self._sizes.pop((frame, key))
        self._file(frame, key).unlink(missing_ok=True)

    def _file(self, frame: int, key: str) -> Path:
        return self._folder / f"{frame}-{key}.jpg"
