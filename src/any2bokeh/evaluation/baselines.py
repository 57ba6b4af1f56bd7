"""What simple methods do: yardsticks beside which an engine is scored and timed, behind the renderer interface.

Gather and scatter blur linear light over anti-aliased discs of each pixel's own circle of confusion. Neither knows what
hides what.
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from any2bokeh.compiled import compiled
from any2bokeh.optics.coc import coc_radius_px
from any2bokeh.optics.transfer import Transfer, lookup_tables
from any2bokeh.renderers.base import RenderInput


class SourceRenderer:
    """Gives back the all-in-focus picture: what doing nothing scores."""

    window = 1
    overlap = 0

    def render(self, inputs: Iterable[RenderInput]) -> Iterator[NDArray[np.float32]]:
        """See ``Renderer.render``."""
        for frame in inputs:
            yield frame.pixels


class _PlainRenderer:
    """Light in, a blur of it by each pixel's circle of confusion, code values out; rows shared out among threads.

    Args:
        transfer: how code values stand for light.
        threads: how many threads render.
    """

    window = 1
    overlap = 0

    def __init__(self, *, transfer: Transfer = "srgb", threads: int = 2) -> None:
        self._threads = threads
        self._pool = ThreadPoolExecutor(threads)
        self._decode_table, self._encoding = lookup_tables(transfer)

    def render(self, inputs: Iterable[RenderInput]) -> Iterator[NDArray[np.float32]]:
        """See ``Renderer.render``."""
        for frame in inputs:
            yield self.render_frame(frame)

    def render_frame(self, frame: RenderInput) -> NDArray[np.float32]:
        """Render one frame: ``(3, H, W)`` float32. The input's own array where the blur strength is 0."""
        if frame.blur_strength == 0:
            return frame.pixels
        height, width = frame.pixels.shape[1:]
        radius_px = coc_radius_px(
            frame.disparity[0], frame.focus_disparity, frame.blur_strength, max(width, height)
        ).astype(np.float32)
        light = np.empty((height, width, 3), np.float32)
        self._each_band(height, lambda band, rows: _to_light(rows, frame.pixels, self._decode_table, light))
        blurred = self._blur(light, radius_px)
        result = np.empty((3, height, width), np.float32)
        self._each_band(height, lambda band, rows: _to_code(rows, blurred, *self._encoding, result))
        return result

    def _blur(self, light: NDArray[np.float32], radius_px: NDArray[np.float32]) -> NDArray[np.float32]: ...

    def _each_band(self, height: int, work: Callable[[int, tuple[int, int]], object]) -> None:
        """Do ``work(number, (first row, row after the last))`` for a band of rows on each thread."""
        borders = np.linspace(0, height, self._threads + 1).astype(int).tolist()
        bands = enumerate(pairwise(borders))
        for done in [self._pool.submit(work, number, rows) for number, rows in bands]:
            done.result()


class GatherRenderer(_PlainRenderer):
    """Every pixel averages the disc of its own radius around it: what a shader does in a single pass."""

    def _blur(self, light: NDArray[np.float32], radius_px: NDArray[np.float32]) -> NDArray[np.float32]:
        result = np.empty_like(light)
        self._each_band(light.shape[0], lambda band, rows: _gather(rows, light, radius_px, result))
        return result


class ScatterRenderer(_PlainRenderer):
    """Every pixel adds its filled disc, weighted by one over its area; the sum is divided by the sum of weights."""

    def _blur(self, light: NDArray[np.float32], radius_px: NDArray[np.float32]) -> NDArray[np.float32]:
        height, width = radius_px.shape
        # A sum for each band, as discs reach into the rows of the other threads.
        sums = np.zeros((self._threads, height, width, 4), np.float32)
        self._each_band(height, lambda band, rows: _scatter(rows, light, radius_px, sums[band]))
        result = np.empty_like(light)
        self._each_band(height, lambda band, rows: _normalise(rows, sums, result))
        return result


@compiled(nogil=True, fastmath=True)
def _gather(rows, light, radius_px, result):  # pragma: no cover (compiled)
    height, width = radius_px.shape
    for y in range(rows[0], rows[1]):
        for x in range(width):
            # A disc's edge falls from 1 to 0 over one pixel. Below half a pixel the disc is the pixel itself.
            edge = max(radius_px[y, x] + np.float32(0.5), np.float32(1))
            reach = int(edge)
            red = green = blue = total = np.float32(0)
            for j in range(max(y - reach, 0), min(y + reach, height - 1) + 1):
                up = np.float32((j - y) * (j - y))
                half = int(np.sqrt(max(edge * edge - up, np.float32(0))))
                for i in range(max(x - half, 0), min(x + half, width - 1) + 1):
                    across = np.float32(i - x)
                    weight = min(max(edge - np.sqrt(across * across + up), np.float32(0)), np.float32(1))
                    red += weight * light[j, i, 0]
                    green += weight * light[j, i, 1]
                    blue += weight * light[j, i, 2]
                    total += weight
            result[y, x, 0] = red / total
            result[y, x, 1] = green / total
            result[y, x, 2] = blue / total


@compiled(nogil=True, fastmath=True)
def _scatter(rows, light, radius_px, sums):  # pragma: no cover (compiled)
    height, width = radius_px.shape
    for y in range(rows[0], rows[1]):
        for x in range(width):
            edge = max(radius_px[y, x] + np.float32(0.5), np.float32(1))
            reach = int(edge)
            radius = edge - np.float32(0.5)
            # The integral of the disc with its soft edge.
            share = 1 / (np.float32(np.pi) * (radius * radius + np.float32(1 / 12)))
            red, green, blue = light[y, x, 0] * share, light[y, x, 1] * share, light[y, x, 2] * share
            for j in range(max(y - reach, 0), min(y + reach, height - 1) + 1):
                up = np.float32((j - y) * (j - y))
                half = int(np.sqrt(max(edge * edge - up, np.float32(0))))
                for i in range(max(x - half, 0), min(x + half, width - 1) + 1):
                    across = np.float32(i - x)
                    weight = min(max(edge - np.sqrt(across * across + up), np.float32(0)), np.float32(1))
                    sums[j, i, 0] += weight * red
                    sums[j, i, 1] += weight * green
                    sums[j, i, 2] += weight * blue
                    sums[j, i, 3] += weight * share


@compiled(nogil=True, fastmath=True)
def _normalise(rows, sums, result):  # pragma: no cover (compiled)
    for y in range(rows[0], rows[1]):
        for x in range(result.shape[1]):
            for c in range(3):
                light, weight = np.float32(0), np.float32(0)
                for band in range(sums.shape[0]):
                    light += sums[band, y, x, c]
                    weight += sums[band, y, x, 3]
                result[y, x, c] = light / weight


@compiled(nogil=True, fastmath=True)
def _to_light(rows, pixels, table, light):  # pragma: no cover (compiled)
    for y in range(rows[0], rows[1]):
        for c in range(3):
            for x in range(pixels.shape[2]):
                light[y, x, c] = _looked_up(pixels[c, y, x], table)


@compiled(nogil=True, fastmath=True)
def _to_code(rows, light, table, peak, result):  # pragma: no cover (compiled)
    for y in range(rows[0], rows[1]):
        for c in range(3):
            for x in range(light.shape[1]):
                value = light[y, x, c]
                # The table of code values is even in the root of light, where the curve is nearly straight.
                result[c, y, x] = _looked_up(np.sqrt(value / peak), table) if table.shape[0] > 0 else value


@compiled(nogil=True, inline="always")
def _looked_up(value, table):  # pragma: no cover (compiled)
    """A value in [0, 1] through a table by linear interpolation; as it is where the table is empty."""
    if table.shape[0] == 0:
        return value
    place = min(max(value, np.float32(0)), np.float32(1)) * np.float32(table.shape[0] - 1)
    cell = min(int(place), table.shape[0] - 2)
    below = table[cell]
    return below + (table[cell + 1] - below) * (place - np.float32(cell))
