"""How a value moves from one keyframe to the next."""

from typing import Literal, assert_never

Easing = Literal[
    "hold",  # stays, then jumps at the keyframe
    "linear",  # constant speed
    "smooth",  # starts and ends at rest
]


def eased(easing: Easing, progress: float) -> float:
    """How much of a move is done.

    Args:
        easing: the way of moving.
        progress: time that has passed over the time of the move; clipped to [0, 1].

    Returns:
        0 before the move, 1 once it is done, in between: 0 (hold), ``t`` (linear), ``3t^2 - 2t^3`` (smooth: the cubic
        Hermite step, whose speed is 0 at both ends).
    """
    t = min(max(progress, 0.0), 1.0)
    match easing:
        case "hold":
            return 1.0 if t == 1.0 else 0.0
        case "linear":
            return t
        case "smooth":
            return t * t * (3 - 2 * t)
        case _:
            assert_never(easing)
