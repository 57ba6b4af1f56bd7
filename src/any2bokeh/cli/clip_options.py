"""Options that say which pictures, and where their disparity is."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Annotated

import typer

from any2bokeh.cli.completion import depth_model_names
from any2bokeh.cli.option_groups import Group
from any2bokeh.cli.options import option
from any2bokeh.disparity import DepthModel
from any2bokeh.disparity.estimators import DEFAULT_CHOICE, ScaleAlignment
from any2bokeh.errors import InputError
from any2bokeh.video.reading import Deinterlace, Reading

if TYPE_CHECKING:
    from any2bokeh.video import VideoSource
    from any2bokeh.video.raw_frames import RawFrames

Input = Annotated[
    str,
    typer.Argument(metavar="INPUT", help="Video file, folder of frames, or file name pattern such as shot.####.exr."),
]


@dataclass(frozen=True, slots=True)
class ReadingOptions:
    """How the input is read."""

    fps: Annotated[
        str | None,
        option(
            "--fps",
            help="Frames per second of a folder of frames, or of a video stream without time stamps such as .h264 "
            "(default: as stated in the files, otherwise 24 for a folder and 25 for a stream).",
            panel=Group.READING,
            metavar="N",
        ),
    ] = None
    strict: Annotated[
        bool,
        option(
            "--strict",
            help="Stop at damaged frames and at gaps in the numbers of images. Otherwise damaged frames are concealed, "
            "as players do, and both are reported.",
            panel=Group.READING,
        ),
    ] = Reading().strict
    deinterlace: Annotated[
        Deinterlace,
        option(
            "--deinterlace",
            help="auto turns interlaced video into whole frames; off leaves the fields as they are.",
            panel=Group.READING,
        ),
    ] = Reading().deinterlace
    layer: Annotated[
        str | None,
        option(
            "--layer",
            help="Layer or part of EXR files to take the picture from (default: the beauty pass, such as Combined or "
            "rgba).",
            panel=Group.READING,
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
class PipedReadingOptions(ReadingOptions):
    """How the input is read where it may be standard input."""

    raw: Annotated[
        str | None,
        option(
            "--raw",
            help="Size and pixel format of raw frames (rawvideo) on standard input, such as 640x360:yuv420p or "
            "1920x1080:rgb24, with their rate in --fps (default: standard input is YUV4MPEG2).",
            panel=Group.READING,
            metavar="WxH[:FORMAT]",
        ),
    ] = None

    def raw_frames(self) -> "tuple[RawFrames | None, Fraction | None]":
        """What raw frames on standard input are, and their rate.

        Raises:
            InputError: an option cannot be read, or the rate is missing.
        """
        if self.raw is None:
            return None, None
        from any2bokeh.video.opening import rate_of
        from any2bokeh.video.raw_frames import RawFrames

        return RawFrames.parsed(self.raw), rate_of(self.fps)


@dataclass(frozen=True, slots=True)
class ModelOptions:
    """Which depth model estimates the disparity."""

    depth_model: Annotated[
        str | None,
        option(
            "--depth-model",
            help="Depth model that estimates the disparity: auto, rough (built in), a known name such as small, a hub "
            "id or a folder, one that is called like a name as ./rough (default: auto, which is small if it can be had "
            "and rough otherwise).",
            common="What estimates it, such as rough or small.",
            panel=Group.DISPARITY,
            metavar="auto|ID|FOLDER",
            completion=depth_model_names,
        ),
    ] = None
    allow_noncommercial: Annotated[
        bool,
        option(
            "--allow-noncommercial",
            help="Allow depth models whose licence restricts how they may be used.",
            panel=Group.DISPARITY,
        ),
    ] = False
    scale_alignment: Annotated[
        ScaleAlignment | None,
        option(
            "--scale-alignment",
            help="How disparity maps are aligned over time within each shot, which removes flicker (default: chosen "
            "for the depth model; none for --disparity).",
            panel=Group.DISPARITY,
        ),
    ] = None

    def model(self) -> DepthModel:
        """The depth model that the options stand for."""
        name = DEFAULT_CHOICE if self.depth_model is None else self.depth_model
        return DepthModel(name, self.allow_noncommercial, self.scale_alignment)


@dataclass(frozen=True, slots=True)
class RangeOptions:
    """Which part of a clip."""

    start: Annotated[
        float | None,
        option(
            "--start",
            help="Time to start at, in seconds (default: 0).",
            common="Time to start at, in seconds.",
            panel=Group.PART,
            metavar="S",
        ),
    ] = None
    end: Annotated[
        float | None,
        option(
            "--end",
            help="Time to stop at, in seconds (default: the end of the clip).",
            common="Time to stop at, in seconds.",
            panel=Group.PART,
            metavar="S",
        ),
    ] = None
    frames: Annotated[
        str | None,
        option(
            "--frames",
            help="Frames to process, in place of --start and --end: from frame A up to, but not including, frame B, "
            "counted from 0. Either number may be left out.",
            panel=Group.PART,
            metavar="A:B",
        ),
    ] = None

    def of(self, source: "VideoSource", otherwise: tuple[int, int | None] | None = None) -> tuple[int, int]:
        """The frames ``start <= index < stop`` of a clip; where nothing is typed, ``otherwise``, or all of them.

        Raises:
            InputError: no such frames, or frames and seconds.
        """
        from any2bokeh.shot import frame_range

        if self == RangeOptions() and otherwise is not None:
            return frame_range(source, None, None, otherwise)
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
