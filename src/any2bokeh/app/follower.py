"""The focus of every frame of a user's clip, found in the background while they go on."""

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from any2bokeh.app.depth import ClipDepth, Maps, seed_of
from any2bokeh.app.estimate import FrameEstimates
from any2bokeh.app.followed import FollowedSubjects
from any2bokeh.app.frame_pool import FramePool, ReducedMaps
from any2bokeh.app.memory import give_back_memory
from any2bokeh.app.user_message import in_words_of_page, user_message
from any2bokeh.disparity import DisparitySource
from any2bokeh.errors import InputError
from any2bokeh.focus import BoxTarget, FocusScript, PointTarget, TrackerChoice, resolve
from any2bokeh.focus.pictures import LONG_SIDE_PX
from any2bokeh.focus.tracked_subjects import OnSubjectFrame, TrackedSubjects
from any2bokeh.video import VideoSource
from any2bokeh.video.reduced import ReducedPictures, reduced_size

_log = logging.getLogger(__name__)

# Frames that are found before what is wanted is looked at anew.
_STEP = 12
# Subjects that can be followed on from where they are; each has 3 MB.
_SUBJECTS_RUNNING = 8
# Subjects that are remembered beside those of the script, in case that it is undone.
_SUBJECTS_BESIDE = 64
# Scripts whose focus is remembered, to be compared with.
_EARLIER = 4

FocusValues = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]
"""d_f, K and slab of all frames, not a number where one is not known."""

# Pictures that come one after another must not stop the tracker for good.
_STANDS_BACK_S = 0.5
# Before a clip is estimated: so soon comes the wish for the first picture, and so long it may take.
_PICTURE_WITHIN_S, _FIRST_PICTURE_S = 0.25, 4.0

Stage = Literal["idle", "estimating", "following", "ready", "failed"]


class _Superseded(Exception):
    """Something else is wanted by now."""


@dataclass(frozen=True, slots=True)
class FocusOfFrame:
    """The focus of one frame.

    Attributes:
        focus_disparity, blur_strength: d_f and K.
        is_provisional: it holds what was pointed at where the subject has not been followed to yet.
        slab: half width in disparity of what stays sharp about d_f; see ``FocusTrack``.
    """

    focus_disparity: float
    blur_strength: float
    is_provisional: bool
    slab: float = 0.0


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the finding is.

    Attributes:
        stage: what is being done.
        done, total: frames.
        message: what went wrong, where it failed.
        remarks: what looks wrong but may be meant.
    """

    stage: Stage = "idle"
    done: int = 0
    total: int = 0
    message: str = ""
    remarks: tuple[str, ...] = ()


class FocusFollower:
    """Finds the focus of a clip for the newest script that is wanted, in a thread of its own.

    Args:
        source: the clip.
        depth: its disparity.
        tracker: what follows subjects.
        estimates: disparity of single frames, until that of the clip is there.
        told: called when more is known, from any thread.
    """

    def __init__(
        self,
        source: VideoSource,
        depth: ClipDepth,
        tracker: TrackerChoice,
        estimates: FrameEstimates,
        told: Callable[[], None] = lambda: None,
    ) -> None:
        self._source, self._depth, self._tracker, self._told = source, depth, tracker, told
        self._estimates = estimates
        self._changed = threading.Condition()
        self._closed = False
        self._wanted: FocusScript | None = None
        self._strokes = depth.strokes
        self._anchor = 0
        self._is_new = False
        count = source.info.frame_count
        self.focus = np.full(count, np.nan)
        self.blur = np.full(count, np.nan)
        self.slab = np.zeros(count)
        self.progress = Progress()
        self.followed = FollowedSubjects()
        self._earlier: deque[tuple[FocusScript, FocusValues]] = deque(maxlen=_EARLIER)
        self._following: _Following | None = None
        self._pictures = 0
        self._quick: tuple[Maps, DisparitySource] | None = None
        self._quick_lock = threading.Lock()
        self._thread = threading.Thread(target=self._work, name="any2bokeh focus", daemon=True)
        self._thread.start()

    def want(self, script: FocusScript | None, frame: int) -> None:
        """Find the focus for a script, the frames around the given one first."""
        with self._changed:
            is_same = script == self._wanted and self._strokes == self._depth.strokes
            if is_same and self.progress.stage != "failed":
                return
            if self._wanted is not None and self._strokes == self._depth.strokes:
                values = self.focus.copy(), self.blur.copy(), self.slab.copy()
                self._earlier = deque((each for each in self._earlier if each[0] != self._wanted), _EARLIER)
                self._earlier.append((self._wanted, values))
            self._strokes = self._depth.strokes
            self._wanted, self._anchor, self._is_new = script, frame, True
            self.focus[:], self.blur[:] = np.nan, np.nan
            self.progress = Progress("following" if script else "idle", 0, len(self.focus))
            self._changed.notify_all()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """While a picture is made that somebody waits for: the tracker pauses before its next frame."""
        with self._changed:
            self._pictures += 1
        try:
            yield
        finally:
            with self._changed:
                self._pictures -= 1
                self._changed.notify_all()

    def at(self, frame: int) -> FocusOfFrame | None:
        """The focus of a frame; None where nothing is in focus.

        What is not known yet is what a keyframe points at, held, in the disparity that there is; where there is none,
        in an estimate of single frames.

        Raises:
            InputError: the script does not fit the clip.
        """
        with self._changed:
            script, known = self._wanted, self.known(frame)
        if script is None or known is not None:
            return known
        maps = self._depth.nearest(script)
        with self._quick_lock:
            if maps is not None and (self._quick is None or self._quick[0] != maps):
                self._quick = maps, self._depth.opened(maps)
            disparity = self._estimates.of(script) if maps is None or self._quick is None else self._quick[1]
            track = self._resolved(_held(script), disparity, frame, frame + 1, None)
        return FocusOfFrame(float(track.focus_disparity[0]), float(track.blur_strength[0]), True)

    def is_wanted(self, script: FocusScript) -> bool:
        """Whether this is the script whose focus ``at`` tells."""
        with self._changed:
            return self._wanted == script

    def earlier(self, script: FocusScript, frame: int) -> FocusOfFrame | None:
        """The focus of a frame under a script that was wanted before; None where it is not remembered."""
        with self._changed:
            known = [values for each, values in self._earlier if each == script]
            focus, blur, slab = (float(each[frame]) for each in known[-1]) if known else (np.nan, np.nan, 0.0)
        return None if np.isnan(focus) else FocusOfFrame(focus, blur, False, slab)

    def known(self, frame: int) -> FocusOfFrame | None:
        """The focus of a frame, where it has been found."""
        with self._changed:
            focus, blur, slab = float(self.focus[frame]), float(self.blur[frame]), float(self.slab[frame])
            return None if self._wanted is None or np.isnan(focus) else FocusOfFrame(focus, blur, False, slab)

    def found(self, script: FocusScript) -> FocusScript | None:
        """What a script comes to in every frame, dense; None where that is not all known, or another is wanted."""
        with self._changed:
            if self._wanted != script or bool(np.isnan(self.focus).any()):
                return None
            if script.dense is not None:
                return script
            return FocusScript.from_dense(self.focus.tolist(), self.blur.tolist(), self.slab.tolist())

    def is_finding(self, script: FocusScript) -> bool:
        """Whether it will be known, if one waits."""
        with self._changed:
            is_at_work = self.progress.stage in ("estimating", "following", "ready")
            return self._wanted == script and is_at_work and not self._closed

    def close(self) -> None:
        """End the work and close the clip that it reads; returns when it has ended."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._source.close()  # a decoder in the midst of its work comes to an end
        self._thread.join(timeout=30)

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closed or self._is_new)
                if self._closed:
                    break
                script, anchor, self._is_new = self._wanted, self._anchor, False
            if script is None:
                continue
            try:
                self._find(script, anchor)
            except _Superseded:
                continue
            except InputError as error:
                if self._closed:
                    break
                self._tell(script, Progress("failed", message=user_message(error, doing="following the subject")))
            except Exception:
                if self._closed:
                    break
                _log.exception("finding the focus failed")
                self._tell(
                    script,
                    Progress("failed", message="the focus could not be determined; the studio's log has the reason"),
                )
        if self._following is not None:
            self._following.close()

    def _find(self, script: FocusScript, anchor: int) -> None:
        if self._depth.ready(script) is None:
            self._let_picture_go_first()
        maps = self._depth.made(script, self._reporter("estimating", script))
        following = self._following_in(maps)
        pointed_at = {(keyframe.target, keyframe.frame) for keyframe in script.keyframes}
        following.subjects.forget(pointed_at, most=_SUBJECTS_BESIDE)
        count = self._source.info.frame_count
        steps = [(start, min(start + _STEP, count)) for start in range(0, count, _STEP)]
        steps.sort(key=lambda step: not step[0] <= anchor < step[1])  # stable: the rest stays in order
        done = 0
        remarks: tuple[str, ...] = ()
        for start, stop in steps:
            self._require_wanted(script)
            track = self._resolved(script, following.maps, start, stop, following.subjects)
            following.subjects.rest(most=_SUBJECTS_RUNNING)
            done += stop - start
            remarks = tuple(dict.fromkeys((*remarks, *map(in_words_of_page, track.warnings))))
            with self._changed:
                if self._wanted is not script or self._is_new:
                    raise _Superseded
                self.focus[start:stop], self.blur[start:stop] = track.focus_disparity, track.blur_strength
                self.slab[start:stop] = track.slab
                stage: Stage = "ready" if done == count else "following"
                self.progress = Progress(stage, done, count, remarks=remarks)
            self._told()
        give_back_memory()

    def _resolved(
        self, script: FocusScript, disparity: DisparitySource, start: int, stop: int, subjects: TrackedSubjects | None
    ):
        info = self._source.info
        return resolve(
            script,
            disparity=disparity,
            frame_count=info.frame_count,
            fps=info.fps,
            start=start,
            stop=stop,
            frame_size=(info.width, info.height),
            subjects=subjects,
            finds_slab=True,
        )

    def _following_in(self, maps: Maps) -> "_Following":
        """What follows subjects in a disparity; what it has followed already it knows."""
        if self._following is None or self._following.of != maps:
            if self._following is not None:
                self._following.close()
            self.followed.forget_all_but(())
            self._following = _Following(
                maps,
                self._depth.opened(maps),
                self._source,
                self._tracker,
                stand_back=self.stand_back,
                note=self.followed.note,
            )
        return self._following

    def stand_back(self) -> None:
        """Wait until no picture is being made that somebody waits for, or for a while."""
        with self._changed:
            self._changed.wait_for(lambda: self._pictures == 0 or self._closed, timeout=_STANDS_BACK_S)

    def _let_picture_go_first(self) -> None:
        """Until the picture has been made that whoever has clicked waits for."""
        with self._changed:
            is_over = self._changed.wait_for(lambda: self._pictures > 0 or self._closed, timeout=_PICTURE_WITHIN_S)
            if is_over:
                self._changed.wait_for(lambda: self._pictures == 0 or self._closed, timeout=_FIRST_PICTURE_S)

    def _reporter(self, stage: Stage, script: FocusScript) -> Callable[[int, int], None]:
        seed = seed_of(script, self._source)

        def report(done: int, total: int) -> None:
            with self._changed:
                if self._closed or self._wanted is None or seed_of(self._wanted, self._source) != seed:
                    raise _Superseded
                self.progress = Progress(stage, done, total)
            self._told()
            self.stand_back()

        return report

    def _require_wanted(self, script: FocusScript) -> None:
        with self._changed:
            if self._closed or self._is_new or self._wanted is not script:
                raise _Superseded

    def _tell(self, script: FocusScript, progress: Progress) -> None:
        with self._changed:
            if self._wanted is script:
                self.progress = progress
        self._told()


class _Following:
    """The subjects of a clip that are followed in one disparity, with few decoders however many subjects there are.

    Args:
        of: where the disparity is.
        maps: it.
        source: the clip.
        tracker: what follows them.
        stand_back: called before each frame.
        note: called with each frame of each subject.
    """

    def __init__(
        self,
        of: Maps,
        maps: DisparitySource,
        source: VideoSource,
        tracker: TrackerChoice,
        *,
        stand_back: Callable[[], None],
        note: OnSubjectFrame,
    ) -> None:
        self.of, self.maps = of, maps
        reduced = ReducedPictures(source, long_side_px=LONG_SIDE_PX)
        self._pictures = FramePool(reduced.frames, source.info.frame_count)
        self._maps = ReducedMaps(maps, reduced_size(source.info, LONG_SIDE_PX))
        self.subjects = TrackedSubjects(
            self._pictures,
            self._maps,
            tracker,
            on_tracked_frame=lambda frame, tracked: stand_back(),
            on_subject_frame=note,
        )

    def close(self) -> None:
        self.subjects.close()
        self._pictures.close()
        self._maps.close()


def _held(script: FocusScript) -> FocusScript:
    """The script with what is pointed at held, instead of followed."""
    return replace(
        script,
        keyframes=tuple(
            replace(k, target=replace(k.target, track=False)) if isinstance(k.target, PointTarget | BoxTarget) else k
            for k in script.keyframes
        ),
    )


def samples(values: NDArray[np.float64], most: int) -> list[float | None]:
    """So many values of a track, evenly over it; None where one is not known yet."""
    count = min(len(values), most)
    places = np.linspace(0, len(values) - 1, count).round().astype(int) if count else []
    return [None if np.isnan(values[place]) else round(float(values[place]), 4) for place in places]
