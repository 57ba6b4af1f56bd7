"""How much of a large frame is done: its edges first, which is a part of the work, then its picture."""

from collections.abc import Callable

_EDGES = 0.3
"""Of the work on a frame, its edges; in a still of 50 megapixels at K = 16."""


class FrameShares:
    """Makes one share of what is told by those who treat the edges of a frame and who render it.

    While the first frame waits for its edges nothing is rendered, so these are told; those of other frames are treated
    while the frame before is rendered, whose share is told.

    Args:
        tell: called with how much of the frame is done, to 1, in the thread that does it.
    """

    def __init__(self, tell: Callable[[float], None]) -> None:
        self._tell = tell
        self._is_rendering = False
        self._before = 0.0

    def treated(self, share: float) -> None:
        """So much of the edges of a frame is done."""
        if not self._is_rendering:
            self._before = _EDGES
            self._tell(_EDGES * share)

    def rendered(self, share: float) -> None:
        """So much of the picture of a frame is done."""
        self._is_rendering = True
        self._tell(self._before + (1 - self._before) * share)
        if share == 1:
            self._before = 0.0
