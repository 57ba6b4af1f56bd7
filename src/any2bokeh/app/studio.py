"""All sessions of one studio, each kept apart from the others."""

import logging
import os
import secrets
import shutil
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from any2bokeh.app.depth_download import ModelDownloads
from any2bokeh.app.kept_projects import Shelf
from any2bokeh.app.refusal import Busy, Gone
from any2bokeh.app.render_queue import RenderQueue
from any2bokeh.app.settings import Settings
from any2bokeh.claim import Claim
from any2bokeh.errors import InputError

if TYPE_CHECKING:
    from any2bokeh.app.session import Session

_log = logging.getLogger("any2bokeh.app")

_PREFIX = "any2bokeh-studio-"
_CLAIM = ".claim"
# A page that is loaded again is back by then.
_RELOADS_WITHIN_S = 15.0


class Studio:
    """The sessions, their folders, and the queue that their renders share.

    Args:
        settings: how it was started.
    """

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings or Settings()
        limits = self.settings.limits
        _remove_what_killed_studios_left()
        self.folder = Path(tempfile.mkdtemp(prefix=_PREFIX))  # readable by its owner alone
        self._claim = Claim(self.folder / _CLAIM, self.folder)
        self.queue = RenderQueue(at_once=limits.renders_at_once, most_waiting=limits.waiting_renders)
        self.downloads = ModelDownloads()
        self._sessions: dict[str, Session] = {}
        self._lock = threading.RLock()
        self._closed = threading.Event()
        threading.Thread(target=self._sweep, name="any2bokeh sweep", daemon=True).start()

    def arrive(self, secret: str | None = None) -> "Session":
        """A new session, with the clip that the studio was started with.

        Args:
            secret: what its browser finds its projects by; None where they are not kept.

        Where all places are taken, one that no page shows gives way, or one that has done nothing for long.

        Raises:
            Busy: none does.
            InputError: the studio is closing, or its clip cannot be read.
        """
        from any2bokeh.app.session import Session  # late: the page is served before it is there

        self.sweep()
        with self._lock:
            if self._closed.is_set():
                raise Gone("the studio is closing; start it again")
            if len(self._sessions) >= self.settings.limits.sessions:
                self._make_room()
            session = Session(
                self.folder / secrets.token_hex(16), self.settings, self.queue, self._shelf(secret), self.downloads
            )
            self._sessions[session.token] = session
        if self.settings.clip is not None:
            session.open_given(self.settings.clip, self.settings.disparity)
        return session

    def session(self, token: str) -> "Session":
        """The session whose token this is.

        Raises:
            Gone: nobody's.
        """
        with self._lock:
            session = self._sessions.get(token)
        if session is None:
            raise Gone("this page has been closed; reload it")
        return session

    def sweep(self) -> None:
        """Forget the sessions that no page has shown for a while."""
        grace_s, now = self.settings.limits.grace_s, time.monotonic()
        with self._lock:
            gone = [each for each in self._sessions.values() if each.streams == 0 and now - each.seen_s >= grace_s]
            for session in gone:
                del self._sessions[session.token]
        for session in gone:
            session.close()

    def end_sessions(self) -> None:
        """End all work, and what pages are being told."""
        self._closed.set()
        self.queue.close()
        self.downloads.close()
        with self._lock:
            sessions = list(self._sessions.values())
            self._sessions.clear()
        for session in sessions:
            session.cancel()
        for session in sessions:
            session.close()

    def close(self) -> None:
        """End all work and remove all files."""
        self.end_sessions()
        self._claim.release()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _shelf(self, secret: str | None) -> Shelf | None:
        if secret is None or not self.settings.keeps:
            return None
        return Shelf(secret, root=self.settings.state, limits=self.settings.kept)

    def _make_room(self) -> None:
        idle_s, now = self.settings.limits.idle_s, time.monotonic()

        def gives_way(each: "Session") -> bool:
            if each.streams:
                return now - each.seen_s >= idle_s and not each.is_busy
            return each.project is None or now - each.seen_s >= _RELOADS_WITHIN_S

        able = list(filter(gives_way, self._sessions.values()))
        if not able:
            raise Busy(f"{len(self._sessions)} pages are already open; close one, or try again later")
        least = min(able, key=lambda each: each.seen_s)
        del self._sessions[least.token]
        least.close()

    def _sweep(self) -> None:
        while not self._closed.wait(5.0):
            try:
                self.sweep()
            except Exception:
                _log.exception("sweeping failed")


def _remove_what_killed_studios_left() -> None:
    """Folders of this user whose studio lives no more."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with suppress(OSError, InputError):
            if folder.is_symlink() or (hasattr(os, "getuid") and folder.lstat().st_uid != os.getuid()):
                continue
            if not (folder / _CLAIM).is_file():
                continue  # one that is just being made
            Claim(folder / _CLAIM, folder, tries=1).release()  # refused where its studio lives
            shutil.rmtree(folder, ignore_errors=True)
