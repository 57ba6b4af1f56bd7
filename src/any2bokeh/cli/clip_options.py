"""Options that say which pictures, and where their disparity is."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from any2bokeh.cli.options import option
from any2bokeh.disparity.estimators.base import Steadying

if TYPE_CHECKING:
    from any2bokeh.cli.progress import Report
    from any2bokeh.disparity import EstimatedDisparity
    from any2bokeh.disparity.estimators import Device
    from any2bokeh.disparity.rough.seed import Seed
    from any2bokeh.video import VideoSource

Input = Annotated[str, typer.Argument(metavar="INPUT", help="Video file, folder of frames, or glob pattern.")]
Fps = Annotated[str | None, option("--fps", help="Rate of a folder of frames; 24 unless given.", metavar="N")]


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
    steadying: Annotated[
        Steadying | None,
        option(
            "--steadying",
            help="How maps are brought to one scale in each shot and flicker is taken out. Default: as the depth model "
            "needs it; maps of --disparity are left as they are.",
        ),
    ] = None

    def estimated(
        self,
        source: "VideoSource",
        *,
        seed: "Seed | None" = None,
        start: int = 0,
        stop: int | None = None,
        device: "Device" = "auto",
        progress: "Report | None" = None,
        notice: Callable[[str], None] | None = None,
    ) -> "EstimatedDisparity":
        """What the model makes of the frames ``start`` to ``stop``; nothing is estimated yet.

        Raises:
            InputError: a model that is not to be had, or of another kind.
        """
        from any2bokeh.disparity import EstimatedDisparity
        from any2bokeh.disparity.estimators import DEFAULT_CHOICE, open_estimator

        estimator = open_estimator(
            DEFAULT_CHOICE if self.depth_model is None else self.depth_model,
            allow_noncommercial=self.allow_noncommercial,
            seed=seed,
            device=device,
            notice=notice,
        )
        return EstimatedDisparity(
            source,
            estimator,
            steadying=self.steadying,
            start=start,
            stop=stop,
            progress=progress,
            notice=notice,
        )


@dataclass(frozen=True, slots=True)
class RangeOptions:
    """Which part of a clip."""

    start: Annotated[float | None, option("--start", help="From this second of the clip.", metavar="S")] = None
    end: Annotated[float | None, option("--end", help="Up to this second of the clip.", metavar="S")] = None
