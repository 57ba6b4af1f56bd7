"""What lies around a frame, as far as other frames saw it.

Beyond the border a frame's outermost pixels repeat, so that borders do not darken. Where other frames saw what is
there, the frame is rendered with a margin of it, which is cut off again.
"""

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from any2bokeh.renderers.base import RenderInput

Inner = tuple[slice, slice, slice]
"""Where in a picture ``(3, h, w)`` with its margin the frame lies."""


def inner_part(frame: RenderInput) -> Inner:
    """Where the frame will lie in what ``with_surround`` makes of it."""
    margin_px = 0 if frame.hidden is None else frame.hidden.margin_px
    height, width = frame.pixels.shape[1:]
    return slice(None), slice(margin_px, margin_px + height), slice(margin_px, margin_px + width)


def with_surround(frame: RenderInput) -> RenderInput:
    """The frame with its margin: as other frames saw it, and its outermost pixels again where none did.

    The very frame where it has no margin. Its radii stay, in pixels.
    """
    hidden = frame.hidden
    if hidden is None or hidden.margin_px == 0:
        return frame
    height, width = frame.pixels.shape[1:]
    known = hidden.known
    mixed = frame.mixed_pixels()
    pixels = _continued(frame.pixels, hidden.pixels, known, hidden.margin_px)
    disparity = _continued(frame.disparity, hidden.disparity, known, hidden.margin_px)
    return RenderInput(
        pixels,
        disparity,
        frame.focus_disparity,
        frame.blur_strength * max(height, width) / max(pixels.shape[1:]),
        hidden=replace(hidden, margin_px=0),
        mixed=mixed and mixed.within(disparity.shape[2], hidden.margin_px),
    )


def _continued(
    values: NDArray[np.float32], seen: NDArray[np.float32], known: NDArray[np.float32], margin_px: int
) -> NDArray[np.float32]:
    height, width = values.shape[1:]
    around = np.empty((len(values), height + 2 * margin_px, width + 2 * margin_px), np.float32)
    for plane, larger in zip(np.asarray(values, np.float32), around, strict=True):
        cv2.copyMakeBorder(plane, margin_px, margin_px, margin_px, margin_px, cv2.BORDER_REPLICATE, dst=larger)
    inside = slice(margin_px, -margin_px)
    for part in (
        (slice(margin_px), slice(None)),
        (slice(-margin_px, None), slice(None)),
        (inside, slice(margin_px)),
        (inside, slice(-margin_px, None)),
    ):
        strip = around[:, *part]
        strip += known[part] * (seen[:, *part] - strip)
    return around
