"""A clip's disparity with the strokes of a person."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from any2bokeh.disparity.mending.brush import painted
from any2bokeh.disparity.mending.carrying import StrokeCarrier
from any2bokeh.disparity.mending.stroke import Stroke
from any2bokeh.disparity.source import DisparitySource, inverse_metres_per_unit
from any2bokeh.errors import InputError
from any2bokeh.video import VideoSource


class MendedDisparity:
    """Maps with strokes on them, painted as they are read: a ``DisparitySource``. They keep their size.

    Args:
        maps: the maps.
        strokes: counted like the clip's frames.
        carrier: carries them; of the clip.
        first: frame of the clip that the first map is of.
    """

    def __init__(
        self, maps: DisparitySource, strokes: tuple[Stroke, ...], carrier: StrokeCarrier, *, first: int = 0
    ) -> None:
        self.maps, self._strokes, self._carrier, self._first = maps, strokes, carrier, first

    @property
    def frame_count(self) -> int:
        """Of the maps."""
        return self.maps.frame_count

    @property
    def inverse_metres_per_unit(self) -> float | None:
        """Of the maps; see the function of that name."""
        return inverse_metres_per_unit(self.maps)

    def frames(self, start: int = 0, stop: int | None = None) -> Iterator[NDArray[np.float32]]:
        """Maps of frames ``start`` to ``stop`` (exclusive; the end where None), in order, ``(1, h, w)`` each."""
        stop = self.frame_count if stop is None else stop
        for index, disparity in enumerate(self.maps.frames(start, stop), start):
            yield self._mended(disparity, index, stop)

    def at(self, index: int) -> NDArray[np.float32]:
        """The map of one frame, ``(1, h, w)``."""
        return self._mended(self.maps.at(index), index, None)

    def _mended(self, disparity: NDArray[np.float32], index: int, stop: int | None) -> NDArray[np.float32]:
        placed = self._carrier.placed(
            self._strokes, self._first + index, stop=None if stop is None else self._first + stop
        )
        values = disparity[0]
        for stroke, placement in placed:
            values = painted(values, stroke, placement.points, placement.scale)
        return values[None] if placed else disparity


def mended(
    maps: DisparitySource,
    source: VideoSource,
    strokes: tuple[Stroke, ...],
    *,
    carrier: StrokeCarrier | None = None,
    first: int = 0,
) -> DisparitySource:
    """Maps with strokes; the maps themselves where there are none.

    Args:
        maps: of ``source`` from frame ``first`` on.
        source: the clip.
        strokes: counted like its frames.
        carrier: what carries strokes of this clip already; None = a new one.
        first: see ``maps``.

    Raises:
        InputError: a stroke lies beyond the end of the clip.
    """
    if not strokes:
        return maps
    count = source.info.frame_count
    for number, stroke in enumerate(strokes):
        if stroke.frame >= count:
            raise InputError(
                f"brush stroke {number} is on frame {stroke.frame}, but {source.info.path} has frames 0 to "
                f"{count - 1}; the strokes belong to another clip"
            )
    return MendedDisparity(maps, strokes, carrier or StrokeCarrier(source), first=first)
