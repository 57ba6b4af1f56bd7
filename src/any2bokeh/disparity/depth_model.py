"""Which depth model estimates the disparity of a clip."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from any2bokeh.disparity.estimators.base import Device, ScaleAlignment
from any2bokeh.disparity.estimators.choice import DEFAULT_CHOICE

if TYPE_CHECKING:
    from any2bokeh.disparity.estimated import EstimatedDisparity
    from any2bokeh.subject.seed import ClipSeed
    from any2bokeh.video import VideoSource


@dataclass(frozen=True, slots=True)
class DepthModel:
    """A depth model by its name, and what is done to its maps.

    Attributes:
        name: ``auto``, ``rough``, another known name, a hub id, or a folder; see ``open_estimator``.
        allow_noncommercial: whether a model may be used whose licence does not allow any use.
        scale_alignment: how maps are brought to one scale in each shot; None = as the model needs it.
    """

    name: str = DEFAULT_CHOICE
    allow_noncommercial: bool = False
    scale_alignment: ScaleAlignment | None = None

    def estimated(
        self,
        source: "VideoSource",
        *,
        seed: "ClipSeed | None" = None,
        start: int = 0,
        stop: int | None = None,
        device: Device = "auto",
        progress: Callable[[int, int], None] | None = None,
        notice: Callable[[str], None] | None = None,
    ) -> "EstimatedDisparity":
        """The disparity of the frames ``start <= index < stop`` of a clip; nothing is estimated yet.

        Args:
            source: the clip; it stays open.
            seed: where the subject is, for the built-in estimate.
            start, stop: the frames; all of them unless given.
            device: where the model runs.
            progress: called before the first frame and after every one.
            notice: told what the user should know of the model.

        Raises:
            InputError: the model is not on this machine, may not be used, or is of another kind.
        """
        from any2bokeh.disparity.estimated import EstimatedDisparity
        from any2bokeh.disparity.estimators.choice import open_estimator

        estimator = open_estimator(
            self.name, allow_noncommercial=self.allow_noncommercial, seed=seed, device=device, notice=notice
        )
        return EstimatedDisparity(
            source,
            estimator,
            scale_alignment=self.scale_alignment,
            start=start,
            stop=stop,
            progress=progress,
            notice=notice,
        )
