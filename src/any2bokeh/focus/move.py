"""The moves of one quantity, focus or blur strength, over a clip."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from any2bokeh.focus.easing import Easing, eased
from any2bokeh.focus.script import Keyframe

V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Move(Generic[V]):
    """A change of one quantity to a value.

    Attributes:
        begins: where it begins, in frames of the clip; may lie between two.
        frame: where the value is reached.
        value: what is reached.
        easing: the way of moving.
    """

    begins: float
    frame: int
    value: V
    easing: Easing

    def done(self, frame: int) -> float:
        """How much of the move is done at a frame, 0 to 1."""
        if frame >= self.frame:
            return 1.0
        if frame <= self.begins:
            return 0.0
        return eased(self.easing, (frame - self.begins) / (self.frame - self.begins))


def plan_moves(given: Sequence[tuple[int, Keyframe, V]], *, cuts: Sequence[int], fps: float) -> list[Move[V]]:
    """The moves that keyframes ask for.

    A move ends at its keyframe. It begins ``transition_s`` before, or at the keyframe before where that is not given;
    never before the keyframe before, and never before a cut that lies in between. A weak keyframe gives way, that is,
    it is left out, where a strong one lies within its transition or it lies within a strong one's.

    Args:
        given: ``(frame of the clip, keyframe, value)`` of every keyframe that gives the quantity, in order. Of two on
            one frame (a script of a higher rate than the clip's) the later holds.
        cuts: frames that begin a new shot.
        fps: frames per second of the clip.
    """
    by_frame = {frame: (keyframe, value) for frame, keyframe, value in given}
    transitions = {frame: _transition(frame, keyframe, cuts, fps) for frame, (keyframe, _) in by_frame.items()}
    strong = [frame for frame, (keyframe, _) in by_frame.items() if keyframe.strength == "strong"]
    moves: list[Move[V]] = []
    for frame, (keyframe, value) in by_frame.items():
        if keyframe.strength == "weak" and any(
            transitions[frame] < other < frame or transitions[other] < frame < other for other in strong
        ):
            continue
        begins = transitions[frame]
        if keyframe.transition_s is None and keyframe.easing != "hold":
            begins = -math.inf
        earliest = max([cut for cut in cuts if cut <= frame], default=0)
        earliest = max(earliest, moves[-1].frame if moves else frame)
        moves.append(Move(max(begins, earliest), frame, value, keyframe.easing))
    return moves


def values_over(
    moves: Sequence[Move[V]],
    values_of: Callable[[int, tuple[int, int]], NDArray[np.float64]],
    *,
    start: int,
    stop: int,
) -> NDArray[np.float64]:
    """A quantity in the frames from ``start`` to ``stop``.

    Args:
        moves: at least one; before the first its value holds.
        values_of: what move number ``i`` leads to in the frames of a span ``(first, last + 1)``; a value that is
            itself in motion (a subject that is followed) is led over to while it moves.

    Returns:
        ``(stop - start,)``.
    """
    values = np.empty(stop - start)
    if start < moves[0].frame:
        values[: moves[0].frame - start] = values_of(0, (moves[0].frame, moves[0].frame + 1))[0]
    for number, move in enumerate(moves):
        upcoming = moves[number + 1] if number + 1 < len(moves) else None
        first, last = max(start, move.frame), min(stop, upcoming.frame if upcoming else stop)
        if first >= last:
            continue
        values[first - start : last - start] = values_of(number, (first, last))
        if upcoming is None:
            continue
        first = max(first, math.floor(upcoming.begins) + 1)
        if first < last:
            done = np.array([upcoming.done(frame) for frame in range(first, last)])
            span = slice(first - start, last - start)
            values[span] += done * (values_of(number + 1, (first, last)) - values[span])
    return values


def _transition(frame: int, keyframe: Keyframe, cuts: Sequence[int], fps: float) -> float:
    """Where a keyframe's own transition begins: at the keyframe itself where it asks for none."""
    if keyframe.transition_s is None or keyframe.easing == "hold":
        return frame
    return max([frame - keyframe.transition_s * fps, *(cut for cut in cuts if cut <= frame)])
