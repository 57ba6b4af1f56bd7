"""Small scenes for the layered engine."""

import numpy as np
from numpy.typing import NDArray

from any2bokeh.renderers.base import RenderInput
from any2bokeh.renderers.layered.renderer import LayeredRenderer


def noise(height: int, width: int, seed: int = 0) -> NDArray[np.float32]:
    """Random colours with a spatial scale of a few pixels, ``(3, H, W)``."""
    rng = np.random.default_rng(seed)
    coarse = rng.uniform(0, 1, (3, height // 4 + 2, width // 4 + 2))
    return np.repeat(np.repeat(coarse, 4, axis=1), 4, axis=2)[:, :height, :width].astype(np.float32)


def waves(height: int, width: int) -> NDArray[np.float32]:
    """Smooth colours of a period of some 16 px, ``(3, H, W)``."""
    y, x = np.mgrid[:height, :width]
    return np.stack([0.5 + 0.5 * np.sin(0.4 * x + 0.1 * c * y + c) for c in range(3)]).astype(np.float32)


def slope(height: int, width: int) -> NDArray[np.float32]:
    """Disparity that rises evenly from 0.1 at the top to 0.9 at the bottom, ``(1, H, W)``."""
    return np.broadcast_to(np.linspace(0.1, 0.9, height, dtype=np.float32)[None, :, None], (1, height, width)).copy()


def card(height: int, width: int, *, near: float = 0.9, far: float = 0.1) -> NDArray[np.float32]:
    """Disparity of a card in front of a wall, ``(1, H, W)``."""
    disparity = np.full((1, height, width), far, np.float32)
    disparity[:, height // 4 : 3 * height // 4, width // 4 : 3 * width // 4] = near
    return disparity


def k_for(radius_px: float, disparity_difference: float, height: int, width: int) -> float:
    """Blur strength that gives ``radius_px`` at a distance of ``disparity_difference`` from the focal plane."""
    return radius_px / disparity_difference * 1024 / max(height, width)


def render(pixels, disparity, focus_disparity: float, blur_strength: float, **options) -> NDArray[np.float32]:
    """One frame through a new renderer."""
    return LayeredRenderer(**options).render_frame(RenderInput(pixels, disparity, focus_disparity, blur_strength))
