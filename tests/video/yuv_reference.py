"""The conversions of ``any2bokeh.video.yuv``, one sample at a time, written from the definition."""

import numpy as np
from numpy.typing import NDArray


def decode(
    planes: list[NDArray], size: tuple[int, int], steps: tuple[int, int], matrix: NDArray, offset: NDArray
) -> NDArray:
    """RGB ``(3, H, W)`` of planes without padding; chroma is interpolated linearly between its own positions."""
    height, width = size
    pixels = np.zeros((3, height, width))
    for y in range(height):
        for x in range(width):
            # Where this pixel lies on the grid of the chroma: level with the left column, half-way between two rows.
            row = (y - 0.5) / 2 if steps[0] else y
            column = x / 2 if steps[1] else x
            code = np.array([planes[0][y, x], _at(planes[1], row, column), _at(planes[2], row, column)])
            pixels[:, y, x] = np.clip(matrix.astype(np.float64) @ code + offset, 0, 1)
    return pixels


def encode(pixels: NDArray, steps: tuple[int, int], matrix: NDArray, offset: NDArray, bits: int) -> list[NDArray]:
    """Unrounded code values of three planes."""
    matrix = matrix.astype(np.float64)
    top = (1 << bits) - 1
    pixels = np.clip(np.nan_to_num(pixels.astype(np.float64), nan=0), 0, 1)
    height, width = pixels.shape[1:]
    full = np.einsum("ij,jyx->iyx", matrix, pixels) + offset[:, None, None]
    rows, columns = -(-height // (1 << steps[0])), -(-width // (1 << steps[1]))
    chroma = np.zeros((2, rows, columns))
    for row in range(rows):
        for column in range(columns):
            ys = [y for y in ((2 * row, 2 * row + 1) if steps[0] else (row,)) if y < height]
            x = 2 * column if steps[1] else column
            weights = {x - 1: 0.25, x: 0.5, x + 1: 0.25} if steps[1] else {x: 1.0}
            for y in ys:
                for position, weight in weights.items():
                    chroma[:, row, column] += weight * full[1:, y, min(max(position, 0), width - 1)] / len(ys)
    return [np.clip(plane, 0, top) for plane in (full[0], *chroma)]


def _at(plane: NDArray, row: float, column: float) -> float:
    """Linear interpolation; the border repeats."""
    height, width = plane.shape
    y, x = int(np.floor(row)), int(np.floor(column))
    total = 0.0
    for j, wy in ((y, 1 - (row - y)), (y + 1, row - y)):
        for i, wx in ((x, 1 - (column - x)), (x + 1, column - x)):
            total += wy * wx * float(plane[min(max(j, 0), height - 1), min(max(i, 0), width - 1)])
    return total
