"""What simple methods do with the same input: the yardsticks beside which the layered engine is measured.

Each stands behind the renderer interface and blurs linear light over anti-aliased discs of the exact radius, like the
layered engine. None of them knows what hides what.
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from itertools import pairwise
from typing import Any

import av
import cv2
import numpy as np
from av.filter import Graph, filters_available
from numba import njit
from numpy.typing import NDArray

from any2bokeh.optics.coc import coc_radius_px
from any2bokeh.optics.transfer import Transfer, decode, encode
from any2bokeh.renderers.base import RenderInput

_CELLS = 4096


class _PlainRenderer:
    """Light in, a blur of it by each pixel's circle of confusion, code values out; rows shared out among threads.

    Args:
        transfer: how code values stand for light; ``srgb``, or ``none`` and ``linear``, which blur values as they are.
        threads: how many threads render.
    """

    window = 1
    overlap = 0

    def __init__(self, *, transfer: Transfer = "srgb", threads: int = 2) -> None:
        if transfer not in ("srgb", "linear", "none"):
            raise ValueError(f"transfer is {transfer!r}; the baselines take srgb, linear or none")
        self._threads = threads
        self._pool = ThreadPoolExecutor(threads)
        even = np.linspace(0, 1, _CELLS + 1)
        as_is = transfer != "srgb"
        nothing = np.empty(0, np.float32)
        self._decode_table = nothing if as_is else decode(even, transfer)
        self._encode_table = nothing if as_is else encode(even**2, transfer)

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
        self._each_band(height, lambda band, rows: _to_code(rows, blurred, self._encode_table, result))
        return result

    def _blur(self, light: NDArray[np.float32], radius_px: NDArray[np.float32]) -> NDArray[np.float32]:
        raise NotImplementedError

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


@njit(nogil=True, cache=True, fastmath=True)
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


@njit(nogil=True, cache=True, fastmath=True)
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


@njit(nogil=True, cache=True, fastmath=True)
def _normalise(rows, sums, result):  # pragma: no cover (compiled)
    for y in range(rows[0], rows[1]):
        for x in range(result.shape[1]):
            for c in range(3):
                light, weight = np.float32(0), np.float32(0)
                for band in range(sums.shape[0]):
                    light += sums[band, y, x, c]
                    weight += sums[band, y, x, 3]
                result[y, x, c] = light / weight


@njit(nogil=True, cache=True, fastmath=True)
def _to_light(rows, pixels, table, light):  # pragma: no cover (compiled)
    for y in range(rows[0], rows[1]):
        for c in range(3):
            for x in range(pixels.shape[2]):
                light[y, x, c] = _looked_up(pixels[c, y, x], table)


@njit(nogil=True, cache=True, fastmath=True)
def _to_code(rows, light, table, result):  # pragma: no cover (compiled)
    for y in range(rows[0], rows[1]):
        for c in range(3):
            for x in range(light.shape[1]):
                value = light[y, x, c]
                # The table of code values is even in the root of light, where the curve is nearly straight.
                result[c, y, x] = _looked_up(np.sqrt(value), table) if table.shape[0] > 0 else value


@njit(nogil=True, cache=True, inline="always")
def _looked_up(value, table):  # pragma: no cover (compiled)
    """A value in [0, 1] through a table by linear interpolation; as it is where the table is empty."""
    if table.shape[0] == 0:
        return value
    place = min(max(value, np.float32(0)), np.float32(1)) * np.float32(_CELLS)
    cell = min(int(place), _CELLS - 1)
    below = table[cell]
    return below + (table[cell + 1] - below) * (place - np.float32(cell))


class VarBlur:
    """FFmpeg's ``varblur`` filter: a box of each pixel's own size, in 8-bit 4:2:0 code values, by an integral image.

    Not a renderer: conversion to and from its samples is left out of its time, as in a filter chain of FFmpeg's.
    """

    def __init__(self, frame: RenderInput) -> None:
        height, width = frame.disparity.shape[1:]
        self._picture, self._radius, largest = _varblur_inputs(frame)
        self._graph = graph = Graph()
        options = {"width": width, "height": height, "format": "yuv420p", "time_base": Fraction(1, 24)}
        self._sources = [graph.add_buffer(**options) for _ in range(2)]
        blur = graph.add("varblur", f"min_r=0:max_r={largest}:planes=7")
        for number, source in enumerate(self._sources):
            source.link_to(blur, 0, number)
        blur.link_to(graph.add("buffersink"))
        graph.configure()
        self._shown = 0

    @staticmethod
    def is_present() -> bool:
        """Whether the FFmpeg that PyAV brings has the filter."""
        return "varblur" in filters_available

    def __call__(self) -> Any:
        """The blurred picture, an ``av.VideoFrame`` in yuv420p."""
        for source, picture in zip(self._sources, (self._picture, self._radius), strict=True):
            picture.pts = self._shown
            source.push(picture)
        self._shown += 1
        return self._graph.vpull()


def _varblur_inputs(frame: RenderInput) -> tuple[av.VideoFrame, av.VideoFrame, int]:
    """Picture and radius map in yuv420p, and ``max_r``.

    As measured with libavfilter 11, the half side of the box is ``1 + 4 * max_r * value / 255`` samples.
    """
    height, width = frame.disparity.shape[1:]
    radius_px = coc_radius_px(frame.disparity[0], frame.focus_disparity, frame.blur_strength, max(width, height))
    # The box that spreads light as far as the disc does, in the mean square.
    half_side = radius_px * (np.sqrt(3) / 2)
    largest = int(np.clip(np.ceil((half_side.max() - 1) / 4), 1, 255))
    planes = [
        np.rint(np.clip((side - 1) * 255 / (4 * largest), 0, 255)).astype(np.uint8)
        for side in (half_side, cv2.resize(half_side, (width // 2, height // 2), interpolation=cv2.INTER_AREA) / 2)
    ]
    stacked = np.concatenate([planes[0].ravel(), planes[1].ravel(), planes[1].ravel()])
    radius = av.VideoFrame.from_ndarray(stacked.reshape(height * 3 // 2, width), format="yuv420p")
    codes = np.rint(np.clip(frame.pixels, 0, 1) * 255).astype(np.uint8)
    rgb = np.ascontiguousarray(codes.transpose(1, 2, 0))
    return av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(format="yuv420p"), radius, largest
