"""A place that one running process holds, told from one that a killed process has left behind.

The claim is a small file that is locked for as long as its process lives: the system lets go of the lock however the
process ends, so nothing has to be known of process numbers, which are used again and differ between containers. Its
text names host and process, for people, and because locks of other hosts on a shared disk cannot be relied on: what
another host has claimed is never taken away from it.
"""

import errno
import hashlib
import os
import re
import shutil
import socket
import time
import weakref
from contextlib import suppress
from pathlib import Path

from any2bokeh.errors import InputError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

_PREFIX, _SUFFIX = ".any2bokeh-", ".lock"
_CLAIM = re.compile(r"\.any2bokeh-[0-9a-f]{16}\.lock")
# A claim may be held for a moment by a run that sweeps it; a sweep itself passes over what is held.
_TRIES, _PAUSE_S = 4, 0.1
_WITHOUT_LOCKS = (errno.ENOLCK, errno.ENOTSUP, errno.EINVAL, errno.ENOSYS)
"""What file systems answer that know no locks."""


class Claim:
    """A claim that this process holds, until ``release``, or until it is dropped or the process ends.

    Attributes:
        path: the locked file.
    """

    def __init__(self, path: Path, what: Path, *, tries: int = _TRIES) -> None:
        """Claim a place.

        Args:
            path: file that stands for the claim; see ``claim_path``.
            what: the place as the user knows it, for the message.
            tries: how often, a tenth of a second apart, before another run is believed to hold it.

        Raises:
            InputError: another run holds it.
            OSError: the file cannot be made.
        """
        self.path = path
        self._file = _locked(path, what, tries)
        os.ftruncate(self._file, 0)
        os.lseek(self._file, 0, os.SEEK_SET)
        with suppress(OSError):  # a full disk has room for the claim, but for no text
            os.write(self._file, f"{socket.gethostname()} {os.getpid()}\n".encode())
        self._forget = weakref.finalize(self, _release, path, self._file, os.getpid())

    @property
    def key(self) -> str:
        """What the names of all hold that goes by the claim, and no other name."""
        return self.path.name.removeprefix(_PREFIX).removesuffix(_SUFFIX)

    def release(self) -> None:
        """Let go of the place; harmless when called twice."""
        self._forget()


def claim_path(folder: Path, name: str) -> Path:
    """The claim of a name in a folder: short whatever the name is, and the same in every run."""
    key = hashlib.sha256(os.fsencode(os.path.normcase(name))).hexdigest()[:16]
    return folder / f"{_PREFIX}{key}{_SUFFIX}"


def sweep(folder: Path) -> None:
    """Remove what killed runs of this host have left in a folder: each dead claim, and what goes by its name."""
    with suppress(OSError):
        for each in [each for each in os.scandir(folder) if _CLAIM.fullmatch(each.name)]:
            with suppress(OSError, InputError):
                _sweep_claim(Path(each.path))


def require_free(path: Path, what: Path) -> None:
    """Refuse a place that another run holds, without claiming it.

    Raises:
        InputError: it does.
    """
    if path.exists():
        with suppress(OSError):
            Claim(path, what).release()


def _sweep_claim(path: Path) -> None:
    claim = Claim(path, path, tries=1)  # refused where its owner lives; runs into one folder would wait for each other
    for left in path.parent.iterdir():
        if left.name.startswith(".") and claim.key in left.name and left != path:
            remove(left)
    claim.release()


def remove(path: Path) -> None:
    """Remove a file or a folder, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink(missing_ok=True)


def _locked(path: Path, what: Path, tries: int) -> int:
    """The open file, locked by this process; a dead claim of this host is taken over."""
    owner: list[str] = []
    for tries_left in reversed(range(tries)):
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        owner = _owner(file)
        if _is_lockable(file, owner) and _is_still_there(file, path):
            return file
        os.close(file)
        if tries_left:
            time.sleep(_PAUSE_S)
    who = f"process {owner[1]} on {owner[0]}" if len(owner) == 2 else "another process"
    raise InputError(
        f"{what} is being written by another run ({who}); wait for it or choose another name, or remove {path} if that "
        f"run is gone"
    )


def _owner(file: int) -> list[str]:
    """Host and process that the claim names; nothing where nobody has made it yet."""
    os.lseek(file, 0, os.SEEK_SET)
    return os.read(file, 300).decode(errors="replace").split()


def _is_lockable(file: int, owner: list[str]) -> bool:
    if owner and owner[0] != socket.gethostname():
        return False
    try:
        if fcntl is not None:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        else:
            import msvcrt

            os.lseek(file, 1 << 20, os.SEEK_SET)  # past the text, which others may read
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
    except OSError as error:
        return error.errno in _WITHOUT_LOCKS and not owner
    return True


def _is_still_there(file: int, path: Path) -> bool:
    """Whether the file has not been removed, by who held it, after it was opened here."""
    try:
        return os.path.samestat(os.fstat(file), path.stat())
    except FileNotFoundError:
        return False


def _release(path: Path, file: int, owner: int) -> None:
    is_mine = os.getpid() == owner  # a forked child lets go of nothing
    if is_mine and fcntl is not None:
        with suppress(OSError):
            path.unlink(missing_ok=True)  # while it is locked, so that nobody takes it over in between
    with suppress(OSError):
        os.close(file)
    if is_mine and fcntl is None:
        with suppress(OSError):
            path.unlink(missing_ok=True)
