"""How bright it is around each pixel, lamps left out."""

import numpy as np

from any2bokeh.compiled import compiled
from any2bokeh.renderers.layered.blocks import BLOCK

TIMES_SURROUNDINGS = 4.0
"""What is brighter than this many times its surroundings is a lamp, by what it has more than that."""

LEAST_SURROUNDINGS = np.float32(1e-4)
"""Light that stands for none at all."""

_MOST_OF_MEAN = np.float32(2)  # what is brighter than twice the mean of its surroundings counts as that bright


@compiled(nogil=True, inline="always")
def brightness(layer, y, x):
    """Largest of the three colours of a sample; ``layer`` is ``(H, W, 4)`` linear light."""
    return max(layer[y, x, 0], layer[y, x, 1], layer[y, x, 2])


@compiled(nogil=True, fastmath=True)
def find_means(rows, front, mean, brightest):
    """Mean and largest brightness of the picture in the blocks of one row.

    Args:
        rows: index of the row of blocks.
        front: ``(H, W, 4)`` linear light, of which the first three are read.
        mean, brightest: ``(rows, columns)`` of blocks; the row is written.
    """
    height, width = front.shape[:2]
    top, bottom = rows * BLOCK, min((rows + 1) * BLOCK, height)
    for block in range(mean.shape[1]):
        left, right = block * BLOCK, min((block + 1) * BLOCK, width)
        total, most = np.float32(0), np.float32(0)
        for y in range(top, bottom):
            for x in range(left, right):
                bright = brightness(front, y, x)
                total += bright
                most = max(most, bright)
        mean[rows, block] = total / np.float32((bottom - top) * (right - left))
        brightest[rows, block] = most


@compiled(nogil=True, fastmath=True)
def find_bounded_means(rows, front, mean, brightest, bounded):
    """The same of brightness up to twice the mean of the block and its neighbours, in which lamps count for little."""
    height, width = front.shape[:2]
    top, bottom = rows * BLOCK, min((rows + 1) * BLOCK, height)
    for block in range(mean.shape[1]):
        left, right = block * BLOCK, min((block + 1) * BLOCK, width)
        most = _MOST_OF_MEAN * _around(mean, rows, block)
        if brightest[rows, block] <= most:
            bounded[rows, block] = mean[rows, block]
            continue
        total = np.float32(0)
        for y in range(top, bottom):
            for x in range(left, right):
                total += min(brightness(front, y, x), most)
        bounded[rows, block] = total / np.float32((bottom - top) * (right - left))


@compiled(nogil=True)
def averaged(bounded, surroundings):
    """What is wanted: the mean of each block and its neighbours; ``(rows, columns)``, written."""
    for row in range(bounded.shape[0]):
        for column in range(bounded.shape[1]):
            surroundings[row, column] = _around(bounded, row, column)


@compiled(nogil=True)
def _around(blocks, row, column):
    """Mean of a block and its neighbours."""
    total, count = np.float32(0), 0
    for j in range(max(row - 1, 0), min(row + 2, blocks.shape[0])):
        for i in range(max(column - 1, 0), min(column + 2, blocks.shape[1])):
            total += blocks[j, i]
            count += 1
    return total / np.float32(count)


@compiled(nogil=True)
def least_to_shine(surroundings, row, column):
    """What is no brighter than this is a lamp nowhere in a block."""
    least = np.float32(np.inf)
    for j in range(max(row - 1, 0), min(row + 2, surroundings.shape[0])):
        for i in range(max(column - 1, 0), min(column + 2, surroundings.shape[1])):
            least = min(least, surroundings[j, i])
    return np.float32(TIMES_SURROUNDINGS) * max(least, LEAST_SURROUNDINGS)


@compiled(nogil=True, fastmath=True)
def surroundings_at(surroundings, y, x):
    """How bright it is around a pixel, interpolated between blocks so that nothing jumps as a lamp moves on."""
    last_row, last_column = surroundings.shape[0] - 1, surroundings.shape[1] - 1
    at_y = min(max((np.float32(y) - np.float32(BLOCK / 2 - 0.5)) / BLOCK, np.float32(0)), np.float32(last_row))
    at_x = min(max((np.float32(x) - np.float32(BLOCK / 2 - 0.5)) / BLOCK, np.float32(0)), np.float32(last_column))
    row, column = min(np.int64(at_y), max(last_row - 1, 0)), min(np.int64(at_x), max(last_column - 1, 0))
    below, beside = min(row + 1, last_row), min(column + 1, last_column)
    down, right = at_y - np.float32(row), at_x - np.float32(column)
    upper = surroundings[row, column] + (surroundings[row, beside] - surroundings[row, column]) * right
    lower = surroundings[below, column] + (surroundings[below, beside] - surroundings[below, column]) * right
    return max(upper + (lower - upper) * down, LEAST_SURROUNDINGS)
