"""What of a clip could not be read as it was recorded."""

import threading
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

_SHOWN = 5


class Damage:
    """Frames that were concealed, noted from any thread, by their index and however often they are read."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._incomplete: set[int] = set()
        self._lost: set[int] = set()
        self._woven: set[int] = set()
        self._end: int | None = None

    def incomplete(self, index: int) -> None:
        """A frame of which parts lack; the decoder filled them in."""
        with self._lock:
            self._incomplete.add(index)

    def lost(self, index: int) -> None:
        """A frame that the decoder made nothing of; the one before it is shown again."""
        with self._lock:
            self._lost.add(index)

    def woven(self, index: int) -> None:
        """An interlaced frame in a clip that did not say so, which stays as it is."""
        with self._lock:
            self._woven.add(index)

    def ends_at(self, index: int) -> None:
        """There is no frame ``index``, nor any after it."""
        with self._lock:
            self._end = index if self._end is None else min(self._end, index)

    def remarks(self, path: Path, count: int, time_s: Callable[[int], Fraction]) -> list[str]:
        """One line for each kind, for a clip of ``count`` frames."""
        with self._lock:
            incomplete, lost, woven, end = sorted(self._incomplete), sorted(self._lost), sorted(self._woven), self._end
        remarks = []
        if incomplete:
            remarks.append(
                f"{path} is damaged: {_counted(incomplete)} incomplete and concealed{_at(incomplete, time_s)}"
            )
        if lost:
            remarks.append(f"{path} is damaged: {_counted(lost)} lost and shown as the frame before{_at(lost, time_s)}")
        if woven:
            remarks.append(
                f"{path}: {_counted(woven)} interlaced, although the clip begins otherwise, and left as recorded"
                f"{_at(woven, time_s)}"
            )
        if end is not None:
            remarks.append(f"{path} ends early: {end} of {count} frames could be decoded")
        return remarks


def _counted(indices: list[int]) -> str:
    return f"{len(indices)} frame{' is' if len(indices) == 1 else 's are'}"


def _at(indices: list[int], time_s: Callable[[int], Fraction]) -> str:
    """When they are shown, the first of them."""
    shown = ", ".join(f"{float(time_s(index)):.3f}" for index in indices[:_SHOWN])
    return f", at {shown}{' ..' if len(indices) > _SHOWN else ''} s"
