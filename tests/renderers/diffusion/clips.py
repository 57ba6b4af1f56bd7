"""Clips for the tests of the engine."""

import numpy as np

from any2bokeh.renderers.base import RenderInput


def render_inputs(
    frame_count: int,
    height: int = 64,
    width: int = 64,
    *,
    seed: int = 0,
    blur_strength: float | list[float] = 20.0,
) -> list[RenderInput]:
    """Smooth random frames over a disparity ramp with a near square that moves; d_f drifts."""
    rng = np.random.default_rng(seed)
    strengths = [blur_strength] * frame_count if isinstance(blur_strength, float | int) else blur_strength
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    waves = rng.uniform(0.02, 0.3, (3, 2)).astype(np.float32)
    inputs = []
    for frame in range(frame_count):
        pixels = np.stack([0.5 + 0.4 * np.sin(a * rows + b * (columns + frame)) for a, b in waves])
        disparity = (rows / height * 0.6)[None]
        left = (4 * frame) % (width // 2)
        pixels[:, height // 4 : height // 2, left : left + width // 3] *= 0.5
        disparity[:, height // 4 : height // 2, left : left + width // 3] = 0.95
        inputs.append(
            RenderInput(
                pixels.astype(np.float32),
                disparity.astype(np.float32),
                focus_disparity=0.3 + 0.02 * frame % 0.5,
                blur_strength=float(strengths[frame]),
            )
        )
    return inputs
