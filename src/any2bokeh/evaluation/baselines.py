"""What simple methods do: the yardsticks beside which an engine is scored, each behind the renderer interface.

Gather and scatter blur over anti-aliased discs of each pixel's own circle of confusion. Neither knows what hides what.
"""

from collections.abc import Iterable, Iterator

import numpy as np
from numba import njit
from numpy.typing import NDArray

from any2bokeh.optics.coc import coc_radius_px
from any2bokeh.optics.transfer import Transfer, decode, encode
from any2bokeh.renderers.base import RenderInput


class SourceRenderer:
    """Gives back the all-in-focus picture: what doing nothing scores."""

    window = 1
    overlap = 0

    def render(self, inputs: Iterable[RenderInput]) -> Iterator[NDArray[np.float32]]:
        """See ``Renderer.render``."""
        for frame in inputs:
            yield frame.pixels


class _DiscRenderer:
    """Light in, a blur by each pixel's disc, code values out.

    Args:
        transfer: how code values stand for light.
    """

    window = 1
    overlap = 0

    def __init__(self, *, transfer: Transfer = "srgb") -> None:
        self.transfer: Transfer = transfer

    def render(self, inputs: Iterable[RenderInput]) -> Iterator[NDArray[np.float32]]:
        """See ``Renderer.render``."""
        for frame in inputs:
            if frame.blur_strength == 0:
                yield frame.pixels
                continue
            long_side_px = max(frame.pixels.shape)
            radius_px = coc_radius_px(frame.disparity[0], frame.focus_disparity, frame.blur_strength, long_side_px)
            light = np.ascontiguousarray(decode(frame.pixels, self.transfer).transpose(1, 2, 0), np.float32)
            blurred = np.empty_like(light)
            self._blur(light, np.ascontiguousarray(radius_px, np.float32), blurred)
            yield np.ascontiguousarray(encode(blurred, self.transfer).transpose(2, 0, 1), np.float32)

    def _blur(self, light: NDArray[np.float32], radius_px: NDArray[np.float32], blurred: NDArray[np.float32]) -> None:
        """Blur ``(H, W, 3)`` light into ``blurred``."""
        raise NotImplementedError


class GatherRenderer(_DiscRenderer):
    """Every pixel takes the mean of the disc of its own radius around it: what a shader does in a single pass."""

    def _blur(self, light: NDArray[np.float32], radius_px: NDArray[np.float32], blurred: NDArray[np.float32]) -> None:
        _gather(light, radius_px, blurred)


class ScatterRenderer(_DiscRenderer):
    """Every pixel spreads its light evenly over its disc; the sum is divided by the sum of what arrived."""

    def _blur(self, light: NDArray[np.float32], radius_px: NDArray[np.float32], blurred: NDArray[np.float32]) -> None:
        arrived = np.zeros(radius_px.shape, np.float32)
        blurred[:] = 0
        _scatter(light, radius_px, blurred, arrived)
        blurred /= arrived[..., None]


@njit(nogil=True, cache=True, fastmath=True)
def _gather(light, radius_px, blurred):  # pragma: no cover (compiled)
    height, width = radius_px.shape
    for y in range(height):
        for x in range(width):
            # A disc's edge falls from 1 to 0 over one pixel. Below half a pixel the disc is the pixel itself.
            edge = max(radius_px[y, x] + np.float32(0.5), np.float32(1))
            reach = int(edge)
            red = green = blue = total = np.float32(0)
            for j in range(max(y - reach, 0), min(y + reach, height - 1) + 1):
                for i in range(max(x - reach, 0), min(x + reach, width - 1) + 1):
                    away = np.sqrt(np.float32((j - y) * (j - y) + (i - x) * (i - x)))
                    weight = min(max(edge - away, np.float32(0)), np.float32(1))
                    red += weight * light[j, i, 0]
                    green += weight * light[j, i, 1]
                    blue += weight * light[j, i, 2]
                    total += weight
            blurred[y, x, 0] = red / total
            blurred[y, x, 1] = green / total
            blurred[y, x, 2] = blue / total


@njit(nogil=True, cache=True, fastmath=True)
def _scatter(light, radius_px, blurred, arrived):  # pragma: no cover (compiled)
    height, width = radius_px.shape
    for y in range(height):
        for x in range(width):
            edge = max(radius_px[y, x] + np.float32(0.5), np.float32(1))
            reach = int(edge)
            radius = edge - np.float32(0.5)
            # The integral of the disc with its soft edge, whole even where it leaves the frame.
            share = 1 / (np.float32(np.pi) * (radius * radius + np.float32(1 / 12)))
            for j in range(max(y - reach, 0), min(y + reach, height - 1) + 1):
                for i in range(max(x - reach, 0), min(x + reach, width - 1) + 1):
                    away = np.sqrt(np.float32((j - y) * (j - y) + (i - x) * (i - x)))
                    weight = share * min(max(edge - away, np.float32(0)), np.float32(1))
                    blurred[j, i, 0] += weight * light[y, x, 0]
                    blurred[j, i, 1] += weight * light[y, x, 1]
                    blurred[j, i, 2] += weight * light[y, x, 2]
                    arrived[j, i] += weight
