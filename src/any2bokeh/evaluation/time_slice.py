"""One row of every frame of a clip, one below the other: what flickers shows as combs and breaks."""

import numpy as np

from any2bokeh.evaluation.clips import EvaluationClip
from any2bokeh.evaluation.metrics.picture import Picture
from any2bokeh.evaluation.metrics.source_frame import SourceFrame

MOST_ROWS = 480
"""Of longer clips frames are left out evenly, so that memory does not grow with their length."""


class TimeSlice:
    """Collects a row of each frame.

    It is the row in which the subject of the first frame is widest; the middle one where none is seen there.

    Args:
        clip: whose frames they are.
    """

    def __init__(self, clip: EvaluationClip) -> None:
        self._step = -(-clip.frame_count // MOST_ROWS)
        self._seen = 0
        self._row = clip.height // 2
        self._rows: list[Picture] = []

    def add(self, picture: Picture, frame: SourceFrame) -> None:
        """Take the next frame."""
        if self._seen == 0 and frame.subject is not None and frame.subject.any():
            self._row = int(frame.subject.sum(axis=1).argmax())
        if self._seen % self._step == 0:
            self._rows.append(picture[self._row].copy())
        self._seen += 1

    def picture(self) -> Picture:
        """``(t, W, 3)``."""
        return np.stack(self._rows)
