"""How the blur that a clip has already is known."""

from pathlib import Path
from typing import Literal, cast, get_args

from any2bokeh.optics.source_blur import SourceLens

SourceBlurChoice = Literal[
    "auto",  # estimated from the widths of edges
    "off",  # the clip counts as sharp throughout
]
SourceBlur = SourceBlurChoice | SourceLens | Path
"""A choice, the lens of the source, or the path of maps of radii."""


def typed_source_blur(typed: str) -> SourceBlur:
    """What was typed: a choice, ``K,D`` for the lens of the source, or else a path.

    Raises:
        InputError: numbers outside their range.
    """
    if typed in get_args(SourceBlurChoice):
        return cast("SourceBlurChoice", typed)
    try:
        strength, focus = map(float, typed.split(","))
    except ValueError:
        return Path(typed)
    return SourceLens(strength, focus)
