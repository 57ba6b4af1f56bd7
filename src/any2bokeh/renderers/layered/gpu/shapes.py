"""The shapes of points out of focus as the shaders take them: for each radius a picture of what it covers."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from any2bokeh.optics.aperture import Aperture, ImageAperture
from any2bokeh.optics.footprint import Footprint
from any2bokeh.optics.footprint import footprint as footprint_of
from any2bokeh.optics.profile import BokehProfile
from any2bokeh.optics.radii import LINEAR_LIMIT_PX, indexed_radii_px, radius_index
from any2bokeh.optics.vignetting import VignettingTable
from any2bokeh.renderers.layered.gpu.levels import Limits, limits_of

RADII = radius_index(LINEAR_LIMIT_PX) + 1
"""Of shapes up to 16 px."""


class Shapes(NamedTuple):
    """Tables of one lens.

    Attributes:
        records: uint32: of each radius, first behind the focal plane and then in front of it: where it begins in
            ``table``, rows and columns, and the float32 bits of one over its area; radii that share a shape share what
            is in ``table``. Then the same of the mean of four shapes, each a pixel from the next, for samples that
            pixels share. A shape beyond ``limits.alone_px`` is there as that mean only. Where shapes are cut, there are
            no means, and a shape begins in ``records`` instead, which hold the first step of each row.
        table: float32: shares of pixels covered, row by row; where shapes are cut, place and height of each step, and
            from ``kept_at`` on what vignetting keeps.
        kept_at: see there.
        cuts: whether vignetting cuts shapes.
        limits: which radii are gathered of fewer samples.
        radii: how many there are.
    """

    records: NDArray[np.uint32]
    table: NDArray[np.float32]
    kept_at: int
    cuts: bool
    limits: Limits
    radii: int


class LampShapes(NamedTuple):
    """The steps of shapes of all radii, for lamps, whose discs are never drawn at a level.

    Attributes:
        records: uint32: of each radius, first behind the focal plane and then in front of it: its first row, how many
            rows it reaches above and below its centre, and the float32 bits of one over its area. Then the first step
            of each row.
        table: float32: place and height of each step; from ``kept_at`` on what vignetting keeps.
        kept_at: see there.
        radii: how many there are.
    """

    records: NDArray[np.uint32]
    table: NDArray[np.float32]
    kept_at: int
    radii: int


def lamp_shapes_of(footprint: Footprint, vignetting: VignettingTable | None) -> LampShapes:
    """All of a footprint, behind a lens barrel if it vignettes."""
    radii = len(footprint.reach)
    records = np.zeros((2, radii, 3), np.uint32)
    records[..., 0] = footprint.first
    records[..., 1] = footprint.reach
    records[..., 2] = footprint.inverse_area.view(np.uint32)
    steps = np.stack([footprint.places, footprint.heights], axis=1).astype(np.float32).ravel()
    kept = np.zeros(0, np.float32) if vignetting is None else vignetting.kept.astype(np.float32).ravel()
    rows = footprint.row_first.astype(np.uint32)
    return LampShapes(np.concatenate([records.ravel(), rows]), np.concatenate([steps, kept]), steps.size, radii)


def shapes_of(
    aperture: Aperture, profile: BokehProfile, vignetting: VignettingTable | None, most_px: float = math.inf
) -> Shapes:
    """The tables of an aperture, behind a lens barrel if it vignettes, for radii up to ``most_px`` at least."""
    small = footprint_of(aperture, profile, LINEAR_LIMIT_PX)
    area = 1 / (float(small.inverse_area[0, RADII - 1]) * math.pi * LINEAR_LIMIT_PX**2)
    has_detail = isinstance(aperture, ImageAperture) or not profile.is_flat or vignetting is not None
    limits = limits_of(area, has_detail=has_detail)
    largest = largest_px(limits, most_px)
    footprint = footprint_of(aperture, profile, largest)
    radii = radius_index(largest) + 1
    records = np.zeros((2, radii, 3), np.uint32)
    records[..., 2] = footprint.inverse_area[:, :radii].view(np.uint32)
    rows = 2 * footprint.reach[:radii] + 1
    if vignetting is not None:
        columns = 2 * (indexed_radii_px(largest)[:radii] + 1.5).astype(np.uint32) + 1
        records[..., 0] = footprint.first[:, :radii] + records.size
        records[..., 1] = rows | columns << 16
        steps = np.stack([footprint.places, footprint.heights], axis=1).astype(np.float32).ravel()
        table = np.concatenate([steps, vignetting.kept.ravel()]).astype(np.float32)
        return Shapes(
            np.concatenate([records.ravel(), footprint.row_first.astype(np.uint32)]),
            table,
            steps.size,
            cuts=True,
            limits=limits,
            radii=radii,
        )
    records = np.stack([records, records])  # alone, and the mean of four
    pictures, at = [], 0
    drawn: dict[int, NDArray[np.uint32]] = {}  # by the first row of a shape: where it and the mean are, and their sizes
    for side in range(2):
        for index in range(radii):
            first = int(footprint.first[side, index])
            if first not in drawn:
                drawn[first] = np.zeros((2, 2), np.uint32)
                alone = _picture(footprint, first, int(rows[index]))
                for kind, picture in enumerate((alone, _mean_of_four(alone))):
                    if kind == 0 and index > radius_index(limits.alone_px):
                        continue
                    drawn[first][kind] = at, picture.shape[0] | picture.shape[1] << 16
                    pictures.append(picture.ravel())
                    at += picture.size
            records[:, side, index, :2] = drawn[first]
    return Shapes(records.ravel(), np.concatenate(pictures), 0, cuts=False, limits=limits, radii=radii)


def largest_px(limits: Limits, most_px: float) -> float:
    """Of the shapes that a frame needs in which no radius is larger than ``most_px``."""
    largest = LINEAR_LIMIT_PX
    while largest < min(most_px, limits.level_px):
        largest *= 2
    return min(largest, limits.level_px)


def _mean_of_four(picture: NDArray[np.float32]) -> NDArray[np.float32]:
    """The mean of a picture and itself one pixel farther right, down, and both, ``(rows + 1, columns + 1)``."""
    around = np.pad(picture, 1)
    return (around[1:, 1:] + around[:-1, 1:] + around[1:, :-1] + around[:-1, :-1]) * np.float32(0.25)


def _picture(footprint: Footprint, first: int, rows: int) -> NDArray[np.float32]:
    """What one shape covers of each pixel, ``(rows, columns)``; columns are odd, its own in the middle."""
    begin, end = footprint.row_first[first], footprint.row_first[first + rows]
    cells, shares = footprint.cells[begin:end], footprint.shares[begin:end]
    across = int(max(-cells.min(), cells.max(), 0))
    row = np.repeat(np.arange(rows), np.diff(footprint.row_first[first : first + rows + 1]))
    columns = 2 * across + 2
    at = row * columns + cells + across
    steps = np.bincount(np.concatenate([at, at + 1]), weights=shares.T.ravel(), minlength=rows * columns)
    return steps.reshape(rows, columns).cumsum(axis=1)[:, :-1].astype(np.float32)
