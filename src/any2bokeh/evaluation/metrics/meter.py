"""What every metric offers to the runner."""

from typing import Protocol

from any2bokeh.evaluation.metrics.picture import Picture
from any2bokeh.evaluation.metrics.source_frame import SourceFrame
from any2bokeh.evaluation.metrics.truth import TruthFrame


class SourceMeter(Protocol):
    """Scores one method on one clip, frame by frame in order, without ground truth."""

    def add(self, prediction: Picture, frame: SourceFrame) -> None:
        """Take the next frame."""
        ...

    def scores(self) -> dict[str, float]:
        """Name and value of what was measured; a metric that the clip does not allow is left out."""
        ...


class Meter(Protocol):
    """The same against ground truth."""

    def add(self, prediction: Picture, frame: TruthFrame) -> None:
        """Take the next frame."""
        ...

    def scores(self) -> dict[str, float]:
        """Name and value of what was measured; a metric that the clip does not allow is left out."""
        ...
