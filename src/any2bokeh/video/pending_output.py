"""Results that appear under their name only when they are complete."""

import errno
import os
import shutil
from contextlib import suppress
from pathlib import Path

from any2bokeh.errors import InputError


def check_target(path: Path, source: Path, *, overwrite: bool) -> None:
    if path.exists() and source.exists() and path.resolve() == source.resolve():
        raise InputError(f"output {path} is the input itself; choose another name")
    if path.exists() and not overwrite:
        raise InputError(f"{path} exists; choose another name or pass --overwrite")
    folder = path.parent
    if not folder.is_dir():
        raise InputError(f"cannot write {path}: folder {folder} does not exist; create it first")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise InputError(f"cannot write {path}: folder {folder} is not writable; choose another place")


def pending_path(path: Path) -> Path:
    """Hidden name in the same folder, so that the rename cannot cross file systems."""
    return path.with_name(f".{path.stem}.{os.getpid()}.part{path.suffix}")


def discard(pending: Path) -> None:
    if pending.is_dir():
        shutil.rmtree(pending, ignore_errors=True)
    else:
        with suppress(OSError):
            pending.unlink(missing_ok=True)


def write_failure(path: Path, error: OSError) -> InputError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return InputError(f"disk full while writing {path}; free some space or choose another place")
    return InputError(f"cannot write {path}: {error.strerror or error}; check the place and its permissions")
