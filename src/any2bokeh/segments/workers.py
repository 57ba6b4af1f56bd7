"""Who renders segments elsewhere than in the process that joins them."""

from collections.abc import Callable
from typing import Protocol

from any2bokeh.events import Watch
from any2bokeh.segments.cut import Segment
from any2bokeh.segments.order import Order


class SegmentWorkers(Protocol):
    """Other processes, on this machine or on others, which see the clip and the result under the same paths."""

    def look(self, order: Order, notice: Callable[[str], None] | None) -> None:
        """Find disparity and focus of the clip, and keep them beside the segments.

        Raises:
            InputError: see ``Shot.open``; or the workers do not see what this process sees.
        """
        ...

    def stop(self) -> None:
        """Let what is under way in other threads fail as soon as it can; harmless when called twice."""
        ...

    def render(
        self,
        order: Order,
        segments: list[Segment],
        progress: Callable[[int, int], None],
        notice: Callable[[str], None] | None,
        watch: Watch | None = None,
    ) -> int:
        """Render segments, in any order.

        Args:
            order: what is rendered.
            segments: that are missing.
            progress: called with the frames done and the frames of all these segments.
            notice: told which frames turned out damaged.
            watch: told of each segment: queued, finished or failed.

        Returns:
            The frame after the last one of the clip; that of the last segment unless the clip ends early.

        Raises:
            InputError: a segment failed; no task is left then, nor on any other exception.
        """
        ...
