"""Projects that are kept between runs of the studio: each in a folder of its own, in the user's state folder.

A browser has a shelf of its own, which it finds again by a secret that the studio has given it: nobody else is offered
its projects. What is on a shelf is named by words of ours, never by a path, and nobody but the user of the studio can
read it.
"""

import hashlib
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from any2bokeh.claim import Claim
from any2bokeh.errors import InputError
from any2bokeh.pending_output import linked
from any2bokeh.project_file import ProjectFile, load_project, save_project

_ID = re.compile(r"[0-9a-f]{32}")
_SECRET = re.compile(r"[A-Za-z0-9_-]{43}")
_FILE, _CLAIM, _CLIP, _DISPARITY = "project.json", ".claim", "clip", "disparity"


def state_folder() -> Path:
    """``any2bokeh/studio`` in the user's state folder: ``$XDG_STATE_HOME``, or ``~/.local/state``."""
    home = os.environ.get("XDG_STATE_HOME")
    root = Path(home) if home and Path(home).is_absolute() else Path.home() / ".local" / "state"
    return root / "any2bokeh" / "studio"


def new_secret() -> str:
    """What a browser finds its shelf by."""
    return secrets.token_urlsafe(32)


def is_secret(given: str) -> bool:
    """Whether it could be one of ours."""
    return _SECRET.fullmatch(given) is not None


@dataclass(frozen=True, slots=True)
class KeptLimits:
    """How much is kept.

    Attributes:
        projects: of one browser.
        all_projects: of all browsers together.
        upload_bytes: of all uploads of all browsers together.
    """

    projects: int = 40
    all_projects: int = 1000
    upload_bytes: int = 20 << 30


class KeptProject:
    """A place for one project, which this session alone writes to.

    Args:
        folder: of it.

    Raises:
        InputError: another session has it open.
        OSError: it cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        self.id = folder.name
        self.folder = folder
        try:
            self._claim = Claim(folder / _CLAIM, folder)
        except InputError:
            raise InputError("this project is open in another page; close that page first") from None

    @property
    def clip(self) -> Path | None:
        """The upload that is kept with it."""
        return _named(self.folder, _CLIP)

    @property
    def disparity(self) -> Path | None:
        """The disparity that is kept with it."""
        return _named(self.folder, _DISPARITY)

    def write(self, project: ProjectFile) -> None:
        """Keep a project, in place of what was there.

        Raises:
            InputError: the disk is full, or the folder cannot be written.
        """
        save_project(project, self.folder / _FILE)

    def keep_upload(self, path: Path, *, is_disparity: bool) -> None:
        """Keep an upload with it; a second name for the same file where the file system has such.

        Raises:
            OSError: it cannot be written.
        """
        name = _DISPARITY if is_disparity else _CLIP
        target, partial = self.folder / f"{name}{path.suffix}", self.folder / f".{name}.partial"
        if target.exists() and target.samefile(path):
            return
        partial.unlink(missing_ok=True)
        linked(path, partial)
        old = _named(self.folder, name)
        partial.replace(target)
        if old is not None and old != target:
            old.unlink(missing_ok=True)

    def release(self) -> None:
        """Let go of it; it stays where it is."""
        self._claim.release()

    def remove(self) -> None:
        """Remove it and what is kept with it."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self._claim.release()


@dataclass(frozen=True, slots=True)
class Offer:
    """A project that can be gone on with.

    Attributes:
        id: our word for it.
        name: its user's.
        clip: name of its clip.
        saved: when, ISO 8601.
        size: bytes that are kept for it.
        is_open: whether a session has it open.
    """

    id: str
    name: str
    clip: str
    saved: str
    size: int
    is_open: bool


class Shelf:
    """The projects of one browser.

    Args:
        secret: what the browser finds it by.
        root: folder of all shelves.
        limits: how much is kept.
    """

    def __init__(self, secret: str, *, root: Path | None = None, limits: KeptLimits | None = None) -> None:
        self._root = root or state_folder()
        self._folder = self._root / hashlib.sha256(secret.encode()).hexdigest()[:32]
        self._limits = limits or KeptLimits()

    def offers(self) -> list[Offer]:
        """What can be gone on with, the newest first; what cannot be read is left out."""
        found: list[tuple[int, Offer]] = []
        for folder in self._folders():
            with suppress(InputError, OSError):
                file = load_project(folder / _FILE)
                is_open = _is_open(folder)
                offer = Offer(folder.name, file.name, file.clip.name, file.saved, _size(folder), is_open)
                found.append(((folder / _FILE).stat().st_mtime_ns, offer))
        return [offer for _, offer in sorted(found, key=lambda each: each[0], reverse=True)]

    def begin(self) -> KeptProject:
        """A place for a new project.

        Raises:
            InputError: there are too many, or the folder cannot be written.
        """
        if sum(1 for _ in self._folders()) >= self._limits.projects:
            raise InputError(
                f"{self._limits.projects} projects are kept already; discard some, so that this one can be kept"
            )
        if sum(1 for shelf in _folders_in(self._root) for _ in _folders_in(shelf)) >= self._limits.all_projects:
            raise InputError(f"the studio keeps {self._limits.all_projects} projects already, and takes no more")
        try:
            _private(self._root)
            _private(self._folder)
            folder = self._folder / secrets.token_hex(16)
            folder.mkdir(mode=0o700)
            return KeptProject(folder)
        except OSError as error:
            raise InputError(
                f"the folder for projects, {self._root}, cannot be written ({error.strerror}); set XDG_STATE_HOME to "
                f"one that can"
            ) from None

    def take(self, id: str) -> tuple[ProjectFile, KeptProject]:
        """Go on with one.

        Raises:
            InputError: there is none, it is damaged, or another session has it open.
        """
        folder = self._of(id)
        kept = KeptProject(folder)
        try:
            return load_project(folder / _FILE), kept
        except BaseException:
            kept.release()
            raise

    def discard(self, id: str) -> None:
        """Remove one with all that is kept with it.

        Raises:
            InputError: there is none, or a session has it open.
        """
        KeptProject(self._of(id)).remove()
        with suppress(OSError):
            self._folder.rmdir()  # the last one

    def has_room_for(self, path: Path) -> bool:
        """Whether an upload can be kept beside all others, and the disk has room for it."""
        size = path.stat().st_size
        kept = sum(_size(folder) for shelf in _folders_in(self._root) for folder in _folders_in(shelf))
        with suppress(OSError):
            if shutil.disk_usage(self._root).free < size + (1 << 28):
                return False
        return kept + size <= self._limits.upload_bytes

    def _folders(self) -> Iterator[Path]:
        return _folders_in(self._folder)

    def _of(self, id: str) -> Path:
        folder = self._folder / id
        if not _ID.fullmatch(id) or folder.is_symlink() or not (folder / _FILE).is_file():
            raise InputError("this project is not kept any more; reload the page")
        return folder


def _private(folder: Path) -> None:
    """A folder that nobody else can read."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if folder.is_symlink() or not folder.is_dir():
        raise NotADirectoryError(20, "it is no folder", str(folder))
    folder.chmod(0o700)


def _folders_in(folder: Path) -> Iterator[Path]:
    with suppress(OSError):
        for entry in os.scandir(folder):
            if _ID.fullmatch(entry.name) and entry.is_dir(follow_symlinks=False):
                yield Path(entry.path)


def _named(folder: Path, stem: str) -> Path | None:
    return next((each for each in folder.glob(f"{stem}.*") if each.is_file() and not each.is_symlink()), None)


def _size(folder: Path) -> int:
    with suppress(OSError):
        return sum(entry.stat(follow_symlinks=False).st_size for entry in os.scandir(folder))
    return 0


def _is_open(folder: Path) -> bool:
    claim = folder / _CLAIM
    if not claim.exists():
        return False
    try:
        Claim(claim, folder).release()
    except (InputError, OSError):
        return True
    return False
