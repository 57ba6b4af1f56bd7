"""Compiles the renderer of pictures, so that the code is kept: what ``ahead.py`` starts."""

from any2bokeh.optics.highlights import Highlights
from any2bokeh.renderers.layered.ahead import small_frame
from any2bokeh.renderers.layered.renderer import LayeredRenderer

if __name__ == "__main__":
    LayeredRenderer(highlights=Highlights("auto"), threads=1).render_frame(small_frame())
