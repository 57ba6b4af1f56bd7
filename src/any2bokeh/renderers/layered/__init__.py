"""The layered engine: physically based, deterministic, without weights."""

from any2bokeh.renderers.layered.renderer import LayeredRenderer

__all__ = ["LayeredRenderer"]
