"""Learning rates over the time that a training is given, where it is not known how many steps that will be."""

import math

from any2bokeh.errors import InputError

_WARMUP = 0.03


def rate_at(share: float, *, warmup: float = _WARMUP) -> float:
    """Factor of the learning rate after a share of the time: it rises in a line, and falls to 0 along a cosine.

    Args:
        share: of the time that has passed, in [0, 1]; more counts as 1.
        warmup: share of the time in which it rises.
    """
    share = min(max(share, 0.0), 1.0)
    if share < warmup:
        return share / warmup
    return 0.5 * (1.0 + math.cos(math.pi * (share - warmup) / (1.0 - warmup)))


def require_end(anneal: bool, minutes: float | None) -> None:
    """Refuse to share out a time that has no end."""
    if anneal and minutes is None:
        raise InputError("the learning rate cannot fall over a time that has no end; give --minutes with --anneal")
