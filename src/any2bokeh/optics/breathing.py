"""Focus breathing: the field of view that changes with the focus distance."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from any2bokeh.errors import InputError

MOST = 0.5


@dataclass(frozen=True, slots=True)
class Breathing:
    """How much a lens breathes.

    A thin lens with its focal plane at ``z`` forms the picture at ``v = f z / (z - f)``, and its scale grows with
    ``v``: by ``v / f = 1 / (1 - f / z)`` over focus at infinity. With ``d = z_min / z`` that is ``1 / (1 - b d)`` where
    ``b = f / z_min``.

    Attributes:
        strength: b, above 0 for a lens whose picture grows as it focuses nearer, below 0 for one whose picture shrinks;
            in [-0.5, 0.5].

    Source: thin-lens equation; e.g. Hecht, Optics, 5.2.3.
    """

    strength: float = 0.0

    def __post_init__(self) -> None:
        if not -MOST <= self.strength <= MOST:
            raise InputError(f"breathing is {self.strength:g}; it lies in {-MOST:g} to {MOST:g}, such as 0.05")

    def zoom(self, focus_disparity: NDArray[np.floating]) -> NDArray[np.float64]:
        """Scale of each frame of a clip, the least being 1, so that no frame lacks its border.

        Args:
            focus_disparity: ``(T,)`` d_f of all frames of the clip.

        Returns:
            ``(T,)``, 1 or more.
        """
        scale = 1 / (1 - self.strength * np.asarray(focus_disparity, np.float64))
        return scale / scale.min()


def zoomed(picture: NDArray[np.float32], zoom: float, *, smooth: bool) -> NDArray[np.float32]:
    """The middle of a picture, enlarged to its whole size.

    Args:
        picture: ``(C, H, W)``.
        zoom: 1 or more; at 1 the very array comes back.
        smooth: interpolate (Lanczos, within the range of the picture's values); else take the nearest sample, which
            keeps the steps of disparity.
    """
    if zoom == 1:
        return picture
    import cv2

    height, width = picture.shape[1:]
    # Pixel centres x of the result come from (x - middle) / zoom + middle.
    middle_x, middle_y = (width - 1) / 2, (height - 1) / 2
    back = np.array([[1 / zoom, 0, middle_x * (1 - 1 / zoom)], [0, 1 / zoom, middle_y * (1 - 1 / zoom)]])
    how = (cv2.INTER_LANCZOS4 if smooth else cv2.INTER_NEAREST) | cv2.WARP_INVERSE_MAP
    border = cv2.BORDER_REPLICATE
    planes = [cv2.warpAffine(plane, back, (width, height), flags=how, borderMode=border) for plane in picture]
    result = np.stack(planes).astype(np.float32)
    return np.clip(result, float(picture.min()), float(picture.max()), out=result) if smooth else result
