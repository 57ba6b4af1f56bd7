"""Options that say where the disparity of a clip is, and how it is read."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from any2bokeh.cli.clip_options import ModelOptions
from any2bokeh.cli.options import option
from any2bokeh.disparity import DepthModel, DisparityKind, DisparityReading, Levels, Polarity
from any2bokeh.errors import InputError


@dataclass(frozen=True, slots=True)
class DisparityOptions(ModelOptions):
    """Where disparity comes from."""

    disparity: Annotated[
        Path | None,
        option("--disparity", help="Folder of PNG, JPEG or EXR, .npz, .npy, or a grey video.", metavar="PATH"),
    ] = None
    disparity_kind: Annotated[
        DisparityKind | None,
        option(
            "--disparity-kind",
            help="What the values of --disparity are: disparity, depth (metres in float files), or depth-mm "
            "(millimetres, as depth cameras write them). Default: depth for an EXR channel called Z, else disparity.",
        ),
    ] = None
    disparity_polarity: Annotated[
        Polarity | None,
        option(
            "--disparity-polarity",
            help="Which end of the scale of --disparity is near. Default: near-white. Depth needs none.",
        ),
    ] = None
    disparity_levels: Annotated[
        str | None,
        option(
            "--disparity-levels",
            help="Curve over the disparity of --disparity, in which 1 is nearest: LOW becomes 0, HIGH becomes 1 "
            "(0 <= LOW < HIGH <= 1), then it is raised to GAMMA (above 0, at most 10). Default: 0,1,1, which changes "
            "nothing.",
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
