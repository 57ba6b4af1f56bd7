"""What blur the frames of a clip have already: told, read from maps, or estimated from the widths of edges."""

from any2bokeh.optics.source_blur import SourceLens
from any2bokeh.source_blur.choice import SourceBlur, SourceBlurChoice
from any2bokeh.source_blur.frame_blur import FrameBlur
from any2bokeh.source_blur.radius_maps import RadiusMaps

__all__ = ["FrameBlur", "RadiusMaps", "SourceBlur", "SourceBlurChoice", "SourceLens"]
