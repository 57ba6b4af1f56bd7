"""Pictures held against an all-in-focus one that is blurred by discs of known radius."""

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from any2bokeh.evaluation.metrics.picture import Picture, grey
from any2bokeh.optics.transfer import Transfer, decode

STEP_PX = 0.5
"""Between the radii that are tried; the best is refined by a parabola."""
LONG_SIDE_OVER_RADIUS = 32
"""The greatest radius that is tried is the longer side over this: 16 px of 512, K = 32 over all of disparity."""
WINDOW_PX = 15
"""Side of the window in which pictures are compared."""
_TEXTURE = 1e-3  # local variance of linear luma, below which blur cannot be seen
_SAMPLES = 8  # along a pixel's side


@dataclass(eq=False)
class BlurRuler:
    """An all-in-focus picture blurred by discs of growing radius, to hold other pictures against.

    Args:
        source: the all-in-focus picture.
        transfer: in which light is added.
    """

    source: Picture
    transfer: Transfer = "srgb"

    @cached_property
    def radii_px(self) -> NDArray[np.float32]:
        """The radii that are tried, from 0."""
        return np.arange(0, self.greatest_radius_px + STEP_PX / 2, STEP_PX, dtype=np.float32)

    @property
    def greatest_radius_px(self) -> float:
        """The largest of them."""
        return max(4.0, max(self.source.shape[:2]) / LONG_SIDE_OVER_RADIUS)

    def measure(self, picture: Picture) -> NDArray[np.float32]:
        """``(H, W)`` radius in pixels of the disc that, in a window of 15x15, best makes the picture of the source."""
        light = decode(picture, self.transfer)
        errors = np.stack([_local_mean(np.square(light - blurred).sum(axis=2)) for blurred in self._blurred])
        best = errors.argmin(axis=0)
        inner = np.clip(best, 1, len(errors) - 2)
        below, here, above = (np.take_along_axis(errors, (inner + k)[None], axis=0)[0] for k in (-1, 0, 1))
        bend = below - 2 * here + above
        shift = np.where(bend > 0, (below - above) / np.maximum(2 * bend, 1e-20), 0)
        # The parabola is of the three around the minimum; at the ends there are not three.
        refined = np.where(inner == best, best + np.clip(shift, -0.5, 0.5), best)
        return (refined * STEP_PX).astype(np.float32)

    @cached_property
    def is_textured(self) -> NDArray[np.bool_]:
        """``(H, W)``: where blur can be seen."""
        luma = grey(decode(self.source, self.transfer))
        return _local_mean(luma * luma) - _local_mean(luma) ** 2 > _TEXTURE

    @cached_property
    def _blurred(self) -> list[NDArray[np.float32]]:
        light = decode(self.source, self.transfer)
        return [_disc_blur(light, float(radius)) for radius in self.radii_px]


def blur_radius_px(picture: Picture, source: Picture, *, transfer: Transfer = "srgb") -> NDArray[np.float32]:
    """``(H, W)`` local blur radius of a picture, measured against its all-in-focus source; see ``BlurRuler``."""
    return BlurRuler(source, transfer).measure(picture)


def _disc_blur(light: NDArray[np.float32], radius_px: float) -> NDArray[np.float32]:
    if radius_px <= 0:
        return light
    reach = int(np.ceil(radius_px))
    # Each pixel's share of the disc, by samples on a fine grid.
    fine = (np.arange((2 * reach + 1) * _SAMPLES) + 0.5) / _SAMPLES - reach - 0.5
    inside = fine[:, None] ** 2 + fine**2 <= radius_px**2
    disc = inside.reshape(2 * reach + 1, _SAMPLES, 2 * reach + 1, _SAMPLES).mean(axis=(1, 3), dtype=np.float32)
    return np.asarray(cv2.filter2D(light, -1, disc / disc.sum(), borderType=cv2.BORDER_REFLECT_101), np.float32)


def _local_mean(values: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(cv2.blur(values, (WINDOW_PX, WINDOW_PX), borderType=cv2.BORDER_REFLECT_101), np.float32)
