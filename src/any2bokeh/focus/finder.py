"""What finds the subject of a clip by itself."""

from dataclasses import dataclass
from typing import Protocol

from any2bokeh.focus.script import FocusScript
from any2bokeh.focus.tracked_subjects import TrackedSubjects


@dataclass(frozen=True, slots=True)
class Range:
    """Frames of a clip.

    Attributes:
        start, stop: the frames ``start <= index < stop``.
        fps: frames per second of the clip.
        first: number that the video gives the clip's frame 0, where the clip is a part of a video.
    """

    start: int
    stop: int
    fps: float
    first: int = 0


class FocusFinder(Protocol):
    """Looks at a clip and says what should be in focus."""

    def find(self, subjects: TrackedSubjects, frames: Range) -> FocusScript:
        """Decide for some frames of a clip.

        Args:
            subjects: the clip, and what follows subjects in it; what is followed here need not be followed again.
            frames: which frames; nothing outside them is looked at.

        Returns:
            An ordinary focus script, without blur strengths, counted from the clip's first frame.

        Raises:
            InputError: nothing is found, or a model is missing.
        """
        ...
