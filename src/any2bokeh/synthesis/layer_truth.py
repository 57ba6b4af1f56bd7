"""Layer truth: frames of which every surface is known, for what learns edges."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class LayerTruth:
    """One frame of which everything is known, with a wrong map of it.

    A *band* is what lies within 6 px of a step of disparity. In a mixed pixel, and in the band beside it, two surfaces
    are told: the nearest one and the next. Steps smaller than ``layer_compositing.LEAST_STEP`` are none. All
    disparities are on the scale of the given map, so that what differs is an error.

    Attributes:
        pixels: ``(3, H, W)`` float32 sRGB code values in [0, 1] as a camera or codec gives them: with grain,
            sharpening and compression.
        disparity: ``(1, H, W)`` float32 in [0, 1], 1 = nearest: of the surface that covers most of each pixel.
        given: ``(1, H, W)`` float32 in [0, 1]: the wrong map, at the picture's size. It may be exact.
        enlarged: whether the given map was smaller and has been interpolated linearly.
        near, far: ``(H, W)`` float32: disparity of the nearest and of the next surface in a mixed pixel, and in the
            band; equal to ``disparity`` where one surface alone is visible.
        third: ``(H, W)`` float32: disparity of a third surface that is visible in the band; ``far`` where there is
            none.
        alpha: ``(H, W)`` float32 in [0, 1]: how much of the pixel the near surface covers. In the band, 1 where the
            near surface covers the pixel and 0 where the far one does; 1 away from bands.
        foreground, background: ``(3, H, W)`` float32 code values: colours of the near surface and of all the rest.
            In linear light ``alpha * foreground + (1 - alpha) * background`` is the pixel before grain and
            compression, everywhere; in pixels that are not mixed both are the pixel.
        hidden: ``(3, H, W)`` float32 code values: what is seen where the nearest visible surface is taken away.
        hidden_disparity: ``(H, W)`` float32: of what is seen there.
        is_hidden_known: ``(H, W)`` bool: where both are given: on the near side of a step, within 16 px of it.
            Elsewhere they are the pixel's own.
    """

    pixels: NDArray[np.float32]
    disparity: NDArray[np.float32]
    given: NDArray[np.float32]
    enlarged: bool
    near: NDArray[np.float32]
    far: NDArray[np.float32]
    third: NDArray[np.float32]
    alpha: NDArray[np.float32]
    foreground: NDArray[np.float32]
    background: NDArray[np.float32]
    hidden: NDArray[np.float32]
    hidden_disparity: NDArray[np.float32]
    is_hidden_known: NDArray[np.bool_]
