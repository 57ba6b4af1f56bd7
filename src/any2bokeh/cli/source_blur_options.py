"""The option that says what blur the clip has already."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from any2bokeh.cli.option_groups import Group
from any2bokeh.cli.options import option

if TYPE_CHECKING:
    from any2bokeh.source_blur import SourceBlur


@dataclass(frozen=True, slots=True)
class SourceBlurOptions:
    """What blur the clip has already."""

    source_blur: Annotated[
        Path,
        option(
            "--source-blur",
            help="Blur that the clip has already; only what is missing is added. auto estimates the lens of the source "
            "from the widths of edges; K,D states its strength and the disparity that it was focused at; MAP is a "
            "picture, folder or NumPy file of radii in pixels (16-bit PNG: 1/256 px); off takes the clip as sharp.",
            panel=Group.BLUR,
            metavar="auto|off|K,D|MAP",
        ),
    ] = Path("off")

    def choice(self) -> "SourceBlur":
        """What was typed.

        Raises:
            InputError: numbers outside their range.
        """
        from any2bokeh.source_blur import typed_source_blur

        return typed_source_blur(str(self.source_blur))
