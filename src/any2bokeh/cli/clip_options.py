"""Options that say which pictures, and where their disparity is."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from any2bokeh.cli.options import option
from any2bokeh.disparity import DepthModel
from any2bokeh.disparity.estimators import DEFAULT_CHOICE, ScaleAlignment
from any2bokeh.errors import InputError
from any2bokeh.video.reading import Deinterlace, Reading

if TYPE_CHECKING:
    from any2bokeh.video import VideoSource

Input = Annotated[
    str, typer.Argument(metavar="INPUT", help="Video file, folder of frames, or pattern such as shot.####.exr.")
]


@dataclass(frozen=True, slots=True)
class ReadingOptions:
    """How the input is read."""

    fps: Annotated[
        str | None,
        option(
            "--fps",
            help="Frames per second: of a folder of frames, what EXR files say, or 24, unless given; of a video stream "
            "without time stamps (.h264, .m2v), what it says, or 25, unless given.",
            metavar="N",
        ),
    ] = None
    strict: Annotated[
        bool,
        option(
            "--strict",
            help="Refuse a damaged input, and images with gaps in their numbers. Without it, damaged frames are "
            "concealed as players do, and reported, as gaps are.",
        ),
    ] = Reading().strict
    deinterlace: Annotated[
        Deinterlace,
        option("--deinterlace", help="auto makes whole frames of interlaced video; off leaves its fields as they are."),
    ] = Reading().deinterlace
    layer: Annotated[
        str | None,
        option(
            "--layer",
            help="Layer or part of EXR files that is the picture (default: the beauty pass, such as Combined or rgba).",
            metavar="NAME",
        ),
    ] = Reading().layer

    @contextmanager
    def opened(self, path: str, notice: Callable[[str], None] | None = None) -> "Iterator[VideoSource]":
        """The input, open.

        Args:
            path: as typed.
            notice: told what the user should know of it: at once and, of damage, once it was read.

        Raises:
            InputError: see ``open_source``; or an option that has no effect on it.
        """
        from any2bokeh.video import open_source

        with open_source(path, fps=self.fps, reading=Reading(self.strict, self.deinterlace, self.layer)) as source:
            if self.deinterlace == "off" and source.info.is_sequence:
                raise InputError(
                    f"--deinterlace off is for video; {path} holds pictures, which have no fields: leave it out"
                )
            if notice is not None:
                source.tell(notice)
            yield source
            if notice is not None:
                source.tell(notice, at_end=True)


@dataclass(frozen=True, slots=True)
class ModelOptions:
    """Which depth model estimates the disparity."""

    depth_model: Annotated[
        str | None,
        option(
            "--depth-model",
            help="Estimate it: auto, rough, small, another known name, a hub id or a folder; auto unless given.",
            metavar="auto|ID|FOLDER",
        ),
    ] = None
    allow_noncommercial: Annotated[
        bool, option("--allow-noncommercial", help="Take depth models whose licence does not allow any use.")
    ] = False
    scale_alignment: Annotated[
        ScaleAlignment | None,
        option(
            "--scale-alignment",
            help="How maps are brought to one scale in each shot and flicker is taken out. Default: as the depth model "
            "needs it; maps of --disparity are left as they are.",
        ),
    ] = None

    def model(self) -> DepthModel:
        """The depth model that the options stand for."""
        name = DEFAULT_CHOICE if self.depth_model is None else self.depth_model
        return DepthModel(name, self.allow_noncommercial, self.scale_alignment)


@dataclass(frozen=True, slots=True)
class RangeOptions:
    """Which part of a clip."""

    start: Annotated[float | None, option("--start", help="From this second of the clip.", metavar="S")] = None
    end: Annotated[float | None, option("--end", help="Up to this second of the clip.", metavar="S")] = None
    frames: Annotated[
        str | None,
        option(
            "--frames",
            help="Instead of seconds: from frame A up to, but not including, frame B, counted from 0; A: and :B are "
            "open-ended.",
            metavar="A:B",
        ),
    ] = None

    def of(self, source: "VideoSource") -> tuple[int, int]:
        """The frames ``start <= index < stop`` of a clip; all of them where nothing is typed.

        Raises:
            InputError: no such frames, or frames and seconds.
        """
        from any2bokeh.shot import frame_range

        if self.frames is None:
            return frame_range(source, self.start, self.end)
        for name, value in (("--start", self.start), ("--end", self.end)):
            if value is not None:
                raise InputError(f"--frames {self.frames} and {name} {value:g} contradict each other; give one")
        match = re.fullmatch(r"\s*(\d{0,9})\s*:\s*(\d{0,9})\s*", self.frames)
        if match is None:
            raise InputError(
                f"--frames is {self.frames!r}; give A:B, such as 40:50 for the frames 40 to 49, or 40: up to the end"
            )
        first, end = (int(number) if number else None for number in match.groups())
        return frame_range(source, None, None, (first or 0, end))
