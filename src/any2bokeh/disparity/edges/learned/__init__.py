"""Edges with a network on top of the classical estimator: clues in, corrections out."""

from any2bokeh.disparity.edges.learned.estimator import LearnedEdges
from any2bokeh.disparity.edges.learned.weights import EdgeModel, MixedModel

__all__ = ["EdgeModel", "LearnedEdges", "MixedModel"]
