"""Options for pictures for compositing, written beside the result."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from any2bokeh.cli.option_groups import Group
from any2bokeh.cli.options import option
from any2bokeh.errors import InputError

if TYPE_CHECKING:
    from any2bokeh.aov import AovRequest

_PANEL = Group.AOV
Format = Literal["exr", "exr-channels", "png"]


@dataclass(frozen=True, slots=True)
class AovOptions:
    """Pictures for compositing, as typed."""

    aov: Annotated[
        str | None,
        option(
            "--aov",
            help="Pictures for compositing to write beside the result, separated by commas: coc, defocus, focus-matte, "
            "focus-overlay, disparity, alpha or layers (default: none).",
            panel=_PANEL,
            metavar="LIST",
        ),
    ] = None
    aov_output: Annotated[
        Path | None,
        option(
            "--aov-output",
            help="Folder for the pictures of --aov (default: the name of OUT followed by -aov).",
            panel=_PANEL,
            metavar="DIR",
        ),
    ] = None
    aov_format: Annotated[
        Format | None,
        option(
            "--aov-format",
            help="File format of --aov: exr and png (16 bits) write one folder per picture, exr-channels writes one "
            "file per frame with every picture as channels (default: exr).",
            panel=_PANEL,
        ),
    ] = None

    def request(self, output: Path) -> "AovRequest | None":
        """What is to be written beside ``output``; None where nothing is.

        Raises:
            InputError: unknown pictures, or options without ``--aov``.
        """
        if self.aov is None:
            for name, value in (("--aov-output", self.aov_output), ("--aov-format", self.aov_format)):
                if value is not None:
                    raise InputError(f"{name} {value} needs --aov, such as --aov coc,layers")
            return None
        from any2bokeh.aov import AovRequest

        kinds = [kind.strip() for kind in self.aov.split(",") if kind.strip()]
        if not kinds:
            raise InputError(f"--aov is {self.aov!r}; name pictures, such as --aov coc,layers")
        from any2bokeh.video.frame_numbers import NamePattern

        pattern = None if self.aov_output or output.is_dir() else NamePattern.of(output)
        beside = output.with_name(f"{output.stem}-aov") if pattern is None else pattern.folder_beside("-aov")
        folder = self.aov_output or beside
        return AovRequest.of(kinds, folder, self.aov_format or "exr")
