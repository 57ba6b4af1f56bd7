"""Where the subject is, as far as anybody has said."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Seed:
    """A point on the subject or a box around it; the middle of the picture where neither is given.

    Attributes:
        frame: of the clip that is estimated, counted from 0.
        point: ``(x, y)`` in 0..1 of the displayed frame.
        box: ``(x0, y0, x1, y1)`` in 0..1, ``x0 < x1`` and ``y0 < y1``.
    """

    frame: int = 0
    point: tuple[float, float] | None = None
    box: tuple[float, float, float, float] | None = None
