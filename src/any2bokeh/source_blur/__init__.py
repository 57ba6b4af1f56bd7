"""What blur the frames of a clip have already: told, read from maps, or estimated from the widths of edges."""

from any2bokeh.optics.source_blur import SourceLens
from any2bokeh.source_blur.choice import SourceBlur, SourceBlurChoice, typed_source_blur
from any2bokeh.source_blur.frame_blur import FrameBlur
from any2bokeh.source_blur.of_frames import source_blur_of_frames
from any2bokeh.source_blur.radius_maps import RadiusMaps, blur_in_frame

__all__ = [
    "FrameBlur",
    "RadiusMaps",
    "SourceBlur",
    "SourceBlurChoice",
    "SourceLens",
    "blur_in_frame",
    "source_blur_of_frames",
    "typed_source_blur",
]
