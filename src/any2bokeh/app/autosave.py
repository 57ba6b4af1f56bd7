"""What a session has open, written to its shelf while it is worked on."""

import logging
import threading
from collections.abc import Callable
from pathlib import Path

from any2bokeh.app.kept_projects import KeptProject, Shelf
from any2bokeh.app.project import Project
from any2bokeh.app.saving import Work
from any2bokeh.app.settings import Settings
from any2bokeh.disparity.estimators import ROUGH
from any2bokeh.errors import InputError
from any2bokeh.project_file import FileReference, ProjectFile, clip_reference, file_reference

_log = logging.getLogger("any2bokeh.app")

_AT_MOST_EVERY_S = 1.0
"""A crash takes at most what was decided within this time, and what was decided while the clip was first read."""


class References:
    """Which files a project is made of, found once; reads all of each."""

    def __init__(self) -> None:
        self._found: dict[tuple[Path, int, int], FileReference] = {}
        self._lock = threading.Lock()

    def of_clip(self, project: Project, *, is_upload: bool) -> FileReference:
        """That of its clip.

        Raises:
            InputError: it cannot be read.
        """
        return self._once(
            project.path,
            lambda: clip_reference(project.source, name=project.name, is_upload=is_upload),
        )

    def of_disparity(self, project: Project, *, is_upload: bool) -> FileReference | None:
        """That of the disparity that was given for it."""
        depth = project.depth
        if depth.given is None:
            return None
        given = depth.given
        return self._once(given, lambda: file_reference(given, name=depth.given_name, is_upload=is_upload))

    def _once(self, path: Path, made: Callable[[], FileReference]) -> FileReference:
        try:
            stat = path.stat()
        except OSError as error:
            raise InputError(f"{path.name} cannot be read ({error.strerror}); open the clip again") from None
        key = path, stat.st_size, stat.st_mtime_ns
        with self._lock:
            if key not in self._found:
                self._found[key] = made()
            return self._found[key]


class Autosave:
    """Writes a session's project whenever it has changed, at most once a second, in a thread of its own.

    Args:
        shelf: where to; None keeps nothing.
        settings: of the studio.
        is_upload: whether a file came from the page.
        told: called when the notice has changed.

    Attributes:
        notice: what is not kept, and why; for the page.
        remark: in what it differs from the project that was loaded; for the page.
        saved: when the project was last kept, ISO 8601; nothing where it is not.
    """

    def __init__(
        self,
        shelf: Shelf | None,
        settings: Settings,
        is_upload: Callable[[Path], bool],
        told: Callable[[], None] = lambda: None,
    ) -> None:
        self.shelf, self._settings, self._is_upload, self._told = shelf, settings, is_upload, told
        self.references = References()
        self.notice = ""
        self.remark = ""
        self.saved = ""
        self._project: Project | None = None
        self._kept: KeptProject | None = None
        self._written: Work | None = None
        self._uploads: set[Path] = set()  # that are kept with it
        self._changed = threading.Event()
        self._closed = threading.Event()
        self._writing = threading.Lock()
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()

    @property
    def is_on(self) -> bool:
        return self.shelf is not None

    def begin(self, project: Project, kept: KeptProject | None = None, *, is_saved: bool = True) -> None:
        """Another clip, or the same with other disparity, has been opened.

        Args:
            project: what is worked on from now on.
            kept: its place, where it is gone on with, or still the same work; None = a new one, once there is work.
            is_saved: whether there is nothing to write yet.
        """
        self.flush()
        with self._writing:
            if self._kept is not None and kept is not self._kept:
                self._kept.release()
            self.remark = ""
            if kept is None or kept is not self._kept:
                self.notice, self.saved, self._uploads = "", "", set()
            self._project, self._kept = project, kept
            self._written = Work.of(project) if is_saved else None

    @property
    def kept(self) -> KeptProject | None:
        """Where the project is kept; None while nothing of it is."""
        return self._kept

    def changed(self) -> None:
        """Something may have been decided."""
        if self.shelf is None or self._closed.is_set():
            return
        self._changed.set()
        with self._starting:  # two requests may come at once
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="any2bokeh autosave", daemon=True)
                self._thread.start()

    def flush(self) -> None:
        """Write what is not written yet, now."""
        if self.shelf is not None:
            self._write()

    def close(self) -> None:
        """Write what is not written yet, and let go of the place."""
        self._closed.set()
        self._changed.set()
        self.flush()
        with self._writing:
            if self._kept is not None:
                self._kept.release()
                self._kept = None

    def file_of(self, project: Project) -> ProjectFile:
        """A project as a file.

        Raises:
            InputError: its clip cannot be read.
        """
        given = project.depth.given
        clip = self.references.of_clip(project, is_upload=self._is_upload(project.path))
        disparity = self.references.of_disparity(project, is_upload=given is not None and self._is_upload(given))
        settings, depth = self._settings, project.depth
        # What made it, and not what would make it on another machine.
        made_by = ROUGH if depth.name == ROUGH else depth.model
        return Work.of(project).file(
            clip, disparity, depth_model=made_by, tracker=settings.tracker, model=settings.model
        )

    def _work(self) -> None:
        while not self._closed.is_set():
            self._changed.wait()
            self._changed.clear()
            if self._closed.is_set():
                return
            self._write()
            self._closed.wait(_AT_MOST_EVERY_S)

    def _write(self) -> None:
        with self._writing:
            project = self._project
            if project is None or self.shelf is None:
                return
            work = Work.of(project)
            if work == self._written:
                return
            before = self.notice, bool(self.saved)
            try:
                self._keep(project, self.shelf)
                self._written = work
            except InputError as error:
                self.notice = f"Your work is not kept: {error}."
            except OSError as error:
                self.notice = f"Your work is not kept: {error.strerror or error}."
            except Exception:
                _log.exception("keeping a project failed")
                self.notice = "Your work is not kept; the studio's log has the reason."
        if (self.notice, bool(self.saved)) != before:
            self._told()

    def _keep(self, project: Project, shelf: Shelf) -> None:
        file = self.file_of(project)
        if self._kept is None:
            self._kept = shelf.begin()
        kept, notice = self._kept, ""
        for path, is_disparity in ((project.path, False), (project.depth.given, True)):
            if path is None or path in self._uploads or path.parent == kept.folder or not self._is_upload(path):
                continue
            if not shelf.has_room_for(path):
                name = project.depth.given_name if is_disparity else project.name
                notice = f"There is no room to keep {name} with your work; to go on later, open it again."
                continue
            kept.keep_upload(path, is_disparity=is_disparity)
            self._uploads.add(path)
        kept.write(file)
        self.notice, self.saved = notice, file.saved
