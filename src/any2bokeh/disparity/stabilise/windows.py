"""Maps of windows of frames, joined to one map a frame."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, pairwise, repeat

import numpy as np
from numpy.typing import NDArray

from any2bokeh.disparity.stabilise import missing
from any2bokeh.disparity.stabilise.placement import ScaleShift
from any2bokeh.disparity.stabilise.relation import fit_relation

# Samples of an overlap that a fit looks at.
_SAMPLES = 40_000


@dataclass(frozen=True)
class DisparityWindow:
    """Maps of neighbouring frames that share one scale and shift, as a model for video gives them.

    Attributes:
        start: index of the first frame.
        maps: ``(n, 1, h, w)`` float32.
    """

    start: int
    maps: NDArray[np.float32]

    @property
    def stop(self) -> int:
        """Index of the frame after the last."""
        return self.start + len(self.maps)


def blended(
    windows: Iterable[DisparityWindow], *, begins_shot: Iterable[bool] | None = None
) -> Iterator[NDArray[np.float32]]:
    """One map a frame: each window brought to the scale of the one before, and cross-faded with it on their overlap.

    The overlap holds the same frames twice, so nothing has moved between the two and the fit is nearly exact. At a cut
    a window is split: what lies on either side is aligned on its own frames only, and a shot that begins inside a
    window keeps that window's scale. Memory is that of two windows.

    Args:
        windows: in order; each begins after the one before it and no later than where that ends.
        begins_shot: of each frame, from the start of the first window; read as far as needed. One shot where None.

    Yields:
        ``(1, h, w)`` float32, one for each frame from the start of the first window. Missing values stay missing.

    Raises:
        ValueError: windows leave a gap or go back.

    Source: overlap alignment of Chen et al., Video Depth Anything, CVPR 2025, sec. 3.4, with a robust, unbiased fit and
    for every shot on its own.
    """
    shots: _Shots | None = None
    pending: dict[int, NDArray[np.float32]] = {}
    next_frame: int | None = None
    stop = 0
    for window in windows:
        if next_frame is None or shots is None:
            next_frame = stop = window.start
            shots = _Shots(begins_shot, window.start)
        if not next_frame <= window.start <= stop:
            raise ValueError(f"window begins at frame {window.start}; allowed is {next_frame} to {stop}")
        while next_frame < window.start:
            yield pending.pop(next_frame)
            next_frame += 1
        for first, last in shots.pieces(window.start, window.stop):
            shared = [index for index in range(first, last) if index in pending]
            placement = _placement(window, shared, pending)
            for index in range(first, last):
                placed = placement(window.maps[index - window.start])
                if index in pending:
                    # weight of the newer window rises over what the two share of this shot
                    share = np.float32((shared.index(index) + 1) / (len(shared) + 1))
                    pending[index] = _faded(pending[index], placed, share)
                else:
                    pending[index] = placed
        stop = max(stop, window.stop)
    for index in sorted(pending):
        yield pending[index]


class _Shots:
    """Where shots begin, read as far as is needed."""

    def __init__(self, begins_shot: Iterable[bool] | None, first: int) -> None:
        self._coming = chain(begins_shot or (), repeat(False))
        self._read = first
        self._starts: list[int] = []

    def pieces(self, start: int, stop: int) -> list[tuple[int, int]]:
        """The parts of ``start`` to ``stop`` that lie in one shot each."""
        self._starts += [index for index in range(self._read, stop) if next(self._coming)]
        self._read = max(self._read, stop)
        self._starts = [index for index in self._starts if index > start]
        return list(pairwise([start, *(index for index in self._starts if index < stop), stop]))


def _placement(window: DisparityWindow, shared: list[int], pending: dict[int, NDArray[np.float32]]) -> ScaleShift:
    """What brings a window to the scale of the frames that it shares with those before it, if any."""
    if not shared:
        return ScaleShift(1.0, 0.0)
    here = np.stack([window.maps[index - window.start] for index in shared])
    there = np.stack([pending[index] for index in shared])
    step = max(int(np.sqrt(here.size / _SAMPLES)), 1)
    here, there = here[..., ::step, ::step], there[..., ::step, ::step]
    sky = np.stack([missing.is_sky(one[0]) for one in here])[:, None]
    relation = fit_relation(here, there, np.asarray(~sky, np.float32))
    return ScaleShift(1.0, 0.0) if relation is None else ScaleShift(relation.scale, relation.shift)


def _faded(old: NDArray[np.float32], new: NDArray[np.float32], share: np.float32) -> NDArray[np.float32]:
    mixed = old + share * (new - old)
    mixed = np.where(np.isfinite(old), mixed, new)
    return np.where(np.isfinite(new), mixed, old).astype(np.float32)
