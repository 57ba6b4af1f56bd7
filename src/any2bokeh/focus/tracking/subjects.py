"""The subjects of a clip that are followed, each once."""

from typing import TYPE_CHECKING, Protocol

from any2bokeh.disparity.source import DisparitySource
from any2bokeh.focus.pictures import Pictures
from any2bokeh.focus.target import BoxTarget, PointTarget
from any2bokeh.focus.tracking.subject import OnSighting, TrackedSubject

if TYPE_CHECKING:
    from any2bokeh.focus.tracking.tracker import Tracker


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
        on_sighting: called with the frame and the sighting of every frame of every subject.
    """

    def __init__(
        self,
        pictures: Pictures,
        disparity: DisparitySource,
        tracker: LoadsTracker,
        *,
        on_sighting: OnSighting | None = None,
    ) -> None:
        self.pictures = pictures
        self.disparity = disparity
        self._wanted = tracker
        self._on_sighting = on_sighting
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

    def subject(self, target: PointTarget | BoxTarget, frame: int) -> TrackedSubject:
        """The subject that a target shows in a frame."""
        key = (target, frame)
        if key not in self._subjects:
            self._subjects[key] = TrackedSubject(
                target,
                frame,
                tracker=self.tracker,
                pictures=self.pictures,
                disparity=self.disparity,
                on_sighting=self._on_sighting,
            )
        return self._subjects[key]

    def warnings(self) -> tuple[str, ...]:
        """Which tracker is at work where that is worth a remark, and what looks wrong about the subjects so far."""
        return (*self._remarks, *(warning for subject in self._subjects.values() for warning in subject.warnings()))

    def close(self) -> None:
        """Stop reading the clip; what was read is kept."""
        for subject in self._subjects.values():
            subject.close()
