"""Edges from the picture: soft or displaced steps of disparity, drawn sharp where the picture has them.

One interface: disparity and picture in, what is known of the bands around steps out (`EdgeEstimator`, `EdgeBands`).
"""

from any2bokeh.disparity.edges.bands import EdgeBands, EdgeEstimator
from any2bokeh.disparity.edges.choice import EdgeTreatment, edge_estimator
from any2bokeh.disparity.edges.classical import ClassicalEdges

__all__ = ["ClassicalEdges", "EdgeBands", "EdgeEstimator", "EdgeTreatment", "edge_estimator"]
