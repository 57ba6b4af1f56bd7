"""The pixels that the network looks at, in cells of 2x2, and the cells beside each.

At pictures of more than 1024 px the network sees every ``stride``-th pixel of every ``stride``-th row: its neighbours
are as far apart as they were in training, measured by the picture. What it would say of the pixels between differs
little, and would cost ``stride`` squared times as much.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from any2bokeh.compiled import compiled

CELL_PX = 2
"""Side of a cell, in pixels that are ``stride`` apart."""

PIXELS = CELL_PX * CELL_PX
"""In a cell."""

DILATIONS = (1, 2, 4)
"""How many cells away neighbours may be asked for."""


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """The cells that hold pixels of the band, and those beside them.

    Attributes:
        grid: ``(rows, columns)`` int32: number of each cell; -1 where the network does not look.
        at: ``(N, 2)`` int32: row and column in the grid.
        stride: see above.
    """

    grid: NDArray[np.int32]
    at: NDArray[np.int32]
    stride: int

    @classmethod
    def of(cls, band: NDArray[np.bool_], stride: int) -> "Cells":
        """Those of a band ``(H, W)``."""
        height, width = (-(-side // (CELL_PX * stride)) for side in band.shape)
        grid = np.full((height, width), -1, np.int32)
        _mark(band, stride, grid)
        at = np.argwhere(grid >= 0).astype(np.int32)
        grid[at[:, 0], at[:, 1]] = np.arange(len(at), dtype=np.int32)
        return cls(grid, at, stride)

    def neighbours(self, dilation: int) -> NDArray[np.int32]:
        """``(N, 8)``: the cells so many rows and columns away, row by row; -1 where the network does not look."""
        found = np.empty((len(self.at), 8), np.int32)
        _find_neighbours(self.grid, self.at, dilation, found)
        return found


@compiled(nogil=True)
def _mark(band, stride, grid):
    """0 for each cell of the band and the eight around it."""
    height, width = band.shape
    rows, columns = grid.shape
    for y in range(0, height, stride):
        for x in range(0, width, stride):
            if not band[y, x]:
                continue
            row, column = y // stride // 2, x // stride // 2
            for j in range(max(row - 1, 0), min(row + 2, rows)):
                for i in range(max(column - 1, 0), min(column + 2, columns)):
                    grid[j, i] = 0


@compiled(nogil=True)
def _find_neighbours(grid, at, dilation, found):
    rows, columns = grid.shape
    for n in range(at.shape[0]):
        row, column = at[n, 0], at[n, 1]
        k = 0
        for dj in (-dilation, 0, dilation):
            for di in (-dilation, 0, dilation):
                if dj == 0 and di == 0:
                    continue
                j, i = row + dj, column + di
                inside = j >= 0 and j < rows and i >= 0 and i < columns
                found[n, k] = grid[j, i] if inside else -1
                k += 1
