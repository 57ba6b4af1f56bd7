"""The network without torch: matrix products over the cells of the band alone.

Each cell is a row of a matrix. A block mixes each cell with its eight neighbours, channel by channel, normalises it,
and adds what a layer of twice the channels makes of it; what lies outside the band is 0, as at the border of a picture.
``training.edges.torch_network`` is the same in torch.

Bands are a part of the frame, so that lists of cells beat faster engines on whole frames or tiles. On one core, at
512x288 with 40 % of it in bands: 38 ms; tiles of 32 px with margins of 8 px take 66 ms in ONNX Runtime and 77 ms in
OpenCV's DNN, whole frames 72 and 88 ms, all four without the normalisation.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from any2bokeh.compiled import compiled
from any2bokeh.disparity.edges.learned.cells import PIXELS, Cells
from any2bokeh.disparity.edges.learned.clues import CLUES

CORRECTIONS = 6
"""Numbers that the network gives for a pixel: corrections of the logit of the nearer surface's share, of that of a
third surface, of that of a wrong map, and of the farther surface's red, green and blue light."""

EPSILON = 1e-5
"""Of the variance, in normalisation."""

_ROWS = 1024  # of the matrices at a time: they stay in the cache
_FEW_ROWS = 32  # so few that OpenBLAS shares no product among threads, which wait for one another in busy loops

Weights = Mapping[str, NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class Shape:
    """What the network is built of.

    Attributes:
        channels: of each cell.
        dilations: of each block, in cells; see ``cells.DILATIONS``.
        head: channels of the last layer but one.
        clues: numbers that it is told of a pixel.
        corrections: numbers that it gives for one.
    """

    channels: int = 40
    dilations: tuple[int, ...] = (1, 1, 2, 4, 1, 2, 1, 1)
    head: int = 64
    clues: int = CLUES
    corrections: int = CORRECTIONS

    def sizes(self) -> dict[str, tuple[int, ...]]:
        """Names and shapes of the weights. Matrices take a row of inputs from the left."""
        c, inputs = self.channels, PIXELS * self.clues
        sizes: dict[str, tuple[int, ...]] = {"stem.weight": (inputs, c), "stem.bias": (c,)}
        for block in range(len(self.dilations)):
            sizes |= {
                f"blocks.{block}.spatial.weight": (9, c),
                f"blocks.{block}.spatial.bias": (c,),
                f"blocks.{block}.wide.weight": (c, 2 * c),
                f"blocks.{block}.wide.bias": (2 * c,),
                f"blocks.{block}.narrow.weight": (2 * c, c),
                f"blocks.{block}.narrow.bias": (c,),
            }
        return sizes | {
            "head.wide.weight": (c + inputs, self.head),
            "head.wide.bias": (self.head,),
            "head.narrow.weight": (self.head, PIXELS * self.corrections),
            "head.narrow.bias": (PIXELS * self.corrections,),
        }

    def untrained(self) -> dict[str, NDArray[np.float32]]:
        """Weights of a network that corrects nothing."""
        return {name: np.zeros(size, np.float32) for name, size in self.sizes().items()}


def corrections(shape: Shape, weights: Weights, cells: Cells, values: NDArray[np.float32]) -> NDArray[np.float32]:
    """What the network says of the pixels of each cell.

    Args:
        shape, weights: of the network.
        cells: where it looks.
        values: ``(N, 4 * clues)``; see ``Clues``.

    Returns:
        ``(N, 4, corrections)`` float32.
    """
    count = len(values)
    # The last row, which a neighbour's number of -1 means, stays 0.
    features, after = np.zeros((2, count + 1, shape.channels), np.float32)
    _multiply(values, weights["stem.weight"], features[:count])
    features[:count] += weights["stem.bias"]
    mixed = np.empty((min(count, _ROWS), shape.channels), np.float32)
    wide = np.empty((len(mixed), 2 * shape.channels), np.float32)
    narrow = np.empty_like(mixed)
    neighbours = {dilation: cells.neighbours(dilation) for dilation in set(shape.dilations)}
    for block, dilation in enumerate(shape.dilations):
        part = {name: weights[f"blocks.{block}.{name}"] for name in _BLOCK}
        for first in range(0, count, _ROWS):
            rows = min(_ROWS, count - first)
            _mix(
                features, neighbours[dilation], first, rows,
                part["spatial.weight"], part["spatial.bias"], mixed,
            )  # fmt: skip
            _multiply(mixed[:rows], part["wide.weight"], wide[:rows])
            _rectify(wide, rows, part["wide.bias"])
            _multiply(wide[:rows], part["narrow.weight"], narrow[:rows])
            _add(features, first, rows, narrow, part["narrow.bias"], after)
        features, after = after, features
    return _head(weights, features[:count], values)


_BLOCK = ("spatial.weight", "spatial.bias", "wide.weight", "wide.bias", "narrow.weight", "narrow.bias")


def _head(weights: Weights, features: NDArray[np.float32], values: NDArray[np.float32]) -> NDArray[np.float32]:
    of_features, of_values = np.split(weights["head.wide.weight"], [features.shape[1]])
    result = np.empty((len(values), len(weights["head.narrow.bias"])), np.float32)
    from_features, from_values = np.empty((2, min(len(values), _ROWS), of_values.shape[1]), np.float32)
    for first in range(0, len(values), _ROWS):
        rows = slice(first, min(first + _ROWS, len(values)))
        wide, more = from_features[: rows.stop - first], from_values[: rows.stop - first]
        _multiply(features[rows], of_features, wide)
        _multiply(values[rows], of_values, more)
        wide += more
        _rectify(wide, len(wide), weights["head.wide.bias"])
        _multiply(wide, weights["head.narrow.weight"], result[rows])
    result += weights["head.narrow.bias"]
    return result.reshape(len(values), PIXELS, -1)


def _multiply(rows: NDArray[np.float32], weight: NDArray[np.float32], product: NDArray[np.float32]) -> None:
    """``rows @ weight``, a few rows at a time."""
    stacks = len(rows) // _FEW_ROWS
    whole = stacks * _FEW_ROWS
    stacked, of_stacked = (each[:whole].reshape(stacks, _FEW_ROWS, each.shape[1]) for each in (rows, product))
    np.matmul(stacked, weight, out=of_stacked)
    np.matmul(rows[whole:], weight, out=product[whole:])


@compiled(nogil=True, fastmath=True, error_model="numpy")
def _mix(features, neighbours, first, rows, weight, bias, mixed):
    """A depthwise convolution over cells, and each cell brought to mean 0 and variance 1."""
    channels = features.shape[1]
    w0, w1, w2, w3, w4, w5, w6, w7, w8 = (
        weight[0], weight[1], weight[2], weight[3], weight[4], weight[5], weight[6], weight[7], weight[8],
    )  # fmt: skip
    for row in range(rows):
        n, out = first + row, mixed[row]
        beside = neighbours[n]
        f0, f1, f2, f3 = features[beside[0]], features[beside[1]], features[beside[2]], features[beside[3]]
        f5, f6, f7, f8 = features[beside[4]], features[beside[5]], features[beside[6]], features[beside[7]]
        f4 = features[n]
        for c in range(channels):
            out[c] = (
                bias[c] + w0[c] * f0[c] + w1[c] * f1[c] + w2[c] * f2[c] + w3[c] * f3[c] + w4[c] * f4[c]
                + w5[c] * f5[c] + w6[c] * f6[c] + w7[c] * f7[c] + w8[c] * f8[c]
            )  # fmt: skip
        mean, square = np.float32(0), np.float32(0)
        for c in range(channels):
            mean += out[c]
        mean /= np.float32(channels)
        for c in range(channels):
            square += (out[c] - mean) * (out[c] - mean)
        scale = np.float32(1) / np.sqrt(square / np.float32(channels) + np.float32(EPSILON))
        for c in range(channels):
            out[c] = (out[c] - mean) * scale


@compiled(nogil=True, fastmath=True)
def _rectify(wide, rows, bias):
    for row in range(rows):
        for c in range(wide.shape[1]):
            wide[row, c] = max(wide[row, c] + bias[c], np.float32(0))


@compiled(nogil=True, fastmath=True)
def _add(features, first, rows, narrow, bias, after):
    for row in range(rows):
        for c in range(features.shape[1]):
            after[first + row, c] = features[first + row, c] + narrow[row, c] + bias[c]
