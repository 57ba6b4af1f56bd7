"""Options of a render that can be interrupted and goes on."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from any2bokeh.cli.options import option
from any2bokeh.errors import InputError

if TYPE_CHECKING:
    from any2bokeh.segments.cut import Segmentation

_OUTPUT = "Output"


@dataclass(frozen=True, slots=True)
class SegmentOptions:
    """Whether a result is rendered in segments that are kept, as typed."""

    resume: Annotated[
        bool,
        option(
            "--resume",
            help="Render in segments and keep each in the folder OUT.parts as soon as it is complete; the same command "
            "goes on from there after an interruption, a crash or a full disk.",
            panel=_OUTPUT,
        ),
    ] = False
    segment_frames: Annotated[
        int | None,
        option(
            "--segment-frames",
            help="Frames of each segment with --resume, 8 or more (default: those of 5 seconds).",
            panel=_OUTPUT,
            metavar="N",
        ),
    ] = None

    def segmentation(self) -> "Segmentation | None":
        """How the result is cut; None where it is rendered in one piece.

        Raises:
            InputError: a length of segments that there are none of, or that is too small.
        """
        from any2bokeh.segments.cut import SHORTEST, Segmentation

        if self.segment_frames is not None and not self.resume:
            raise InputError(f"--segment-frames {self.segment_frames} is for --resume; give both, or leave it out")
        if self.segment_frames is not None and self.segment_frames < SHORTEST:
            raise InputError(f"--segment-frames is {self.segment_frames}; give {SHORTEST} or more")
        return Segmentation(self.segment_frames) if self.resume else None
