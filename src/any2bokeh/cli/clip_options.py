"""Options that say which pictures, and where their disparity is."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from any2bokeh.cli.options import option
from any2bokeh.disparity import Polarity
from any2bokeh.errors import InputError

Input = Annotated[str, typer.Argument(metavar="INPUT", help="Video file, folder of frames, or glob pattern.")]
Fps = Annotated[str | None, option("--fps", help="Rate of a folder of frames; 24 unless given.", metavar="N")]


@dataclass(frozen=True, slots=True)
class DisparityOptions:
    """Where disparity comes from."""

    disparity: Annotated[
        Path | None,
        option("--disparity", help="Folder of PNG, JPEG or EXR, .npz, .npy, or a grey video.", metavar="PATH"),
    ] = None
    disparity_polarity: Annotated[Polarity, option("--disparity-polarity", help="Which end of the scale is near.")] = (
        "near-white"
    )
    depth_model: Annotated[
        str | None, option("--depth-model", help="Estimate it instead: not in this version.", metavar="auto|ID")
    ] = None

    def path(self) -> Path:
        """The disparity's path.

        Raises:
            InputError: there is none.
        """
        if self.depth_model is not None:
            raise InputError(
                f"--depth-model {self.depth_model} is not in this version; make the disparity with a depth model of "
                f"your choice and give it with --disparity PATH"
            )
        if self.disparity is None:
            raise InputError("nothing says how near things are; give --disparity PATH, such as a folder of grey PNGs")
        return self.disparity


@dataclass(frozen=True, slots=True)
class RangeOptions:
    """Which part of a clip."""

    start: Annotated[float | None, option("--start", help="From this second of the clip.", metavar="S")] = None
    end: Annotated[float | None, option("--end", help="Up to this second of the clip.", metavar="S")] = None
