"""Chapters of a clip, as they lie in a part of it."""

from fractions import Fraction
from typing import Any

from any2bokeh.video.part import Part

_TICKS = 1000


def chapters_of(container: Any, part: Part) -> list[Any]:
    """The chapters of an open source that reach into ``part``, on the result's clock, clipped to it."""
    found = []
    for chapter in container.chapters():
        base = chapter["time_base"] or Fraction(1, 1000)
        begin_s, end_s = chapter["start"] * base, chapter["end"] * base
        if not part.is_whole:
            begin_s, end_s = max(begin_s, part.begin_s), min(end_s, part.end_s)
            # One that only begins where the part ends has nothing in it.
            if end_s <= begin_s:
                continue
        start, end = (round((time_s - part.origin_s) * _TICKS) for time_s in (begin_s, end_s))
        found.append(
            {
                "id": len(found) + 1,
                "start": max(0, start),
                "end": max(0, end),
                "time_base": Fraction(1, _TICKS),
                "metadata": dict(chapter["metadata"]),
            }
        )
    return found
