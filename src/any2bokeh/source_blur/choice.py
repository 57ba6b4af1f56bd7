"""How the blur that a clip has already is known."""

from pathlib import Path
from typing import Literal

from any2bokeh.optics.source_blur import SourceLens

SourceBlurChoice = Literal[
    "auto",  # estimated from the widths of edges
    "off",  # the clip counts as sharp throughout
]
SourceBlur = SourceBlurChoice | SourceLens | Path
"""A choice, the lens of the source, or the path of maps of radii."""
