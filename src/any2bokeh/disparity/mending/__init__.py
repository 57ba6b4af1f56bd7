"""Disparity mended by hand: strokes of a brush, carried along with the motion."""

from any2bokeh.disparity.mending.stroke import MAX_STROKES, Stroke, Tool, require_count, stroke_json, strokes_of

__all__ = ["MAX_STROKES", "Stroke", "Tool", "require_count", "stroke_json", "strokes_of"]
