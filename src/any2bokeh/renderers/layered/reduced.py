"""Drafts: the blur at a smaller size, the sharp part at its own."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from typing import Literal, get_args

import cv2
import numpy as np
from numpy.typing import NDArray

from any2bokeh.compiled import compiled
from any2bokeh.errors import require_choice
from any2bokeh.optics.coc import REFERENCE_LONG_SIDE_PX
from any2bokeh.renderers.base import RenderInput
from any2bokeh.renderers.layered.ahead import Ahead
from any2bokeh.renderers.layered.reduction import reduced
from any2bokeh.renderers.layered.renderer import LayeredRenderer

Quality = Literal["draft", "preview", "final"]
"""``draft`` blurs at less than half the size, ``preview`` at 0.7 of it, ``final`` at its own."""

_SCALES: dict[Quality, float] = {"draft": 0.42, "preview": 0.7}

# Of the picture at its own size is kept: all up to the first radius, nothing from the second on; in pixels of the small
# picture, which holds what is wider.
_SHARP_PX, _SOFT_PX = 0.35, 1.5
_COVERED = 0.06
"""Change of a small pixel, of 1, at which it is taken to be covered by something blurred in front of it."""


def layered_renderer(
    quality: Quality = "final", *, engine: Callable[..., LayeredRenderer] = LayeredRenderer, **look
) -> "LayeredRenderer | ReducedRenderer":
    """The layered engine at a quality; ``look`` as for ``LayeredRenderer``, which ``engine`` makes.

    Raises:
        InputError: another quality.
    """
    require_choice("quality", quality, get_args(Quality))
    renderer = engine(**look)
    return renderer if quality == "final" else ReducedRenderer(renderer, _SCALES[quality])


class ReducedRenderer:
    """Renders at a smaller size, and puts back the detail of what is in focus.

    Args:
        renderer: what renders the small picture.
        scale: of the sides, in (0, 1).
    """

    window = 1
    overlap = 0
    takes_hidden = True

    def __init__(self, renderer: LayeredRenderer, scale: float) -> None:
        self.renderer = renderer
        self.scale = scale

    def separator(self) -> LayeredRenderer:
        """At full size: pictures for compositing are not drafts; see ``RendersSeparated``."""
        return self.renderer.separator()

    def render(self, inputs: Iterable[RenderInput]) -> Iterator[NDArray[np.float32]]:
        """See ``Renderer.render``."""
        with closing(Ahead()) as ahead:
            ahead.begin()
            for frame in inputs:
                if frame.blur_strength != 0:
                    ahead.wait()
                yield self.render_frame(frame)

    def render_frame(self, frame: RenderInput) -> NDArray[np.float32]:
        """See ``LayeredRenderer.render_frame``."""
        if frame.blur_strength == 0:
            return frame.pixels
        height, width = frame.pixels.shape[1:]
        size = max(round(width * self.scale), 1), max(round(height * self.scale), 1)
        small = reduced(frame, size, self.renderer.transfer)
        small_pixels = small.pixels
        rendered = self.renderer.render_frame(small)
        change = rendered - small_pixels
        covered = np.abs(change).max(axis=0)
        # Each change is spread by linear interpolation, the small source is taken out of the source in the same way.
        planes = [
            cv2.resize(plane, (width, height), interpolation=cv2.INTER_LINEAR)
            for plane in (*rendered, *small_pixels, covered)
        ]
        per_px = np.float32(frame.blur_strength * max(size) / REFERENCE_LONG_SIDE_PX)
        result = np.empty((3, height, width), np.float32)
        disparity = np.ascontiguousarray(frame.disparity[0], np.float32)
        source = np.ascontiguousarray(frame.pixels, np.float32)
        _with_detail(source, np.stack(planes), disparity, np.float32(frame.focus_disparity), per_px, result)
        return result


@compiled(nogil=True, fastmath=True)
def _with_detail(source, planes, disparity, focus_disparity, per_px, result):
    height, width = disparity.shape
    for y in range(height):
        for x in range(width):
            radius = per_px * abs(disparity[y, x] - focus_disparity)
            soft = min(
                max((radius - np.float32(_SHARP_PX)) / np.float32(_SOFT_PX - _SHARP_PX), np.float32(0)), np.float32(1)
            )
            covered = min(planes[6, y, x] / np.float32(_COVERED), np.float32(1))
            sharp = (1 - soft * soft * (3 - 2 * soft)) * (1 - covered * covered * (3 - 2 * covered))
            for c in range(3):
                result[c, y, x] = planes[c, y, x] + sharp * (source[c, y, x] - planes[3 + c, y, x])
