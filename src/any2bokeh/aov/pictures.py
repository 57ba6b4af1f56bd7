"""What the pictures are."""

import numpy as np
from numpy.typing import NDArray

from any2bokeh.optics.coc import REFERENCE_LONG_SIDE_PX, defocus_px
from any2bokeh.renderers.base import RenderInput

SHARP_PX, BLURRED_PX = 1.0, 2.0
"""Circle of confusion, in a frame of 1024 px, up to which a person calls a point sharp, and from which blurred."""

_NEAR_TINT = (1.0, 0.45, 0.1)
_FOCUS_TINT = (0.2, 0.9, 0.3)
_FAR_TINT = (0.15, 0.45, 1.0)
_TINT_OPACITY = 0.45


def defocus(given: RenderInput) -> NDArray[np.float32]:
    """Signed radius of the circle of confusion, px, above 0 in front of the focal plane: ``(1, H, W)``."""
    long_side_px = max(given.pixels.shape[1:])
    values = defocus_px(given.disparity, given.focus_disparity, given.blur_strength, long_side_px)
    return np.asarray(values, np.float32)


def focus_matte(given: RenderInput) -> NDArray[np.float32]:
    """1 where a point is sharp, 0 where it is blurred, before light spreads over neighbours: ``(1, H, W)``."""
    reference_px = np.abs(defocus(given)) * (REFERENCE_LONG_SIDE_PX / max(given.pixels.shape[1:]))
    return (1 - np.clip((reference_px - SHARP_PX) / (BLURRED_PX - SHARP_PX), 0, 1)).astype(np.float32)


def focus_overlay(given: RenderInput, code_values: NDArray[np.float32]) -> NDArray[np.float32]:
    """A picture, tinted orange in front of the focal plane, green in it and blue behind it.

    Args:
        given: what was rendered.
        code_values: ``(3, H, W)`` of the picture, as a screen takes them.

    Returns:
        ``(3, H, W)`` code values in [0, 1].
    """
    side = np.where(defocus(given) > 0, _tint(_NEAR_TINT), _tint(_FAR_TINT))
    tint = side + focus_matte(given) * (_tint(_FOCUS_TINT) - side)
    return (np.clip(code_values, 0, 1) * (1 - _TINT_OPACITY) + tint * _TINT_OPACITY).astype(np.float32)


def _tint(color: tuple[float, float, float]) -> NDArray[np.float32]:
    return np.array(color, np.float32)[:, None, None]
