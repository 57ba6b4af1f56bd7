"""What every metric offers to the runner."""

from typing import Protocol

from any2bokeh.evaluation.metrics.picture import Picture
from any2bokeh.evaluation.metrics.truth import TruthFrame


class Meter(Protocol):
    """Scores one method on one clip, frame by frame in order."""

    def add(self, prediction: Picture, frame: TruthFrame) -> None:
        """Take the next frame."""
        ...

    def scores(self) -> dict[str, float]:
        """Name and value of what was measured; a metric that the clip does not allow is left out."""
        ...
