"""The subjects of a clip that are followed, each once from its keyframe on: their disparity in every frame."""

from collections.abc import Callable, Container, Generator
from itertools import count, tee
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from any2bokeh.disparity.source import DisparitySource
from any2bokeh.focus.mask import Subject, subject_of
from any2bokeh.focus.pictures import Pictures, views_of
from any2bokeh.focus.target import BoxTarget, PointTarget
from any2bokeh.subject.point import disparity_at_point, disparity_in_box
from any2bokeh.subject.scenery import is_scenery
from any2bokeh.subject.seed import BoxSeed, PointSeed, Seed

if TYPE_CHECKING:
    from any2bokeh.subject.tracker import TrackedFrame, Tracker

OnTrackedFrame = Callable[[int, "TrackedFrame"], None]
OnSubjectFrame = Callable[[PointTarget | BoxTarget, int, int, "TrackedFrame"], None]

_clock = count()
# Less of a subject than this share of the frames is remarked on.
_SEEN_SHARE = 0.5


class LoadsTracker(Protocol):
    """What knows which tracker is wanted, such as `TrackerChoice`."""

    def load(self) -> "tuple[Tracker, str | None]":
        """The tracker, and a line that announces it, or None."""
        ...


class TrackedSubjects:
    """Follows what keyframes point at. The tracker is loaded when the first subject is asked for.

    Args:
        pictures: of the clip.
        disparity: of the clip, with frames counted likewise.
        tracker: which tracker is wanted.
        on_tracked_frame: called with every frame of every subject, and what it shows of it.
        on_subject_frame: the same, told what was pointed at and in which frame before.
    """

    def __init__(
        self,
        pictures: Pictures,
        disparity: DisparitySource,
        tracker: LoadsTracker,
        *,
        on_tracked_frame: OnTrackedFrame | None = None,
        on_subject_frame: OnSubjectFrame | None = None,
    ) -> None:
        self.pictures = pictures
        self.disparity = disparity
        self._wanted = tracker
        self._on_tracked_frame, self._on_subject_frame = on_tracked_frame, on_subject_frame
        self._loaded: Tracker | None = None
        self._remarks: list[str] = []
        self._subjects: dict[tuple[PointTarget | BoxTarget, int], TrackedSubject] = {}

    @property
    def tracker(self) -> "Tracker":
        """The tracker.

        Raises:
            InputError: its model is not on this machine, or is not one.
        """
        if self._loaded is None:
            self._loaded, remark = self._wanted.load()
            self._remarks += [remark] if remark else []
        return self._loaded

    def remark(self, line: str | None) -> None:
        """Have a line told with the warnings, once; None is no line."""
        if line is not None and line not in self._remarks:
            self._remarks.append(line)

    def subject(self, target: PointTarget | BoxTarget, frame: int) -> "TrackedSubject":
        """The subject that a target shows in a frame."""
        key = (target, frame)
        if key not in self._subjects:
            self._subjects[key] = TrackedSubject(
                target,
                frame,
                tracker=self.tracker,
                pictures=self.pictures,
                disparity=self.disparity,
                on_tracked_frame=self._heard_by(target, frame),
            )
        return self._subjects[key]

    def _heard_by(self, target: PointTarget | BoxTarget, first: int) -> OnTrackedFrame | None:
        told, told_of = self._on_tracked_frame, self._on_subject_frame
        if told_of is None:
            return told

        def both(frame: int, tracked: "TrackedFrame") -> None:
            if told:
                told(frame, tracked)
            told_of(target, first, frame, tracked)

        return both

    def forget(self, others_than: Container[tuple[object, int]], *, most: int) -> None:
        """Forget the subjects of other targets and frames than some, where there are more of them than ``most``."""
        others = [key for key in self._subjects if key not in others_than]
        for key in others[: max(0, len(others) - most)]:
            self._subjects.pop(key).close()

    def rest(self, *, most: int) -> None:
        """Let go of the state of all trackers but those of the subjects that were followed last."""
        for subject in sorted(self._subjects.values(), key=lambda subject: subject.followed_at)[:-most]:
            subject.rest()

    def warnings(self) -> tuple[str, ...]:
        """Which tracker is at work where that is worth a remark, and what looks wrong about the subjects so far."""
        return (*self._remarks, *(warning for subject in self._subjects.values() for warning in subject.warnings()))

    def close(self) -> None:
        """Stop reading the clip; what was read is kept."""
        for subject in self._subjects.values():
            subject.close()


class TrackedSubject:
    """The subject that a seed points at, followed forward; each frame is tracked once, when it is first asked for.

    Only a few numbers a frame are kept. Scenery (a wall, the ground) has no outline that could be followed: its
    disparity where it was pointed at is held.

    Args:
        seed: where the subject is.
        frame: in which frame.
        tracker: what follows it.
        pictures: of the clip.
        disparity: of the clip.
        on_tracked_frame: called with every frame and what it shows of the subject, in order.

    Attributes:
        title: what messages call it.
        frame_count: frames that can be asked for.
        followed_at: greater for those that were followed later.
    """

    def __init__(
        self,
        seed: Seed,
        frame: int,
        *,
        tracker: "Tracker",
        pictures: Pictures,
        disparity: DisparitySource,
        on_tracked_frame: OnTrackedFrame | None = None,
    ) -> None:
        self.title = f"the subject of frame {frame}"
        self.frame_count = disparity.frame_count
        self._first = frame
        self._on_tracked_frame = on_tracked_frame
        self._seen: list[Subject] = []
        self._newest: TrackedFrame | None = None
        self._seed = seed
        self._held: Subject | None = None
        self._begin = lambda: _tracked(seed, frame, tracker, pictures, disparity)
        self._tracked: Generator[tuple[TrackedFrame, NDArray[np.float32]], None, None] | None = self._begin()
        self.followed_at = next(_clock)

    def disparity(self, frame: int) -> float | None:
        """Disparity of the subject in a frame, None where it is not in view and before the frame of the seed."""
        return self._subject(frame).disparity

    def slab(self, frame: int) -> float | None:
        """Half width of a slab that holds the subject in a frame, None where `disparity` is."""
        subject = self._subject(frame)
        return None if subject.disparity is None else subject.slab

    def matte(self, frame: int) -> NDArray[np.float32] | None:
        """Matte of the subject in the newest frame that was tracked, or in one after it; None where it is not in view.

        Raises:
            ValueError: the frame is an older one, whose matte is not kept.
        """
        if frame < self._first + len(self._seen) - 1:
            raise ValueError(f"the matte of frame {frame} is not kept")
        seen = self.disparity(frame) is not None
        return self._newest.matte if seen and self._newest is not None else None

    def read_ahead(self, start: int, stop: int) -> None:
        """Frames are tracked in order in any case; here to be read like a mask."""

    def warnings(self) -> tuple[str, ...]:
        """What looks wrong about the frames tracked so far."""
        seen = sum(subject.disparity is not None for subject in self._seen)
        if not self._seen or seen >= _SEEN_SHARE * len(self._seen):
            return ()
        return (
            f"{self.title} is seen in only {seen} of {len(self._seen)} frames, and the focus is held in the "
            f"others; give another keyframe where it comes back, or a mask",
        )

    def close(self) -> None:
        """Stop reading the clip."""
        if self._tracked is not None:
            self._tracked.close()

    def rest(self) -> None:
        """Let go of the tracker's state; to follow the subject further, it is followed from its first frame again."""
        self.close()
        self._tracked = self._newest = None

    def _subject(self, frame: int) -> Subject:
        if frame < self._first:
            return Subject(None)
        while len(self._seen) <= frame - self._first:
            self._track_one()
        return self._seen[frame - self._first]

    def _track_one(self) -> None:
        if self._held is not None:
            self._seen.append(self._held)
            return
        if self._tracked is None:
            self._tracked = self._begin()
            for _ in self._seen:
                next(self._tracked)
        self.followed_at = next(_clock)
        tracked, disparity = next(self._tracked)
        if not self._seen and is_scenery(tracked.matte, disparity):
            self._held = Subject(_disparity_at(self._seed, disparity, tracked))
            self.close()
            self._seen.append(self._held)
            return
        self._newest = tracked
        if self._on_tracked_frame:
            self._on_tracked_frame(self._first + len(self._seen), tracked)
        self._seen.append(subject_of(tracked.matte, disparity[None]) if tracked.visible else Subject(None))


def _disparity_at(seed: Seed, disparity: NDArray[np.float32], tracked: "TrackedFrame") -> float | None:
    match seed:
        case PointSeed():
            return disparity_at_point(disparity[None], seed.x, seed.y)
        case BoxSeed():
            return disparity_in_box(disparity[None], seed.x0, seed.y0, seed.x1, seed.y1)
        case _:
            return subject_of(tracked.matte, disparity[None]).disparity


def _tracked(
    seed: Seed, frame: int, tracker: "Tracker", pictures: Pictures, disparity: DisparitySource
) -> Generator[tuple["TrackedFrame", NDArray[np.float32]], None, None]:
    """What is seen of the subject from a frame to the end, with the disparity at the size of its matte."""
    views, again = tee(views_of(pictures, disparity, frame))
    for tracked in tracker.track(views, seed):
        reduced = next(again).disparity
        assert reduced is not None
        yield tracked, reduced
