"""Shapes of the aperture.

A point out of focus spreads over the aperture's shape, scaled by its circle of confusion. Shapes lie in the unit disc,
their centre at the origin, y downwards as in pictures. They are hashable: they key the cache of ``footprint.py``.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from any2bokeh.errors import InputError
from any2bokeh.optics.profile import BokehProfile


class ConvexAperture(Protocol):
    """An opening with a convex boundary that lets all light through."""

    def outline(self, vertices: int) -> NDArray[np.float64]:
        """The boundary as a closed polygon, ``(vertices, 2)`` of (x, y), the farthest about 1 from the origin."""
        ...

    def gauge(self, x: NDArray[np.floating], y: NDArray[np.floating]) -> NDArray[np.float64]:
        """By how much the shape must be scaled for each point to lie on its boundary: 0 at the centre."""
        ...

    def transmission(self, x: NDArray[np.floating], y: NDArray[np.floating]) -> NDArray[np.float64]:
        """Share of the light that points let through, in [0, 1]; what the reference renderer draws."""
        ...


@dataclass(frozen=True, slots=True)
class Disc:
    """A fully open, round aperture of radius 1."""

    def outline(self, vertices: int) -> NDArray[np.float64]:
        angle = np.arange(vertices) * (2 * np.pi / vertices)
        # The polygon that has the disc's area, not the one inscribed in it.
        radius = np.sqrt(2 * np.pi / vertices / np.sin(2 * np.pi / vertices))
        return radius * np.stack([np.cos(angle), np.sin(angle)], axis=1)

    def gauge(self, x: NDArray[np.floating], y: NDArray[np.floating]) -> NDArray[np.float64]:
        return np.hypot(x, y)

    def transmission(self, x: NDArray[np.floating], y: NDArray[np.floating]) -> NDArray[np.float64]:
        return (self.gauge(x, y) <= 1).astype(np.float64)


@dataclass(frozen=True, slots=True)
class Polygon:
    """An iris of straight or rounded blades, turned and squeezed.

    Attributes:
        blades: 3 to 16.
        curvature: 0 = straight blades, 1 = a disc.
        rotation_deg: turns the shape clockwise on the screen; 0 has a vertex on top.
        squeeze: width over height of the shape; an anamorphic lens of squeeze 2 has 0.5. The larger axis keeps 1.
    """

    blades: int = 6
    curvature: float = 0.0
    rotation_deg: float = 0.0
    squeeze: float = 1.0

    def __post_init__(self) -> None:
        if not 3 <= self.blades <= 16:
            raise ValueError(f"blades is {self.blades}; an aperture has 3 to 16")
        if not 0 <= self.curvature <= 1:
            raise ValueError(f"blade curvature is {self.curvature}; it lies in 0 (straight) to 1 (round)")
        if not np.isfinite(self.rotation_deg):
            raise ValueError(f"aperture rotation is {self.rotation_deg} degrees; give a finite angle")
        if not 0.25 <= self.squeeze <= 4:
            raise ValueError(f"aperture squeeze is {self.squeeze}; it lies in 0.25 to 4")

    def outline(self, vertices: int) -> NDArray[np.float64]:
        angle = np.arange(vertices) * (2 * np.pi / vertices)
        radius = self._radius(angle)
        turned = angle - np.pi / 2 + np.deg2rad(self.rotation_deg)
        squeeze_x, squeeze_y = self._axes()
        return np.stack([squeeze_x * radius * np.cos(turned), squeeze_y * radius * np.sin(turned)], axis=1)

    def gauge(self, x: NDArray[np.floating], y: NDArray[np.floating]) -> NDArray[np.float64]:
        squeeze_x, squeeze_y = self._axes()
        u, v = np.asarray(x) / squeeze_x, np.asarray(y) / squeeze_y
        return np.hypot(u, v) / self._radius(np.arctan2(v, u) + np.pi / 2 - np.deg2rad(self.rotation_deg))

    def transmission(self, x: NDArray[np.floating], y: NDArray[np.floating]) -> NDArray[np.float64]:
        return (self.gauge(x, y) <= 1).astype(np.float64)

    def _radius(self, angle: NDArray[np.floating]) -> NDArray[np.float64]:
        """Distance of the boundary from the centre; angle 0 is a vertex."""
        sector = 2 * np.pi / self.blades
        straight = np.cos(sector / 2) / np.cos(np.mod(angle, sector) - sector / 2)
        return straight + self.curvature * (1 - straight)

    def _axes(self) -> tuple[float, float]:
        return min(self.squeeze, 1.0), min(1 / self.squeeze, 1.0)


@dataclass(frozen=True, slots=True, eq=False)
class ImageAperture:
    """A picture of the aperture: its longer side spans the circle of confusion.

    Attributes:
        mask: ``(H, W)`` float32, share of the light that gets through, in [0, 1], the brightest 1.
        name: what messages call it.
    """

    mask: NDArray[np.float32] = field(repr=False)
    name: str = "image aperture"

    def __post_init__(self) -> None:
        if self.mask.ndim != 2 or self.mask.size == 0:
            raise InputError(f"{self.name} has the shape {self.mask.shape}; give one grey picture")
        if not (np.isfinite(self.mask).all() and self.mask.min() >= 0 and self.mask.max() > 0):
            raise InputError(f"{self.name} lets no light through; draw the opening in white on black")

    @classmethod
    def load(cls, path: str | Path) -> "ImageAperture":
        """Read a picture: white lets light through; where it has alpha, light is multiplied by it.

        Raises:
            InputError: no such file, not a picture, or black.
        """
        path = Path(path)
        if not path.is_file():
            raise InputError(f"there is no aperture image {path}; give a PNG of a white shape on black")
        picture = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_UNCHANGED)
        if picture is None:
            raise InputError(
                f"aperture image {path} is no picture that can be read; give a PNG of a white shape on black"
            )
        full = {"uint8": 255, "uint16": 65535}.get(str(picture.dtype), 1)
        values = np.atleast_3d(picture).astype(np.float32) / np.float32(full)
        colours = 3 if values.shape[2] >= 3 else 1
        mask = values[..., :colours].mean(axis=2)
        if values.shape[2] in (2, 4):
            mask = mask * values[..., -1]
        peak = float(mask.max())
        return cls(mask / peak if peak > 0 else mask, f"aperture image {path}")

    def gauge(self, x: NDArray[np.floating], y: NDArray[np.floating]) -> NDArray[np.float64]:
        return np.hypot(x, y)

    def transmission(self, x: NDArray[np.floating], y: NDArray[np.floating]) -> NDArray[np.float64]:
        height, width = self.mask.shape
        side = max(height, width) / 2
        columns, rows = np.floor(np.asarray(x) * side + width / 2), np.floor(np.asarray(y) * side + height / 2)
        within = (columns >= 0) & (columns < width) & (rows >= 0) & (rows < height)
        at = np.clip(rows, 0, height - 1).astype(int), np.clip(columns, 0, width - 1).astype(int)
        return np.where(within, self.mask[at], 0).astype(np.float64)

    def footprint(self, radius_px: float, profile: BokehProfile, *, in_front: bool) -> NDArray[np.float64]:
        """Brightness of each pixel around the centre, ``(2 n + 1, 2 n + 1)`` with n = ceil(radius - 0.5), at most 1.

        In front of the focal plane it is upside down and mirrored.
        """
        reach = int(np.ceil(radius_px - 0.5))
        # Several places in each pixel, and in each of the mask's: their mean is the mean over the pixel.
        fine = max(4, int(np.ceil(max(self.mask.shape) / (2 * radius_px))))
        unit = ((np.arange((2 * reach + 1) * fine) + 0.5) / fine - reach - 0.5) / radius_px
        if in_front:
            unit = -unit
        x, y = unit[None, :], unit[:, None]
        # The corners of the picture lie outside the unit disc, where a profile has no rim: it ends at the borders.
        bright = self.transmission(x, y) * profile.brightness(np.minimum(self.gauge(x, y), 1), in_front=in_front)
        bright = bright.reshape(2 * reach + 1, fine, 2 * reach + 1, fine).mean(axis=(1, 3))
        return bright / bright.max()


Aperture = ConvexAperture | ImageAperture
