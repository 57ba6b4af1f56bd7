"""Frames of a clip with their edges treated, and steadied by the frames around them, and what these saw behind them."""

import math
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from any2bokeh.disparity.edges.bands import (
    LARGE_PX,
    BandPixels,
    EdgeBands,
    EdgeEstimator,
    MixedPixels,
    PlacesFirst,
    TreatedMap,
    TreatsInStrips,
)
from any2bokeh.plate import stream
from any2bokeh.plate.hidden import HiddenBackground
from any2bokeh.plate.silhouette import REACH, Silhouette
from any2bokeh.plate.view import View

Told = Callable[[float], None]
"""See ``TreatedFrame.of``."""

BACK, AHEAD = stream.BACK + REACH, stream.AHEAD + REACH
"""How many frames before and after a frame have a say in what it gets."""


@dataclass(frozen=True, slots=True, eq=False)
class TreatedFrame:
    """A frame with its map at the size of the picture, and the pixels that two surfaces share.

    Attributes:
        index: of the frame in its clip.
        pixels: ``(3, H, W)``.
        disparity: ``(1, H, W)``.
        mixed: what two surfaces share.
    """

    index: int
    pixels: NDArray[np.float32]
    disparity: NDArray[np.float32]
    mixed: MixedPixels

    @classmethod
    def of(
        cls,
        index: int,
        pixels: NDArray[np.float32],
        disparity: NDArray[np.float32],
        edges: EdgeEstimator | None,
        told: Told | None = None,
    ) -> Self:
        """A frame treated by itself; only brought to the size of the picture where ``edges`` is None.

        ``told`` is called with how much of a large one is done, to 1; what it raises ends the work.
        """
        from any2bokeh.disparity import upsample
        from any2bokeh.disparity.edges.sized import treated_at_size

        if edges is None:
            return cls._of(index, pixels, TreatedMap.none(upsample(disparity, pixels)))
        return cls._of(index, pixels, treated_at_size(edges, disparity, pixels, told=told))

    @classmethod
    def _of(cls, index: int, pixels: NDArray[np.float32], treated: TreatedMap) -> Self:
        return cls(index, pixels, treated.disparity, treated.mixed)


class FrameTreatment:
    """Takes the frames of a clip in order, and gives each back once what it looks at is there.

    A frame gets the same wherever the clip is begun, as far as ``BACK`` frames before it and ``AHEAD`` after it are
    given.

    Args:
        edges: what treats them; None leaves maps as they come.
        told: see ``TreatedFrame.of``.
    """

    def __init__(self, edges: EdgeEstimator | None, told: Told | None = None) -> None:
        self._edges, self._told = edges, told
        self._first_look = edges.placed if isinstance(edges, PlacesFirst) else edges
        self._around = stream.PlateStream()
        self._single: deque[tuple[SingleFrame, bool]] = deque()  # until those around are there; whether it is blurred
        self._waiting: deque[tuple[TreatedFrame, bool]] = deque()  # and whether it is blurred

    def add(
        self,
        index: int,
        pixels: NDArray[np.float32],
        disparity: NDArray[np.float32],
        *,
        is_blurred: bool,
        is_looked_at: bool,
    ) -> Iterator[TreatedFrame]:
        """The next frame; those that are ready, which are to be taken before another is added.

        Args:
            index: one more than before.
            pixels: ``(3, H, W)``.
            disparity: ``(1, h, w)``, of any size and of the aspect of the picture.
            is_blurred: whether it looks at others.
            is_looked_at: whether it, or another that looks at it, is blurred; others are not treated.
        """
        yield from self.take(self.look(index, pixels, disparity, is_looked_at=is_looked_at), is_blurred=is_blurred)

    def look(
        self, index: int, pixels: NDArray[np.float32], disparity: NDArray[np.float32], *, is_looked_at: bool
    ) -> "SingleFrame":
        """The first half of ``add``: a frame treated by itself.

        It needs and changes nothing of the frames around, so that another thread may look at frames ahead.
        """
        from any2bokeh.disparity.edges.sized import places_at_size

        if is_looked_at and pixels[0].size > LARGE_PX and isinstance(self._edges, TreatsInStrips):
            treated = places_at_size(self._edges, disparity, pixels, told=self._told)
            bands = treated.band.bands(treated.disparity)
        else:
            bands = _bands_of(self._first_look if is_looked_at else None, pixels, disparity)
            treated = TreatedMap.of(bands)
        seen = (View.of(index, pixels, bands.disparity), Silhouette.of(bands)) if is_looked_at else None
        return SingleFrame(TreatedFrame._of(index, pixels, treated), treated.band, seen)

    def take(self, single: "SingleFrame", *, is_blurred: bool) -> Iterator[TreatedFrame]:
        """The second half of ``add``."""
        if single.seen is not None:
            self._around.take(*single.seen)
        self._single.append((replace(single, seen=None), is_blurred))
        yield from self._ready(single.frame.index)

    def rest(self) -> Iterator[TreatedFrame]:
        """Those that are left when no more will be added."""
        yield from self._ready(math.inf)

    def hidden(self, frame: TreatedFrame, focus_disparity: float, px_per_disparity: float) -> HiddenBackground | None:
        """What is known behind the near surfaces of a frame, and around it; see ``PlateStream.hidden``."""
        return self._around.hidden(frame.index, frame.disparity, focus_disparity, px_per_disparity)

    def _ready(self, last: float) -> Iterator[TreatedFrame]:
        while self._single and self._single[0][0].frame.index <= last - REACH:
            single, is_blurred = self._single.popleft()
            self._waiting.append((self._steadied(single), is_blurred))
        while self._waiting and (self._waiting[0][0].index <= last - AHEAD or not self._waiting[0][1]):
            yield self._waiting.popleft()[0]

    def _steadied(self, single: "SingleFrame") -> TreatedFrame:
        """A frame with its silhouettes as the frames around it show them."""
        frame, band = single.frame, single.band
        if band.at.size == 0:
            return frame
        disparity = self._around.steadied(frame.index, frame.disparity, band)
        if frame.pixels[0].size > LARGE_PX and isinstance(self._edges, TreatsInStrips):
            mixed = self._edges.listed_shares(disparity, band, frame.pixels)
            return TreatedFrame(frame.index, frame.pixels, disparity, mixed)
        if isinstance(self._edges, PlacesFirst):
            bands = self._edges.with_shares(band.bands(disparity), frame.pixels)
            return TreatedFrame(frame.index, frame.pixels, bands.disparity, MixedPixels.of(bands))
        # What was told of the shares of a pixel does not hold where it shows another surface.
        mixed = frame.mixed.without((disparity != frame.disparity)[0])
        return TreatedFrame(frame.index, frame.pixels, disparity, mixed)


@dataclass(frozen=True, slots=True, eq=False)
class SingleFrame:
    """A frame treated by itself.

    Attributes:
        frame: its map, and what two surfaces share.
        band: the pixels of it that are in question.
        seen: how others see it; None where none looks at it, or once that is kept elsewhere.
    """

    frame: TreatedFrame
    band: BandPixels
    seen: tuple[View, Silhouette] | None


def _bands_of(edges: EdgeEstimator | None, pixels: NDArray[np.float32], disparity: NDArray[np.float32]) -> EdgeBands:
    """The map of a frame at the size of its picture, and what is known of its edges."""
    from any2bokeh.disparity import upsample
    from any2bokeh.disparity.edges import bands_at_size

    if edges is None:
        return EdgeBands.none(upsample(disparity, pixels))
    return bands_at_size(edges, disparity, pixels)
