"""All pictures of a scene in one array, each with smaller copies of itself, as the ray tracers read them."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

CELL_TEXELS = 16
"""Side of the square cells for which the range of alpha is kept."""

LEVELS = 8
"""Sizes at most that a picture is kept in, each half the one before."""


@dataclass(frozen=True, slots=True, eq=False)
class TextureAtlas:
    """Pictures ``N`` of linear light, premultiplied by alpha.

    Attributes:
        texels: ``(P, 4)`` float32, all levels of all pictures, row by row.
        first: ``(N, LEVELS)`` int64, where a level begins in ``texels``.
        size: ``(N, LEVELS, 2)`` int32, its height and width; levels past the last repeat it.
        cell_first: ``(N,)`` int64, where a picture's cells begin in ``alpha_range``.
        alpha_range: ``(C, 2)`` float32, least and largest alpha of each cell of ``CELL_TEXELS`` squared, row by row.
    """

    texels: NDArray[np.float32]
    first: NDArray[np.int64]
    size: NDArray[np.int32]
    cell_first: NDArray[np.int64]
    alpha_range: NDArray[np.float32]

    @classmethod
    def of(cls, pictures: Sequence[NDArray[np.float32]]) -> "TextureAtlas":
        """Pack pictures ``(H, W, 4)``, RGB premultiplied by alpha."""
        count = len(pictures)
        parts, cells = [], []
        first, size = np.zeros((count, LEVELS), np.int64), np.zeros((count, LEVELS, 2), np.int32)
        cell_first = np.zeros(count, np.int64)
        at = cell_at = 0
        for n, picture in enumerate(pictures):
            ranges = _alpha_ranges(picture[..., 3])
            cells.append(ranges)
            cell_first[n] = cell_at
            cell_at += len(ranges)
            level = np.ascontiguousarray(picture, np.float32)
            for i in range(LEVELS):
                if i > 0:
                    height, width = level.shape[:2]
                    if min(height, width) < 4:
                        first[n, i], size[n, i] = first[n, i - 1], size[n, i - 1]
                        continue
                    level = cv2.resize(level, ((width + 1) // 2, (height + 1) // 2), interpolation=cv2.INTER_AREA)
                parts.append(level.reshape(-1, 4))
                first[n, i], size[n, i] = at, level.shape[:2]
                at += parts[-1].shape[0]
        return cls(np.concatenate(parts), first, size, cell_first, np.concatenate(cells))


def _alpha_ranges(alpha: NDArray[np.float32]) -> NDArray[np.float32]:
    height, width = alpha.shape
    pad = ((0, -height % CELL_TEXELS), (0, -width % CELL_TEXELS))
    cells = np.pad(alpha, pad, mode="edge")
    rows, columns = cells.shape[0] // CELL_TEXELS, cells.shape[1] // CELL_TEXELS
    cells = cells.reshape(rows, CELL_TEXELS, columns, CELL_TEXELS)
    return np.stack([cells.min(axis=(1, 3)), cells.max(axis=(1, 3))], axis=-1).reshape(-1, 2).astype(np.float32)
