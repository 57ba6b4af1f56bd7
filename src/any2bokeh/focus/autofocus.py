"""Autofocus: which subject is in focus, and when that changes.

It decides like a focus puller: on the most salient subject, for as long as it is in view. It racks when the subject is
gone for a while, or when another has been much more salient for a while, but never before a minimum hold. At a cut it
decides anew. Where detectors are at hand, a face comes before a person, and a person before everything else.
"""

from dataclasses import dataclass
from typing import get_args

import numpy as np

from any2bokeh.errors import require_choice
from any2bokeh.focus.candidates import (
    Candidate,
    candidates,
    highest_outside,
    overlap,
    preference,
    score,
    share_within,
)
from any2bokeh.focus.finder import Range
from any2bokeh.focus.pictures import views_of
from any2bokeh.focus.saliency import saliency
from any2bokeh.focus.script import FocusScript, Keyframe
from any2bokeh.focus.target import BoxTarget
from any2bokeh.focus.tracked_subjects import TrackedSubject, TrackedSubjects
from any2bokeh.motion.shots import ShotDetector
from any2bokeh.subject.detection.at_hand import Detectors, announcement, detectors_at_hand
from any2bokeh.subject.detection.detector import Detector
from any2bokeh.subject.tracker import View

# Seconds over which saliency is summed where a subject is chosen, and between two looks at what else there is.
_LOOK_S = 0.4
_LOOK_EVERY_S = 0.25
# Another subject shares less than this with the one in focus.
_ANOTHER = 0.2
# A face of which more than this lies within the one in focus is its own.
_ITS_OWN = 0.5
# What is in focus where no subject is found.
_MIDDLE = BoxTarget(0.25, 0.25, 0.75, 0.75)


@dataclass(frozen=True, slots=True)
class Autofocus:
    """Picks subjects. Its decisions are weak keyframes of an ordinary focus script, which a person can overrule.

    Attributes:
        min_hold_s: a subject in view is kept for at least so long.
        lost_hold_s: the focus is held for so long on a subject that is gone, before it racks to another.
        rack_s: how long a rack takes.
        preference: how many times as salient another subject must be.
        preference_s: and for how long.
        detect: whether faces and people are looked for; see `Detectors`.
    """

    min_hold_s: float = 2.0
    lost_hold_s: float = 0.75
    rack_s: float = 0.7
    preference: float = 1.5
    preference_s: float = 1.0
    detect: Detectors = "auto"

    def __post_init__(self) -> None:
        require_choice("detect", self.detect, get_args(Detectors))

    def find(self, subjects: TrackedSubjects, frames: Range) -> FocusScript:
        """Decide for some frames of a clip; see `FocusFinder.find`."""
        detectors = detectors_at_hand(self.detect)
        subjects.remark(announcement(detectors))
        keyframes: list[Keyframe] = []
        frame, is_cut = frames.start, False
        while frame < frames.stop:
            chosen = _choose(subjects, frames, frame, detectors)
            target = _MIDDLE if chosen is None else chosen.box
            # Where there is still no subject, there is nothing to rack to.
            if not keyframes or is_cut or target != keyframes[-1].target:
                keyframes.append(
                    Keyframe(frame, target, transition_s=self.rack_s, strength="weak", cut=is_cut and frame > 0)
                )
            watched = None if chosen is None else subjects.subject(chosen.box, frame)
            preferred = preference(None if chosen is None else chosen.kind)
            doubt = _Doubt(self, frames.fps, frame, detectors, preferred)
            frame, is_cut = self._watch(watched, subjects, frames, frame, doubt)
        return FocusScript(keyframes=tuple(keyframes))

    def _watch(
        self, watched: TrackedSubject | None, subjects: TrackedSubjects, frames: Range, chosen_at: int, doubt: "_Doubt"
    ) -> tuple[int, bool]:
        """The frame of the next decision, and whether it is the first of a new shot."""
        views = views_of(subjects.pictures, subjects.disparity, chosen_at, frames.stop)
        before = next(views)
        shot = ShotDetector(before.pixels)
        leave_at: int | None = None
        for frame, view in enumerate(views, chosen_at + 1):
            if shot.begins_shot(view.pixels):
                return frame, True
            if leave_at is None and doubt.leaves(frame, watched, view, before):
                leave_at = frame + max(1, round(self.rack_s * frames.fps))
            if frame == leave_at:
                return frame, False
            before = view
        return frames.stop, False


class _Doubt:
    """Whether it is time to leave the subject that was chosen."""

    def __init__(
        self, settings: Autofocus, fps: float, chosen_at: int, detectors: tuple[Detector, ...], preferred: float
    ) -> None:
        self._settings, self._detectors, self._preferred = settings, detectors, preferred
        self._fps = fps
        self._chosen_at = chosen_at
        self._lost_since: int | None = None
        self._outdone_since: int | None = None

    def leaves(self, frame: int, watched: TrackedSubject | None, view: View, before: View) -> bool:
        """Frames are asked about in order."""
        matte = None if watched is None else watched.matte(frame)
        if matte is None:
            self._lost_since = frame if self._lost_since is None else self._lost_since
            return frame - self._lost_since >= self._settings.lost_hold_s * self._fps
        self._lost_since = None
        held = frame - self._chosen_at
        if held % max(1, round(_LOOK_EVERY_S * self._fps)) == 0:
            salient = saliency(view, before)
            needed = self._settings.preference * (self._preferred + score(matte, salient))
            # Looking for subjects takes long, and is spared where nothing outside the present one is salient enough.
            is_outdone = (bool(self._detectors) or highest_outside(matte, salient) > needed) and any(
                other.score > needed
                for other in candidates(view, salient, self._detectors)
                if overlap(other.matte, matte) < _ANOTHER
                and (other.kind is None or share_within(other.matte, matte) < _ITS_OWN)
            )
            if not is_outdone:
                self._outdone_since = None
            elif self._outdone_since is None:
                self._outdone_since = frame
        return (
            self._outdone_since is not None
            and frame - self._outdone_since >= self._settings.preference_s * self._fps
            and held >= self._settings.min_hold_s * self._fps
        )


def _choose(subjects: TrackedSubjects, frames: Range, frame: int, detectors: tuple[Detector, ...]) -> Candidate | None:
    """The most salient subject over a moment from a frame on, as it is in that frame."""
    stop = min(frame + max(2, round(_LOOK_S * frames.fps)), frames.stop)
    views = views_of(subjects.pictures, subjects.disparity, frame, stop)
    first = before = next(views)
    shot = ShotDetector(first.pixels)
    total, count = saliency(first, None), 1
    for view in views:
        if shot.begins_shot(view.pixels):
            break
        total, count = total + saliency(view, before), count + 1
        before = view
    return next(iter(candidates(first, total / np.float32(count), detectors)), None)
