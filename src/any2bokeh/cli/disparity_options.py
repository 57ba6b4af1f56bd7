"""Options that say where the disparity of a clip is, and how it is read."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from any2bokeh.cli.clip_options import ModelOptions
from any2bokeh.cli.option_groups import Group
from any2bokeh.cli.options import option
from any2bokeh.disparity import DepthModel, DisparityKind, DisparityReading, Levels, Polarity
from any2bokeh.errors import InputError


@dataclass(frozen=True, slots=True)
class DisparityOptions(ModelOptions):
    """Where disparity comes from."""

    disparity: Annotated[
        Path | None,
        option(
            "--disparity",
            help="Disparity of the clip: a folder of PNG, JPEG or EXR images, a .npz or .npy file, or a grey video "
            "(default: estimated by --depth-model).",
            common="Images, .npz or grey video; else estimated.",
            panel=Group.DISPARITY,
            metavar="PATH",
        ),
    ] = None
    disparity_kind: Annotated[
        DisparityKind | None,
        option(
            "--disparity-kind",
            help="Meaning of the values in --disparity: disparity, depth (metres in float files) or depth-mm "
            "(millimetres, as depth cameras write them) (default: depth for an EXR channel named Z, otherwise "
            "disparity).",
            panel=Group.DISPARITY,
        ),
    ] = None
    disparity_polarity: Annotated[
        Polarity | None,
        option(
            "--disparity-polarity",
            help="Whether near is white or black in --disparity; not for depth (default: near-white).",
            panel=Group.DISPARITY,
        ),
    ] = None
    disparity_levels: Annotated[
        str | None,
        option(
            "--disparity-levels",
            help="Levels adjustment of --disparity, where 1 is nearest: maps LOW to 0 and HIGH to 1 (0 <= LOW < HIGH "
            "<= 1), then raises the result to GAMMA (above 0, at most 10) (default: 0,1,1, no change).",
            panel=Group.DISPARITY,
            metavar="LOW,HIGH,GAMMA",
        ),
    ] = None

    def reading(self) -> DisparityReading:
        """How the files of ``--disparity`` are read.

        Raises:
            InputError: numbers outside their range, or options that contradict each other.
        """
        levels = None
        if self.disparity_levels is not None:
            from any2bokeh.cli.focus_options import numbers_of

            levels = Levels(*numbers_of("--disparity-levels", self.disparity_levels, "LOW,HIGH,GAMMA", "0.1,0.9,1"))
        scale_alignment = self.scale_alignment if self.disparity is not None else None
        return DisparityReading(self.disparity_kind, self.disparity_polarity, levels, scale_alignment)

    def choice(self) -> Path | DepthModel:
        """The disparity's path; or, where there is none, the depth model that makes it.

        Raises:
            InputError: both a path and a model, or an option of the one with the other.
        """
        if self.disparity is not None:
            typed = {"--depth-model": self.depth_model, "--allow-noncommercial": self.allow_noncommercial or None}
            for name, value in typed.items():
                if value is not None:
                    raise InputError(f"--disparity {self.disparity} and {name} contradict each other; give one")
            return self.disparity
        of_files = {
            "--disparity-kind": self.disparity_kind,
            "--disparity-polarity": self.disparity_polarity,
            "--disparity-levels": self.disparity_levels,
        }
        for name, value in of_files.items():
            if value is not None:
                raise InputError(
                    f"{name} {value} says how files are read, but the disparity is estimated by a depth model; give "
                    f"--disparity too, or leave {name} out"
                )
        return self.model()
