"""Options for the output: how it is encoded, and what is printed about it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from any2bokeh.cli.option_groups import Group
from any2bokeh.cli.options import option
from any2bokeh.errors import InputError
from any2bokeh.video import Encoding
from any2bokeh.video.encoding import Codec, SoundPolicy
from any2bokeh.video.opening import CONTAINER_EXTENSIONS
from any2bokeh.video.pipe import is_pipe

_OUTPUT = Group.OUTPUT
Overwrite = Annotated[bool, option("--overwrite", help="Replace the output if it exists.", common=True, panel=_OUTPUT)]


@dataclass(frozen=True, slots=True)
class EncodingOptions:
    """How the result is encoded, as typed."""

    codec: Annotated[
        Codec,
        option(
            "--codec",
            help="Codec of the output; auto is h264 for 8-bit video, hevc for deeper video, vp9 for .webm, and for a "
            "folder png, or exr if the source is EXR; rawvideo is for -o -.",
            panel=_OUTPUT,
        ),
    ] = Encoding().codec
    quality: Annotated[
        int | None,
        option(
            "--quality",
            help="Constant rate factor of h264 and hevc (0 to 51; default: 15 and 16) and vp9 (0 to 63; default: 16), "
            "or quantiser of prores (1 to 31; default: 4); lower is better and larger.",
            common="Lower is better and larger, such as 18 for h264.",
            panel=_OUTPUT,
            metavar="Q",
        ),
    ] = Encoding().quality
    pixel_format: Annotated[
        str | None,
        option(
            "--pixel-format",
            help="Pixel format by its FFmpeg name, such as yuv420p or yuv444p10le (default: that of the source, or "
            "the nearest that common players open).",
            panel=_OUTPUT,
            metavar="NAME",
        ),
    ] = Encoding().pixel_format
    sound: Annotated[
        SoundPolicy,
        option(
            "--sound",
            help="Sound of the output: auto copies it and converts what the output cannot hold, copy never converts, "
            "aac converts to AAC (to Opus in .webm), none leaves it out.",
            panel=_OUTPUT,
        ),
    ] = Encoding().sound

    def require_effect(self, output: Path) -> None:
        """Refuse what is for video where pictures are written.

        Raises:
            InputError: a quality, a pixel format or sound is typed, and the output is a folder or a pattern.
        """
        if is_pipe(output) or (output.suffix.lower() in CONTAINER_EXTENSIONS and not output.is_dir()):
            return
        sound = None if self.sound in ("auto", "none") else self.sound  # none is what pictures have
        typed = {"--quality": self.quality, "--pixel-format": self.pixel_format, "--sound": sound}
        for name, value in typed.items():
            if value is not None:
                raise InputError(f"{name} {value} is for video; {output} is a folder of pictures: leave it out")

    def encoding(self) -> Encoding:
        return Encoding(codec=self.codec, quality=self.quality, pixel_format=self.pixel_format, sound=self.sound)


@dataclass(frozen=True, slots=True)
class ReportOptions:
    """What is told about a job."""

    quiet: Annotated[bool, option("--quiet", help="Print errors only.", panel=Group.PRINTED)] = False
    json: Annotated[
        bool,
        option(
            "--json",
            help="Print the result as one JSON object; refocus and batch print events, one a line, with the result in "
            "the last.",
            panel=Group.PRINTED,
        ),
    ] = False
