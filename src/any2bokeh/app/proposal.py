"""Keyframes that are proposed for a clip: autofocus picks subjects, and its user goes on from there."""

import logging
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from typing import Literal

from any2bokeh.app.depth import ClipDepth
from any2bokeh.app.user_message import in_words_of_page
from any2bokeh.errors import InputError
from any2bokeh.focus import FocusScript, TrackerChoice
from any2bokeh.focus.pictures import LONG_SIDE_PX
from any2bokeh.video import VideoSource
from any2bokeh.video.reduced import ReducedPictures

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ProposalProgress:
    """How far a proposal is.

    Attributes:
        state: what has become of it.
        done, total: frames that were looked at.
        message: what went wrong, where it failed.
    """

    state: Literal["idle", "running", "failed"] = "idle"
    done: int = 0
    total: int = 0
    message: str = ""


class _Cancelled(Exception):
    pass


class Proposer:
    """Finds keyframes in a thread of its own, for one clip.

    Args:
        source: the clip.
        depth: its disparity.
        tracker: what follows subjects.
        told: called when it has gone on, from any thread.
    """

    def __init__(
        self,
        source: VideoSource,
        depth: ClipDepth,
        tracker: TrackerChoice,
        told: Callable[[], None] = lambda: None,
    ) -> None:
        self._source, self._depth, self._tracker, self._told = source, depth, tracker, told
        self.progress = ProposalProgress()
        self._run: threading.Event | None = None  # of the newest run: set to end it
        self._lock = threading.Lock()  # of both

    def begin(
        self, part: tuple[int, int], found: Callable[[FocusScript], None], lock: AbstractContextManager[object]
    ) -> None:
        """Look at the frames ``first <= index < end``.

        Args:
            part: first and end.
            found: called with the keyframes, which give no blur strength, unless they were cancelled.
            lock: of the session. It is held while ``found`` is called, so that no edit cancels them just then.

        Raises:
            InputError: it is looking already.
        """
        with self._lock:
            if self.progress.state == "running":
                raise InputError("keyframes are already being looked for; wait until they are there")
            self._run = threading.Event()
            self.progress = ProposalProgress("running", 0, part[1] - part[0])
            work = (part, found, lock, self._run)
        threading.Thread(target=self._work, args=work, name="any2bokeh proposal", daemon=True).start()

    def cancel(self) -> None:
        """End it, if it goes on."""
        with self._lock:
            if self._run is not None:
                self._run.set()
                self._run = None
                self.progress = ProposalProgress()

    def _work(
        self,
        part: tuple[int, int],
        found: Callable[[FocusScript], None],
        lock: AbstractContextManager[object],
        is_over: threading.Event,
    ) -> None:
        try:
            script = self._find(part, is_over)
            with lock:
                self._is_now(ProposalProgress(), is_over)
                found(script)
        except _Cancelled:
            pass
        except InputError as error:
            self._fail(is_over, in_words_of_page(str(error)))
        except Exception:
            if not is_over.is_set():
                _log.exception("proposing keyframes failed")
            self._fail(is_over, "no keyframes could be proposed; the studio's log has the reason")
        self._told()

    def _fail(self, is_over: threading.Event, message: str) -> None:
        with suppress(_Cancelled):
            self._is_now(ProposalProgress("failed", message=message), is_over)

    def _is_now(self, progress: ProposalProgress, is_over: threading.Event) -> None:
        """Say how far a run is, unless it has been cancelled: another may have begun."""
        with self._lock:
            if is_over.is_set():
                raise _Cancelled
            self.progress = progress

    def _find(self, part: tuple[int, int], is_over: threading.Event) -> FocusScript:
        from any2bokeh.focus.autofocus import Autofocus
        from any2bokeh.focus.finder import Range
        from any2bokeh.focus.tracked_subjects import TrackedSubjects

        def goes_on(done: int) -> None:
            if done != self.progress.done:
                self._is_now(ProposalProgress("running", done, part[1] - part[0]), is_over)
                self._told()
            elif is_over.is_set():
                raise _Cancelled

        path = self._depth.made(None, lambda done, total: goes_on(0))
        pictures = ReducedPictures(self._source, long_side_px=LONG_SIDE_PX)
        subjects = TrackedSubjects(
            pictures,
            self._depth.opened(path),
            self._tracker,
            on_tracked_frame=lambda frame, tracked: goes_on(frame + 1 - part[0]),
        )
        try:
            return Autofocus().find(subjects, Range(*part, fps=float(self._source.info.fps)))
        finally:
            subjects.close()
