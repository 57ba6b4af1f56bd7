"""A clip's disparity at the size of its pictures, its edges theirs."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from any2bokeh.disparity.refine import Edges, refine
from any2bokeh.disparity.source import DisparitySource
from any2bokeh.video import VideoSource


class RefinedDisparity:
    """Small maps, refined frame by frame as they are read: a ``DisparitySource``; see ``refine``.

    Args:
        disparity: the small maps.
        source: the pictures.
        start: frame of ``source`` that the first map is of.
        edges: see ``Edges``.
    """

    def __init__(self, disparity: DisparitySource, source: VideoSource, *, start: int = 0, edges: Edges) -> None:
        self._maps = disparity
        self._source = source
        self._start = start
        self._edges: Edges = edges

    @property
    def frame_count(self) -> int:
        """Of the maps."""
        return self._maps.frame_count

    def frames(self, start: int = 0, stop: int | None = None) -> Iterator[NDArray[np.float32]]:
        """Maps of frames ``start`` to ``stop`` (exclusive; the end where None), in order, ``(1, H, W)`` each."""
        stop = self.frame_count if stop is None else stop
        pictures = self._source.frames(self._start + start, self._start + stop)
        for disparity, picture in zip(self._maps.frames(start, stop), pictures, strict=True):
            yield refine(disparity, picture.pixels, edges=self._edges)

    def at(self, index: int) -> NDArray[np.float32]:
        """The map of one frame, ``(1, H, W)``."""
        [refined] = self.frames(index, index + 1)
        return refined
