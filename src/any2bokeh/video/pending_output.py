"""Results that appear under their name only when they are complete."""

import errno
import os
import shutil
import weakref
from contextlib import suppress
from pathlib import Path

from any2bokeh.errors import InputError


class PendingOutput:
    """A temporary file or folder beside its final place, so that the rename never crosses file systems.

    It is hidden, and it goes away when it is dropped without ``discard``, so that nothing is left behind.
    """

    def __init__(self, path: Path, temporary: Path) -> None:
        self.path = path
        self.temporary = temporary
        self._forget = weakref.finalize(self, _remove, temporary)

    @classmethod
    def file(cls, path: Path) -> "PendingOutput":
        """For one file; nothing is created yet."""
        return cls(path, path.with_name(f".{path.stem}.{os.getpid()}.part{path.suffix}"))

    @classmethod
    def folder(cls, path: Path) -> "PendingOutput":
        """For a folder of files; the temporary one is made inside ``path`` where that exists.

        Raises:
            InputError: if it cannot be made.
        """
        place = path if path.is_dir() else path.parent
        temporary = place / f".{path.name}.{os.getpid()}.part"
        try:
            temporary.mkdir()
        except OSError as error:
            raise write_failure(path, error) from None
        return cls(path, temporary)

    def publish(self) -> None:
        """Give the result its final name, all at once where nothing stands there yet.

        Raises:
            InputError: if the place became unwritable meanwhile.
        """
        try:
            if self.temporary.is_dir() and self.path.is_dir():
                _move_into(self.temporary, self.path)
            else:
                self.temporary.replace(self.path)
        except OSError as error:
            raise write_failure(self.path, error) from None
        self._forget.detach()

    def discard(self) -> None:
        """Remove what is there; harmless after ``publish`` and when called twice."""
        self._forget()


def check_target(path: Path, source: Path, *, overwrite: bool) -> None:
    """Raise InputError unless a result may be written to ``path``."""
    if path.exists():
        if source.exists() and path.samefile(source):
            raise InputError(f"output {path} is the input itself; choose another name")
        if not overwrite and not (path.is_dir() and not any(path.iterdir())):
            raise InputError(f"{path} exists already; choose another name or pass --overwrite")
    folder = path.parent
    if not folder.is_dir():
        raise InputError(f"cannot write {path}: there is no folder {folder}; create it first")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise InputError(f"cannot write {path}: folder {folder} is not writable; choose another place")


def write_failure(path: Path, error: OSError) -> InputError:
    """The error that a user sees when writing ``path`` failed."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return InputError(f"disk full while writing {path}; free some space or choose another place")
    if error.errno == errno.EFBIG:
        return InputError(f"{path} grows larger than its file system or limit allows; choose another place")
    return InputError(f"cannot write {path}: {error.strerror or error}; check free space and permissions")


def _move_into(temporary: Path, place: Path) -> None:
    """Move what a folder holds into another. The user's other files stay: only names that it has are replaced."""
    for each in sorted(temporary.iterdir()):
        target = place / each.name
        if each.is_dir() and target.is_dir():
            _move_into(each, target)
        else:
            each.replace(target)
    temporary.rmdir()


def _remove(temporary: Path) -> None:
    if temporary.is_dir() and not temporary.is_symlink():
        shutil.rmtree(temporary, ignore_errors=True)
    else:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
