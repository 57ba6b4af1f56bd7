"""All sessions of one studio, each kept apart from the others."""

import logging
import secrets
import shutil
import tempfile
import threading
import time
from pathlib import Path

from any2bokeh.app.render_queue import RenderQueue
from any2bokeh.app.session import Session
from any2bokeh.app.settings import Settings
from any2bokeh.errors import InputError

_log = logging.getLogger("any2bokeh.app")


class Studio:
    """The sessions, their folders, and the queue that their renders share.

    Args:
        settings: how it was started.
    """

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings or Settings()
        limits = self.settings.limits
        self.folder = Path(tempfile.mkdtemp(prefix="any2bokeh-studio-"))  # readable by its owner alone
        self.queue = RenderQueue(at_once=limits.renders_at_once, most_waiting=limits.waiting_renders)
        self._by_token: dict[str, Session] = {}
        self._by_page: dict[str, Session] = {}
        self._leaving: dict[str, float] = {}
        self._lock = threading.RLock()
        self._closed = threading.Event()
        threading.Thread(target=self._sweep, name="any2bokeh sweep", daemon=True).start()

    def arrive(self, page: str) -> Session:
        """The session of a page, a new one where it is not known yet.

        Args:
            page: what the page calls its session.

        Raises:
            InputError: too many are here.
        """
        with self._lock:
            self._leaving.pop(page, None)
            if page in self._by_page:
                return self._by_page[page]
            if self._closed.is_set():
                raise InputError("the studio is closing; start it again")
            if len(self._by_page) >= self.settings.limits.sessions:
                raise InputError(f"{len(self._by_page)} pages are already open; close one, or try again later")
            session = Session(self.folder / secrets.token_hex(16), self.settings, self.queue)
            self._by_page[page] = self._by_token[session.token] = session
            return session

    def session(self, token: str) -> Session:
        """The session whose token this is.

        Raises:
            InputError: nobody's.
        """
        with self._lock:
            session = self._by_token.get(token)
        if session is None:
            raise InputError("this page has been closed; reload it")
        session.seen_s = time.monotonic()
        return session

    def leave(self, page: str) -> None:
        """The connection of a page has ended; it is forgotten unless it comes back within the grace."""
        with self._lock:
            if page in self._by_page:
                self._leaving[page] = time.monotonic()
        if self.settings.limits.grace_s <= 0:
            self.sweep()

    def sweep(self) -> None:
        """Forget the pages that have left, and those that have done nothing for long."""
        limits, now = self.settings.limits, time.monotonic()
        with self._lock:
            gone = [
                page
                for page, session in self._by_page.items()
                if (page in self._leaving and now - max(self._leaving[page], session.seen_s) >= limits.grace_s)
                or (now - session.seen_s >= limits.idle_s and not session.is_busy)
            ]
            sessions = [self._by_page.pop(page) for page in gone]
            for page, session in zip(gone, sessions, strict=True):
                self._leaving.pop(page, None)
                del self._by_token[session.token]
        for session in sessions:
            session.close()

    def close(self) -> None:
        """End all work and remove all files."""
        self._closed.set()
        self.queue.close()
        with self._lock:
            sessions = list(self._by_page.values())
            self._by_page.clear()
            self._by_token.clear()
        for session in sessions:
            session.cancel()
        for session in sessions:
            session.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _sweep(self) -> None:
        while not self._closed.wait(5.0):
            try:
                self.sweep()
            except Exception:
                _log.exception("sweeping failed")
