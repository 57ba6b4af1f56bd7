"""Edges from the picture: soft or displaced steps of disparity, drawn sharp where the picture has them.

One interface: disparity and picture in, what is known of the bands around steps out (`EdgeEstimator`, `EdgeBands`).
"""

from typing import TYPE_CHECKING, Any

from any2bokeh.disparity.edges.bands import EdgeBands, EdgeEstimator
from any2bokeh.disparity.edges.choice import EdgeTreatment, edge_estimator

if TYPE_CHECKING:
    from any2bokeh.disparity.edges.classical import ClassicalEdges
    from any2bokeh.disparity.edges.sized import bands_at_size

__all__ = ["ClassicalEdges", "EdgeBands", "EdgeEstimator", "EdgeTreatment", "bands_at_size", "edge_estimator"]


def __getattr__(name: str) -> Any:
    if name == "ClassicalEdges":  # late: it is compiled with numba, whose import takes a second
        from any2bokeh.disparity.edges.classical import ClassicalEdges

        return ClassicalEdges
    if name == "bands_at_size":
        from any2bokeh.disparity.edges.sized import bands_at_size

        return bands_at_size
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
