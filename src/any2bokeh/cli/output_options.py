"""Options that say what is written, and what is told about it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from any2bokeh.cli.options import option
from any2bokeh.errors import InputError
from any2bokeh.video import Encoding
from any2bokeh.video.encoding import Codec, SoundPolicy
from any2bokeh.video.opening import CONTAINER_EXTENSIONS

_OUTPUT = "Output"
Overwrite = Annotated[bool, option("--overwrite", help="Replace an existing output.", panel=_OUTPUT)]


@dataclass(frozen=True, slots=True)
class EncodingOptions:
    """How the result is encoded, as typed."""

    codec: Annotated[
        Codec,
        option(
            "--codec",
            help="auto is what players of the output's kind open: h264, hevc above 8 bits, vp9 in .webm, png or exr.",
            panel=_OUTPUT,
        ),
    ] = Encoding().codec
    quality: Annotated[
        int | None,
        option("--quality", help="Rate factor or quantiser of the codec; lower is better.", panel=_OUTPUT, metavar="Q"),
    ] = Encoding().quality
    pixel_format: Annotated[
        str | None,
        option(
            "--pixel-format",
            help="FFmpeg's name of how samples are stored, such as yuv420p or yuv444p10le; the source's or one that "
            "players know, unless given.",
            panel=_OUTPUT,
            metavar="NAME",
        ),
    ] = Encoding().pixel_format
    sound: Annotated[
        SoundPolicy,
        option(
            "--sound",
            help="auto copies the sound and converts only what the output cannot hold; copy refuses then; aac converts "
            "to AAC, in .webm to Opus; none leaves it out.",
            panel=_OUTPUT,
        ),
    ] = Encoding().sound

    def require_effect(self, output: Path) -> None:
        """Refuse what is for video where pictures are written.

        Raises:
            InputError: a quality, a pixel format or sound is typed, and the output is a folder or a pattern.
        """
        if output.suffix.lower() in CONTAINER_EXTENSIONS and not output.is_dir():
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

    quiet: Annotated[bool, option("--quiet", help="Tell nothing but errors.", panel=_OUTPUT)] = False
    json: Annotated[bool, option("--json", help="Print one result object, as JSON.", panel=_OUTPUT)] = False
