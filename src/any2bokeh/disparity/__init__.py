"""Disparity from files or depth models: ``(1, h, w)`` float32 in [0, 1], 1 = nearest, one scale for the clip."""

from typing import TYPE_CHECKING, Any

from any2bokeh.disparity.depth_model import DepthModel
from any2bokeh.disparity.reading import DisparityKind, DisparityReading, Levels, Polarity
from any2bokeh.disparity.source import DisparitySource, inverse_metres_per_unit, open_disparity

if TYPE_CHECKING:
    from any2bokeh.disparity.estimated import EstimatedDisparity
    from any2bokeh.disparity.stabilised import StabilisedDisparity
    from any2bokeh.disparity.upsampling import upsample

__all__ = [
    "DepthModel",
    "DisparityKind",
    "DisparityReading",
    "DisparitySource",
    "EstimatedDisparity",
    "Levels",
    "Polarity",
    "StabilisedDisparity",
    "inverse_metres_per_unit",
    "open_disparity",
    "upsample",
]


def __getattr__(name: str) -> Any:
    if name == "upsample":  # late: it is compiled with numba, whose import takes a second
        from any2bokeh.disparity.upsampling import upsample

        return upsample
    if name == "EstimatedDisparity":
        from any2bokeh.disparity.estimated import EstimatedDisparity

        return EstimatedDisparity
    if name == "StabilisedDisparity":
        from any2bokeh.disparity.stabilised import StabilisedDisparity

        return StabilisedDisparity
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
