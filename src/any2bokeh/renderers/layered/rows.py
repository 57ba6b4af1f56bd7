"""A footprint as the kernels take it."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from any2bokeh.optics.footprint import Footprint
from any2bokeh.optics.vignetting import VignettingTable

PLAIN, STEPPED, CUT = 0, 1, 2
"""Each row steps up once and down once; any number of steps; steps brought within what vignetting leaves open."""


class Rows(NamedTuple):
    """See ``Footprint`` and ``VignettingTable``; ``cells`` and ``shares`` are ``(rows, 2)`` and ``(rows, 4)`` where
    rows are plain, ``(steps, 1)`` and ``(steps, 2)`` otherwise."""

    mode: int
    first: NDArray[np.int32]
    reach: NDArray[np.int32]
    inverse_area: NDArray[np.float32]
    row_first: NDArray[np.int32]
    places: NDArray[np.float32]
    heights: NDArray[np.float32]
    cells: NDArray[np.int32]
    shares: NDArray[np.float32]
    vignetting: NDArray[np.float32]
    kept: NDArray[np.float32]


def rows_of(footprint: Footprint, vignetting: VignettingTable | None) -> Rows:
    """The rows of a footprint, behind a lens barrel if it vignettes."""
    plain = footprint.is_plain and vignetting is None
    steps = 2 if plain else 1
    numbers, kept = vignetting or VignettingTable(np.zeros(5, np.float32), np.ones((2, 2), np.float32))
    return Rows(
        PLAIN if plain else STEPPED if vignetting is None else CUT,
        footprint.first,
        footprint.reach,
        footprint.inverse_area,
        footprint.row_first,
        footprint.places,
        footprint.heights,
        footprint.cells.reshape(-1, steps),
        footprint.shares.reshape(-1, 2 * steps),
        numbers,
        kept,
    )
