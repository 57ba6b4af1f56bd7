"""The shapes of points out of focus as the shaders take them: for each radius a picture of what it covers."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from any2bokeh.optics.aperture import Aperture, ImageAperture
from any2bokeh.optics.footprint import Footprint
from any2bokeh.optics.footprint import footprint as footprint_of
from any2bokeh.optics.profile import BokehProfile
from any2bokeh.optics.radii import LINEAR_LIMIT_PX, radius_index
from any2bokeh.optics.vignetting import VignettingTable
from any2bokeh.renderers.layered.gpu.levels import NOTHING_SHARED, OF_PICTURES, SHARED, SHARED_LEAST_PX, Limits

RADII = radius_index(LINEAR_LIMIT_PX) + 1
"""Of shapes up to the limit of levels, but for those of pictures."""


class Shapes(NamedTuple):
    """Tables of one lens.

    Attributes:
        records: uint32: of each radius, first behind the focal plane and then in front of it: where it begins in
            ``table``, rows and columns, and the float32 bits of one over its area. Where pixels share samples, then the
            same of the mean of four shapes, each a pixel from the next, from ``SHARED_LEAST_PX`` on. Where shapes are
            cut, one begins in ``records`` instead, which hold the first step of each row.
        table: float32: shares of pixels covered, row by row; where shapes are cut, place and height of each step, and
            from ``kept_at`` on what vignetting keeps.
        kept_at: see there.
        cuts: whether vignetting cuts shapes.
        limits: which radii are gathered of fewer samples. Pixels share none under a cut, which would be that of one of
            them, nor where a profile has detail of its own.
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


def shapes_of(aperture: Aperture, profile: BokehProfile, vignetting: VignettingTable | None) -> Shapes:
    """The tables of an aperture, behind a lens barrel if it vignettes."""
    limits = NOTHING_SHARED
    if vignetting is None and isinstance(aperture, ImageAperture):
        limits = OF_PICTURES
    elif vignetting is None and profile.is_flat:
        limits = SHARED
    footprint = footprint_of(aperture, profile, limits.level_px)
    radii = radius_index(limits.level_px) + 1
    records = np.zeros((2, radii, 3), np.uint32)
    records[..., 2] = footprint.inverse_area[:, :radii].view(np.uint32)
    rows = 2 * footprint.reach[:radii] + 1
    if vignetting is not None:
        radii_px = np.arange(radii) * np.float32(LINEAR_LIMIT_PX / (radii - 1))
        columns = 2 * (radii_px + 1.5).astype(np.uint32) + 1
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
    shares = limits is not NOTHING_SHARED
    records = np.stack([records, records]) if shares else records[None]  # alone, and the mean of four
    pictures, at = [], 0
    for side in range(2):
        for index in range(radii):
            drawn = [_picture(footprint, int(footprint.first[side, index]), int(rows[index]))]
            if shares and index >= radius_index(SHARED_LEAST_PX):
                drawn.append(_mean_of_four(drawn[0]))
            for kind, picture in enumerate(drawn):
                records[kind, side, index, :2] = at, picture.shape[0] | picture.shape[1] << 16
                pictures.append(picture.ravel())
                at += picture.size
    return Shapes(records.ravel(), np.concatenate(pictures), 0, cuts=False, limits=limits, radii=radii)


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
    steps = np.zeros((rows, 2 * across + 2))
    np.add.at(steps, (row, cells + across), shares[:, 0])
    np.add.at(steps, (row, cells + across + 1), shares[:, 1])
    return steps.cumsum(axis=1)[:, :-1].astype(np.float32)
