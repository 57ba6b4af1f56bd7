"""Results that appear under their name only when they are complete."""

import errno
import os
import re
import shutil
import signal
import stat
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path

from any2bokeh.claim import Claim, claim_path, remove, require_free, sweep
from any2bokeh.errors import InputError

LONGEST_NAME_BYTES = 255
"""What most file systems allow; a longer name is refused before the work, not after it."""
_STEM_BYTES = 100
_ENDING = ".part"
_ITSELF = ""  # no output within a folder has this name
_LEAST_FREE_BYTES = 1 << 16
"""A disk with less is full: a picture did not fit."""


class PendingOutput:
    """A temporary file or folder beside its final place, so that the rename never crosses file systems.

    It is hidden, and it goes away when it is dropped without ``discard``, so that nothing is left behind; a claim
    beside it tells other runs that the place is taken, and lets the next run remove it where this one is killed. An
    output that is a link is written where it points.

    Attributes:
        path: the final place.
        temporary: where the result is written until it is complete.
    """

    def __init__(self, path: Path, temporary: Path, claim: Claim) -> None:
        self.path = path
        self.temporary = temporary
        self._claim = claim
        self._is_published = False
        self._replaces = False
        self._forget = weakref.finalize(self, _abandon, temporary, claim, os.getpid())

    @classmethod
    def file(cls, path: Path) -> "PendingOutput":
        """For one file; nothing but the claim is created yet.

        Raises:
            InputError: another run writes it, or the place is not writable.
        """
        place = pointed_at(path)
        claim = _claimed(path, place.parent, place.name)
        return cls(place, _named(claim, place, place.suffix), claim)

    @classmethod
    def folder(cls, path: Path) -> "PendingOutput":
        """For a folder of files; the temporary one is made inside ``path`` where that exists.

        Raises:
            InputError: another run writes it, or it cannot be made.
        """
        place = pointed_at(path)
        claim = _claimed(path, place if place.is_dir() else place.parent, place.name)
        temporary = _named(claim, place)
        try:
            temporary.mkdir()
        except OSError as error:
            claim.release()
            raise write_failure(path, error) from None
        return cls(place, temporary, claim)

    @classmethod
    def replacing_folder(cls, path: Path) -> "PendingOutput":
        """For a folder that takes the place of one that is there, instead of joining it.

        Raises:
            InputError: another run writes it, or it cannot be made.
        """
        place = pointed_at(path)
        claim = _claimed(path, place.parent, place.name)
        pending = cls(place, _named(claim, place), claim)
        pending._replaces = True
        with writing(path):
            pending.temporary.mkdir()
        return pending

    def publish(self) -> None:
        """Give the result its final name, all at once where nothing stands there yet.

        Within ``published_together`` it waits for the others.

        Raises:
            InputError: if the place became unwritable meanwhile.
        """
        self._is_published = True
        waiting = _TOGETHER.get()
        if waiting is None:
            with _uninterrupted():
                self._commit()
        else:
            waiting.append(self)

    def discard(self) -> None:
        """Remove what is there; harmless after ``publish`` and when called twice."""
        if not self._is_published:
            self._forget()

    def _commit(self) -> None:
        try:
            if self._replaces and self.path.is_dir():
                _exchange(self.temporary, self.path)
            elif self.temporary.is_dir() and self.path.is_dir():
                _move_into(self.temporary, self.path)
            else:
                self.temporary.replace(self.path)
        except OSError as error:
            raise write_failure(self.path, error) from None
        finally:
            self._forget()
        # A part of another output is none; a state of a training is replaced again and again.
        if not self.path.parent.name.endswith(_ENDING) and self.path not in PUBLISHED:
            PUBLISHED.append(self.path)


PUBLISHED: list[Path] = []
"""Every output that this process has completed, in order; for what an interrupted command says of them."""

_TOGETHER: ContextVar[list[PendingOutput] | None] = ContextVar("_TOGETHER", default=None)


@contextmanager
def published_together() -> Iterator[None]:
    """Let all outputs that are published within it appear at its end, at one moment; none on any exception.

    Raises:
        InputError: a place became unwritable meanwhile; what had no name before has none then.
    """
    waiting: list[PendingOutput] = []
    token = _TOGETHER.set(waiting)
    try:
        yield
    except BaseException:
        for output in waiting:
            output._forget()
        raise
    finally:
        _TOGETHER.reset(token)
    with _uninterrupted():
        _commit_all(waiting)


def check_target(path: Path, source: Path, *, overwrite: bool) -> None:
    """Raise InputError unless a result may be written to ``path``."""
    if len(os.fsencode(path.name)) > LONGEST_NAME_BYTES:
        raise InputError(f"output {too_long(path)}")
    place = pointed_at(path)
    inside = place if place.is_dir() else place.parent
    sweep(inside)
    require_free(claim_path(inside, place.name), path)
    if path.exists():
        if source.exists() and path.samefile(source):
            raise InputError(f"output {path} is the input itself; choose another name")
        if not stat.S_ISREG(path.stat().st_mode) and not path.is_dir():
            raise InputError(f"output {path} is neither a file nor a folder; choose another name")
        if not overwrite and not (path.is_dir() and not any(path.iterdir())):
            raise InputError(f"{path} exists already; choose another name or pass --overwrite")
    folder = place.parent
    if not folder.is_dir():
        raise InputError(f"cannot write {path}: there is no folder {folder}; create it first")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise InputError(f"cannot write {path}: folder {folder} is not writable; choose another place")


def require_unclaimed(path: Path) -> None:
    """Refuse an output that another run writes.

    Raises:
        InputError: it does.
    """
    place = pointed_at(path)
    require_free(claim_path(place if place.is_dir() else place.parent, place.name), path)


def pointed_at(path: Path) -> Path:
    """Where a link leads, also one to what is not there yet; any other path as it is.

    Raises:
        InputError: a link in a circle.
    """
    try:
        return path.resolve() if path.is_symlink() else path
    except (OSError, RuntimeError):
        raise InputError(f"output {path} is a link that leads nowhere; remove it or choose another name") from None


def write_failure(path: Path, error: OSError) -> InputError:
    """The error that a user sees when writing ``path`` failed."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT) or (error.errno == errno.EIO and _is_full(path)):
        return InputError(f"disk full while writing {path}; free some space or choose another place")
    if error.errno == errno.ENAMETOOLONG:
        return InputError(f"output {too_long(path)}")
    if error.errno == errno.EFBIG:
        return InputError(f"{path} grows larger than its file system or limit allows; choose another place")
    return InputError(f"cannot write {path}: {error.strerror or error}; check free space and permissions")


def too_long(path: Path) -> str:
    """What is said of a path with a name that no file system takes; or of one that is too long as a whole."""
    name = max(path.parts, key=lambda each: len(os.fsencode(each)), default="")
    length, whole = len(os.fsencode(name)), len(os.fsencode(path))
    if length > LONGEST_NAME_BYTES:
        return (
            f"name {name[:40]}... is {length} bytes long; file systems take {LONGEST_NAME_BYTES}: choose a shorter one"
        )
    return f"path {str(path)[:40]}... is {whole} bytes long, which is more than the system takes; choose a shorter one"


def _is_full(path: Path) -> bool:
    """Whether no room is left where a library, which does not tell the system's error, failed to write."""
    with suppress(OSError):
        folder = pointed_at(path).parent
        return shutil.disk_usage(folder).free < _LEAST_FREE_BYTES
    return False


@contextmanager
def holding_folder(folder: Path) -> Iterator[None]:
    """Make a folder that a run writes into again and again, and keep other runs out of it meanwhile.

    Raises:
        InputError: another run holds it, or it cannot be made.
    """
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    claim = _claimed(folder, folder, _ITSELF)
    try:
        yield
    finally:
        claim.release()


@contextmanager
def named_finally(pending: PendingOutput) -> Iterator[None]:
    """Let messages on what lies in a temporary folder give it the name that it is to have.

    Raises:
        InputError: as it came, but for the name.
    """
    try:
        yield
    except InputError as error:
        raise InputError(str(error).replace(str(pending.temporary), str(pending.path))) from None


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn failures to write ``path`` into what a user sees, those of libraries that hide the system's error, too.

    Raises:
        InputError: for them.
    """
    try:
        yield
    except OSError as error:
        raise write_failure(path, error) from None
    except Exception as error:
        # safetensors (Rust) and torch give the number in words alone.
        number = re.search(r"os error (\d+)", str(error))
        reason = os.strerror(errno.ENOSPC) in str(error)
        if number is None and not reason:
            raise
        code = int(number[1]) if number else errno.ENOSPC
        raise write_failure(path, OSError(code, os.strerror(code))) from None


def _claimed(path: Path, folder: Path, name: str) -> Claim:
    sweep(folder)
    try:
        return Claim(claim_path(folder, name), path)
    except OSError as error:
        raise write_failure(path, error) from None


def _named(claim: Claim, place: Path, suffix: str = "") -> Path:
    """Hidden, short whatever the output is called, and found by the key of the claim."""
    stem = os.fsencode(place.stem)[:_STEM_BYTES].decode(errors="ignore")
    return claim.path.with_name(f".{stem}.{claim.key}{_ENDING}{suffix}")


def _commit_all(outputs: list[PendingOutput]) -> None:
    fresh: list[Path] = []
    try:
        for output in outputs:
            is_new = not output.path.exists()
            output._commit()
            if is_new:
                fresh.append(output.path)
    except BaseException:
        for path in fresh:
            remove(path)
            with suppress(ValueError):
                PUBLISHED.remove(path)
        for output in outputs:
            output._forget()
        raise


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Keep Ctrl-C and termination waiting for the few renames in which a result gets its name."""
    if threading.current_thread() is not threading.main_thread():  # where Python delivers neither
        yield
        return
    came: list[int] = []
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number in handlers:
        signal.signal(number, lambda number, frame: came.append(number))
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
        for number in came[:1]:
            signal.raise_signal(number)


def _exchange(temporary: Path, place: Path) -> None:
    """Give a folder the name of another, which goes only when the first has it."""
    old = temporary.with_name(f"{temporary.name}.old")
    place.rename(old)
    try:
        temporary.rename(place)
    except BaseException:
        old.rename(place)
        raise
    remove(old)


def _move_into(temporary: Path, place: Path) -> None:
    """Move what a folder holds into another. The user's other files stay: only names that it has are replaced."""
    for each in sorted(temporary.iterdir()):
        target = place / each.name
        if each.is_dir() and target.is_dir():
            _move_into(each, target)
        else:
            each.replace(target)
    temporary.rmdir()


def linked_into(folder: Path, place: Path) -> None:
    """Give the files of a folder, and of those within it, names in another, too; copies where no file has two names.

    Raises:
        OSError: they cannot be written.
    """
    for each in sorted(folder.iterdir()):
        target = place / each.name
        if each.is_dir():
            target.mkdir(exist_ok=True)
            linked_into(each, target)
        else:
            linked(each, target)


def linked(file: Path, target: Path) -> None:
    """Give a file a second name, or copy it where no file has two names.

    Raises:
        OSError: it cannot be written.
    """
    try:
        os.link(file, target)
    except OSError:
        shutil.copy2(file, target)


def _abandon(temporary: Path, claim: Claim, owner: int) -> None:
    if os.getpid() == owner:  # a forked child has no part in it
        with suppress(OSError):
            remove(temporary)
        claim.release()
