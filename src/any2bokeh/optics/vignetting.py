"""Vignetting: what the lens barrel cuts off the aperture towards the corners of the frame.

Seen from off the axis, the rims of a lens stand before one another, and only what both leave open lets light through:
the disc of confusion becomes a cat's eye.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from any2bokeh.compiled import compiled
from any2bokeh.errors import InputError
from any2bokeh.optics.aperture import Aperture
from any2bokeh.optics.profile import BokehProfile


@dataclass(frozen=True, slots=True)
class Vignetting:
    """How the shape depends on the place in the frame. ``h`` is the distance from the centre, 1 in the corners.

    Attributes:
        cat_eye: the rim is a circle of the size of the aperture, displaced towards the centre of the frame (behind the
            focal plane; away from it in front) by ``cat_eye * h`` of its radius; in [0, 1].
        swirl: the opening is narrowed along the radius by ``swirl * h^2``, so that discs lie around the centre of the
            frame; in [0, 0.9].
    """

    cat_eye: float = 0.0
    swirl: float = 0.0

    def __post_init__(self) -> None:
        for name, most in (("cat_eye", 1.0), ("swirl", 0.9)):
            value = getattr(self, name)
            if not 0 <= value <= most:
                raise InputError(f"{name.replace('_', ' ')} of the lens is {value:g}; it lies in 0 to {most:g}")

    @property
    def is_open(self) -> bool:
        """Whether it cuts nothing off."""
        return self.cat_eye == 0 and self.swirl == 0

    def opening(
        self, x: NDArray[np.floating], y: NDArray[np.floating], across: float, down: float, *, in_front: bool = False
    ) -> NDArray[np.bool_]:
        """Whether places in the unit disc stay open; the definition that the reference renderer draws.

        Args:
            x, y: places in the shape, in circles of confusion.
            across, down: place in the frame, from its centre, in half diagonals.
            in_front: of the focal plane.
        """
        distance = float(np.hypot(across, down))  # light from beyond the corners comes as from the corners
        within = min(distance, 1.0)
        radial_x, radial_y = (across / distance, down / distance) if distance > 0 else (1.0, 0.0)
        radial = np.asarray(x) * radial_x + np.asarray(y) * radial_y
        tangential = np.asarray(y) * radial_x - np.asarray(x) * radial_y
        shift = self.cat_eye * within * (1 if in_front else -1)
        narrowed = 1 - self.swirl * within**2
        return ((radial - shift) / narrowed) ** 2 + tangential**2 <= 1


class VignettingTable(NamedTuple):
    """Vignetting for kernels.

    Attributes:
        numbers: ``(5,)``: ``cat_eye`` and ``swirl`` as in ``Vignetting``; row and column of the frame's centre, px;
            half diagonals in a pixel.
        kept: ``(distances, directions)`` share of the light that the barrel lets through behind the focal plane, at
            distances from 0 to 1 and directions from 0 to 4, both ends included; see ``_direction``.
    """

    numbers: NDArray[np.float32]
    kept: NDArray[np.float32]


_DISTANCES, _DIRECTIONS = 17, 33
_GRID = 160


def vignetting_table(
    vignetting: Vignetting, aperture: Aperture, profile: BokehProfile, height: int, width: int
) -> VignettingTable:
    """The table of vignetting for frames of ``height`` x ``width``."""
    unit = (np.arange(_GRID) + 0.5) * 2 / _GRID - 1
    x, y = unit[None, :], unit[:, None]
    bright = aperture.transmission(x, y) * profile.brightness(np.minimum(aperture.gauge(x, y), 1), in_front=False)
    kept = np.empty((_DISTANCES, _DIRECTIONS))
    for i, distance in enumerate(np.linspace(0, 1, _DISTANCES)):
        for j, direction in enumerate(np.linspace(0, 4, _DIRECTIONS)):
            across = 1 - direction if direction <= 2 else direction - 3
            down = (1 - abs(across)) * (1 if direction <= 2 else -1)
            length = np.hypot(across, down)
            left_open = vignetting.opening(x, y, distance * across / length, distance * down / length)
            kept[i, j] = (bright * left_open).sum() / bright.sum()
    numbers = [vignetting.cat_eye, vignetting.swirl, (height - 1) / 2, (width - 1) / 2, 2 / np.hypot(height, width)]
    return VignettingTable(np.array(numbers, np.float32), np.maximum(kept, 1e-3).astype(np.float32))


# Up to the first radius nothing is cut off, from the second on all of it: smaller shapes are too few pixels to cut.
_CUT_FROM_PX, _CUT_WHOLLY_PX = np.float32(0.75), np.float32(1.75)


@compiled(nogil=True, fastmath=True)
def cut(numbers, kept, signed_px, y, x):
    """What vignetting does to the shape of one sample.

    Args:
        numbers, kept: of a ``VignettingTable``.
        signed_px: its defocus.
        y, x: its place, px.

    Returns:
        Seven float32: the share of light kept, and what ``row_opening`` needs.
    """
    cat_eye, swirl, per_px = numbers[0], numbers[1], numbers[4]
    down, across = (np.float32(y) - numbers[2]) * per_px, (np.float32(x) - numbers[3]) * per_px
    distance = np.sqrt(down * down + across * across)
    radius = abs(signed_px)
    strength = min(max((radius - _CUT_FROM_PX) / (_CUT_WHOLLY_PX - _CUT_FROM_PX), np.float32(0)), np.float32(1))
    if distance < np.float32(1e-6) or strength == 0:
        wide = radius + np.float32(8)
        return (np.float32(1), np.float32(1), np.float32(0), np.float32(0), np.float32(0), np.float32(0), wide * wide)
    radial_x, radial_y = across / distance, down / distance
    within = min(distance, np.float32(1))
    shift = cat_eye * within * strength * radius
    if signed_px <= 0:
        shift = -shift
    inverse_a = np.float32(1) / ((np.float32(1) - swirl * within * within * strength) * radius)
    inverse_b = np.float32(1) / radius
    aa, bb = inverse_a * inverse_a, inverse_b * inverse_b
    # ((x ux + y uy - shift) / a)^2 + ((y ux - x uy) / b)^2 = 1 as A x^2 + 2 (B1 y + B0) x + C = 0
    a = radial_x * radial_x * aa + radial_y * radial_y * bb
    b1, b0 = radial_x * radial_y * (aa - bb), -shift * radial_x * aa
    c2 = radial_y * radial_y * aa + radial_x * radial_x * bb
    c1, c0 = np.float32(-2) * shift * radial_y * aa, shift * shift * aa - np.float32(1)
    d2, d1, d0 = b1 * b1 - a * c2, np.float32(2) * b0 * b1 - a * c1, b0 * b0 - a * c0
    # In front the shape and its opening are mirrored together: as much is kept.
    share = np.float32(1) + (_kept_at(kept, within, radial_x, radial_y) - np.float32(1)) * strength
    return (share, np.float32(1) / a, b1, b0, d2, d1, d0)


@compiled(nogil=True, fastmath=True, inline="always")
def _direction(x, y):
    """0 along x, 1 along y, 2 and 3 against them: a place on the diamond around the centre, cheaper than an angle."""
    along = x / (abs(x) + abs(y))
    return np.float32(1) - along if y >= 0 else np.float32(3) + along


@compiled(nogil=True, fastmath=True, inline="always")
def _kept_at(kept, distance, radial_x, radial_y):
    i = distance * np.float32(kept.shape[0] - 1)
    j = _direction(radial_x, radial_y) * (np.float32(kept.shape[1] - 1) / np.float32(4))
    row, column = min(int(i), kept.shape[0] - 2), min(int(j), kept.shape[1] - 2)
    down, across = np.float32(i - row), np.float32(j - column)
    near = kept[row, column] + across * (kept[row, column + 1] - kept[row, column])
    far = kept[row + 1, column] + across * (kept[row + 1, column + 1] - kept[row + 1, column])
    return near + down * (far - near)


FINE_UP_TO_PX = np.float32(4)
"""Below this radius ``fine_row_opening`` is needed: a row of a small shape may open and close within its height."""


@compiled(nogil=True, fastmath=True, inline="always")
def row_opening(opening, y):
    """Where a row ``y`` px below the centre is open: left and right end in px from the centre; both alike where it is
    shut."""
    _, inverse_a, b1, b0, d2, d1, d0 = opening
    half = np.sqrt(max((d2 * y + d1) * y + d0, np.float32(0))) * inverse_a
    middle = -(b1 * y + b0) * inverse_a
    return middle - half, middle + half


@compiled(nogil=True, fastmath=True, inline="always")
def fine_row_opening(opening, y):
    """``row_opening`` of three lines of the row: their mean where they are open, and the share that is."""
    left, right, count = np.float32(0), np.float32(0), np.float32(0)
    for line in range(3):
        low, high = row_opening(opening, y + (np.float32(line) - np.float32(1)) / np.float32(3))
        if high > low:
            left += low
            right += high
            count += np.float32(1)
    least = max(count, np.float32(1))
    return left / least, right / least, count / np.float32(3)
