"""Options that say what is written, and what is told about it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from any2bokeh.cli.options import option
from any2bokeh.errors import InputError
from any2bokeh.video import Encoding
from any2bokeh.video.encoding import Codec

_OUTPUT = "Output"
Overwrite = Annotated[bool, option("--overwrite", help="Replace an existing output.", panel=_OUTPUT)]


@dataclass(frozen=True, slots=True)
class EncodingOptions:
    """How the result is encoded, as typed."""

    codec: Annotated[Codec, option("--codec", help="auto follows the output's extension.", panel=_OUTPUT)] = (
        Encoding().codec
    )
    quality: Annotated[
        int | None,
        option("--quality", help="Rate factor or quantiser of the codec; lower is better.", panel=_OUTPUT, metavar="Q"),
    ] = Encoding().quality

    def require_effect(self, output: Path) -> None:
        """Refuse a quality for pictures, which lose none.

        Raises:
            InputError: it is typed, and the output is a folder.
        """
        if self.quality is not None and (output.is_dir() or not output.suffix):
            raise InputError(f"--quality {self.quality} is for video; {output} is a folder of pictures: leave it out")

    def encoding(self) -> Encoding:
        return Encoding(codec=self.codec, quality=self.quality)


@dataclass(frozen=True, slots=True)
class ReportOptions:
    """What is told about a job."""

    quiet: Annotated[bool, option("--quiet", help="Tell nothing but errors.", panel=_OUTPUT)] = False
    json: Annotated[bool, option("--json", help="Print one result object, as JSON.", panel=_OUTPUT)] = False
