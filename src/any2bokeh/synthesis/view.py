"""One frame of a scene as the ray tracers read it: where each layer's texture and surface lie in the frame."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from any2bokeh.optics.coc import REFERENCE_LONG_SIDE_PX
from any2bokeh.synthesis.texture_atlas import TextureAtlas


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """``L`` layers seen through the centre of the lens, at one instant, in a frame of ``height`` x ``width``.

    Positions in the frame are pixels from its top left corner; the centre of the first pixel is (0.5, 0.5).

    Attributes:
        height, width: of the frame, px.
        atlas: the layers' pictures.
        picture: ``(L,)`` int32, which picture of the atlas each layer shows.
        endless: ``(L,)`` bool: the picture goes on, mirrored, beyond its borders; otherwise all is clear there.
        to_texture: ``(L, 3, 3)`` float32 homography from the frame, (x, y, 1), to texels of the picture, (u, v, 1).
        surface: ``(L, 6)`` float32 of (a, bx, by, qxx, qxy, qyy): the disparity that the layer has where the ray
            through the centre of the lens meets it, ``a + bx x + by y + qxx x^2 + qxy x y + qyy y^2``.
        disparity_range: ``(L, 2)`` float32, least and largest disparity where the layer is not clear; of endless
            layers it is not used.
    """

    height: int
    width: int
    atlas: TextureAtlas
    picture: NDArray[np.int32]
    endless: NDArray[np.bool_]
    to_texture: NDArray[np.float32]
    surface: NDArray[np.float32]
    disparity_range: NDArray[np.float32]

    @property
    def layer_count(self) -> int:
        """L."""
        return len(self.picture)

    def lens_radius_px(self, blur_strength: float) -> float:
        """Pixels that an image shifts from the centre to the rim of the lens, per unit of disparity."""
        return blur_strength * max(self.height, self.width) / REFERENCE_LONG_SIDE_PX
