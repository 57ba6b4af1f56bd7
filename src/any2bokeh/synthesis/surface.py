"""Surfaces that pictures lie on: fronto-parallel, slanted or curved, and how a pinhole camera sees them.

Camera coordinates: x to the right, y down, z away from the camera. Seen through a pinhole, the inverse depth of a plane
is an affine function of where in the frame it is seen, and its picture a homography of the frame; both are rows of one
matrix.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Plane:
    """A rectangle in camera coordinates.

    Attributes:
        center: ``(3,)``.
        across, down: ``(3,)``, from its left to its right border, from its upper to its lower one.
    """

    center: NDArray[np.float64]
    across: NDArray[np.float64]
    down: NDArray[np.float64]

    @classmethod
    def facing(
        cls,
        center: NDArray[np.float64],
        extent: tuple[float, float],
        *,
        roll_deg: float = 0.0,
        yaw_deg: float = 0.0,
        pitch_deg: float = 0.0,
    ) -> "Plane":
        """A rectangle of ``extent`` (width, height), turned in its own plane, then slanted about y and about x."""
        turn = rotation(roll_deg=roll_deg, yaw_deg=yaw_deg, pitch_deg=pitch_deg)
        return cls(np.asarray(center, np.float64), turn[:, 0] * extent[0], turn[:, 1] * extent[1])

    def seen_from(self, position: NDArray[np.float64], turn: NDArray[np.float64]) -> "Plane":
        """The same rectangle in the coordinates of a camera at ``position`` whose axes are the columns of ``turn``."""
        return Plane(turn.T @ (self.center - position), turn.T @ self.across, turn.T @ self.down)

    def inverse_projection(self, focal_px: float, size: tuple[int, int]) -> NDArray[np.float64]:
        """``(3, 3)`` from pixels (x, y, 1) of a frame of ``size`` (h, w) to (s / z, t / z, 1 / z).

        s and t run from -0.5 to 0.5 over the rectangle.
        """
        height, width = size
        ray = np.array([[1 / focal_px, 0, -width / 2 / focal_px], [0, 1 / focal_px, -height / 2 / focal_px], [0, 0, 1]])
        inverse = np.linalg.inv(np.stack([self.across, self.down, self.center], axis=1))
        return np.asarray(inverse @ ray, np.float64)


@dataclass(frozen=True, slots=True)
class Bend:
    """Curvature: the surface falls back from its plane with the square of the distance from its middle.

    Attributes:
        amount: share of its inverse depth that the surface loses at ``radius_px`` from the middle; negative bends
            its rim towards the camera.
        along_deg: direction of a cylinder's axis in the frame; None for a dome.
    """

    amount: float
    along_deg: float | None = None

    def inverse_depth(self, middle: NDArray[np.float64], radius_px: float, inverse_depth: float) -> NDArray[np.float64]:
        """``(6,)`` coefficients in (1, x, y, x^2, x y, y^2) to add to a plane of ``inverse_depth`` at ``middle``."""
        if self.along_deg is None:
            xx, xy, yy = 1.0, 0.0, 1.0
        else:
            normal = np.array([-np.sin(np.deg2rad(self.along_deg)), np.cos(np.deg2rad(self.along_deg))])
            xx, xy, yy = normal[0] ** 2, 2 * normal[0] * normal[1], normal[1] ** 2
        x, y = middle
        form = np.array([
            xx * x * x + xy * x * y + yy * y * y, -2 * xx * x - xy * y, -2 * yy * y - xy * x, xx, xy, yy,
        ])  # fmt: skip
        return -self.amount * inverse_depth / radius_px**2 * form


def rotation(*, roll_deg: float = 0.0, yaw_deg: float = 0.0, pitch_deg: float = 0.0) -> NDArray[np.float64]:
    """``(3, 3)``: turn about the z axis, then about y, then about x."""
    (cz, cy, cx), (sz, sy, sx) = (f(np.deg2rad([roll_deg, yaw_deg, pitch_deg])) for f in (np.cos, np.sin))
    about_z = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_x = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    return about_x @ about_y @ about_z
