"""Clocks that jump: recordings joined end to end keep the time stamps of each."""

from collections.abc import Sequence
from fractions import Fraction

# As in FFmpeg's own tool: back by more than the first, or ahead by more than the second, is another recording.
_BACK_S, _AHEAD_S = Fraction(1, 10), Fraction(10)

JUMPING_FORMATS = frozenset({"mpegts", "mpeg", "mpegtsraw"})
"""Containers whose clock may jump; the others are made in one piece."""

PRIMING_S = Fraction(1, 10)
"""Sound codecs begin with up to this much that is not played (2112 samples of AAC at 44.1 kHz are 48 ms)."""


class ContinuousClock:
    """Takes the jumps out of the time stamps of one stream, seen in the order in which they lie in the file.

    Args:
        shifts_s: what to take from the stamps after the first jump, the second, and so on, where another stream of the
            file has told; found from this stream where None.
    """

    def __init__(self, shifts_s: Sequence[Fraction] | None = None) -> None:
        self._given = shifts_s
        self._after_s: Fraction | None = None
        self._jumps = 0
        self.shifts_s: list[Fraction] = []

    def shift_s(self, time_s: Fraction, duration_s: Fraction) -> Fraction:
        """What to take from this stamp, so that it follows the one before it."""
        expected = self._after_s
        if expected is not None and (time_s < expected - _BACK_S or time_s > expected + _AHEAD_S):
            self._jumps += 1
            if self._given is None:
                before = self.shifts_s[-1] if self.shifts_s else Fraction(0)
                self.shifts_s.append(before + time_s - expected)
        self._after_s = time_s + duration_s
        shifts = self.shifts_s if self._given is None else self._given
        return shifts[min(self._jumps, len(shifts)) - 1] if self._jumps and shifts else Fraction(0)
