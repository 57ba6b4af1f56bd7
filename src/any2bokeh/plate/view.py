"""What is kept of a frame while others may look at it."""

from dataclasses import dataclass, replace
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from any2bokeh.compiled import compiled
from any2bokeh.motion.thumbnail import Thumbnail

GRID_LONG_SIDE = 256
"""Blocks along the longer side of a frame, about; motion is found on their means."""

# Blocks whose surround differs by more are near a step or steep; what they show is not one surface.
_ONE_SURFACE = np.float32(0.04)
_COVER_PX = 1  # a sample this close to a nearer surface is not pure: antialiasing, and interpolation
_FULL_SCALE = np.float32(65535)


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """A frame as others look at it. ``h`` x ``w`` square blocks of ``block_px``, the last ones cut off by the border.

    Attributes:
        index: number of the frame.
        block_px: side of a block.
        codes: ``(H, W, 3)`` uint16 of ``x / (1 + x)``, which holds light without a bound.
        cover: ``(H, W)`` uint16, disparity of the nearest surface beside or at a pixel.
        colours: ``(h, w, 3)`` float32, mean of each block.
        grey: ``(h, w)`` float32, their mean, smoothed.
        low, high: ``(h, w)`` float32, least and greatest disparity.
        clean: ``(h, w)`` bool, whether there is one surface in a block and around it.
        step: ``(h, w)`` float32, greatest difference of disparity between two neighbouring pixels.
    """

    index: int
    block_px: int
    codes: NDArray[np.uint16]
    cover: NDArray[np.uint16]
    colours: NDArray[np.float32]
    grey: NDArray[np.float32]
    low: NDArray[np.float32]
    high: NDArray[np.float32]
    step: NDArray[np.float32]
    clean: NDArray[np.bool_]

    @property
    def thumbnail(self) -> Thumbnail:
        """As cuts are found on."""
        # The mean of bent values, straightened: display-referred again, or light that ends at white.
        colours = np.clip(self.colours / (2 - np.minimum(self.colours, 1)), 0, 1).astype(np.float32)
        codes = np.rint(colours * 255).astype(np.uint8)
        return Thumbnail(colours, np.asarray(cv2.cvtColor(codes, cv2.COLOR_RGB2GRAY), np.uint8))

    @classmethod
    def of(cls, index: int, pixels: NDArray[np.float32], disparity: NDArray[np.float32]) -> Self:
        """That of a frame ``(3, H, W)`` with its disparity ``(1, H, W)``, both at the size of the picture."""
        height, width = pixels.shape[1:]
        block_px = max(round(max(height, width) / GRID_LONG_SIDE), 1)
        shape = -(-height // block_px), -(-width // block_px)
        codes = np.empty((height, width, 3), np.uint16)
        depth_codes = np.empty((height, width), np.uint16)
        colours = np.empty((*shape, 3), np.float32)
        low, high, step = (np.empty(shape, np.float32) for _ in range(3))
        values = np.ascontiguousarray(disparity[0], np.float32)
        _reduce(np.ascontiguousarray(pixels), values, block_px, codes, depth_codes, colours, low, high, step)
        cover = cv2.dilate(depth_codes, np.ones((2 * _COVER_PX + 1,) * 2, np.uint8))
        grey = cv2.GaussianBlur(colours.mean(axis=-1), (0, 0), 0.7)
        clean = np.empty(shape, np.bool_)
        _find_clean(low, high, clean)
        cover, grey = np.asarray(cover, np.uint16), np.asarray(grey, np.float32)
        return cls(index, block_px, codes, cover, colours, grey, low, high, step, clean)

    def with_disparity(self, disparity: NDArray[np.float32]) -> Self:
        """The same picture with another disparity ``(1, H, W)``."""
        depth_codes = np.empty(self.cover.shape, np.uint16)
        low, high, step = (np.empty_like(self.low) for _ in range(3))
        values = np.ascontiguousarray(disparity[0], np.float32)
        _reduce_disparity(values, self.block_px, depth_codes, low, high, step)
        cover = cv2.dilate(depth_codes, np.ones((2 * _COVER_PX + 1,) * 2, np.uint8))
        clean = np.empty_like(self.clean)
        _find_clean(low, high, clean)
        return replace(self, cover=np.asarray(cover, np.uint16), low=low, high=high, step=step, clean=clean)


@compiled(nogil=True, fastmath=True)
def _reduce_disparity(disparity, block_px, depth_codes, low, high, step):  # pragma: no cover (compiled)
    """The part of ``_reduce`` that looks at disparity alone."""
    height, width = disparity.shape
    low[:] = 2
    high[:] = -1
    step[:] = 0
    for y in range(height):
        row, below = y // block_px, min(y + 1, height - 1)
        for block in range(low.shape[1]):
            least, most, jump = low[row, block], high[row, block], step[row, block]
            for x in range(block * block_px, min((block + 1) * block_px, width)):
                here = disparity[y, x]
                least = min(least, here)
                most = max(most, here)
                jump = max(jump, abs(here - disparity[below, x]), abs(here - disparity[y, min(x + 1, width - 1)]))
                depth_codes[y, x] = np.uint16(min(max(here, np.float32(0)), np.float32(1)) * _FULL_SCALE)
            low[row, block], high[row, block], step[row, block] = least, most, jump


@compiled(nogil=True, fastmath=True)
def _reduce(pixels, disparity, block_px, codes, depth_codes, colours, low, high, step):  # pragma: no cover (compiled)
    height, width = disparity.shape
    for row in range(low.shape[0]):
        top, bottom = row * block_px, min((row + 1) * block_px, height)
        low[row] = 2
        high[row] = -1
        step[row] = 0
        colours[row] = 0
        for y in range(top, bottom):
            below = min(y + 1, height - 1)
            for block in range(low.shape[1]):
                left, right = block * block_px, min((block + 1) * block_px, width)
                least, most, jump = low[row, block], high[row, block], step[row, block]
                red, green, blue = colours[row, block, 0], colours[row, block, 1], colours[row, block, 2]
                for x in range(left, right):
                    here = disparity[y, x]
                    least = min(least, here)
                    most = max(most, here)
                    jump = max(jump, abs(here - disparity[below, x]), abs(here - disparity[y, min(x + 1, width - 1)]))
                    depth_codes[y, x] = np.uint16(min(max(here, np.float32(0)), np.float32(1)) * _FULL_SCALE)
                    r, g, b = bent(pixels[0, y, x]), bent(pixels[1, y, x]), bent(pixels[2, y, x])
                    codes[y, x, 0] = np.uint16(r * _FULL_SCALE + np.float32(0.5))
                    codes[y, x, 1] = np.uint16(g * _FULL_SCALE + np.float32(0.5))
                    codes[y, x, 2] = np.uint16(b * _FULL_SCALE + np.float32(0.5))
                    red += r
                    green += g
                    blue += b
                low[row, block], high[row, block], step[row, block] = least, most, jump
                colours[row, block, 0], colours[row, block, 1], colours[row, block, 2] = red, green, blue
        for block in range(low.shape[1]):
            count = np.float32((bottom - top) * (min((block + 1) * block_px, width) - block * block_px))
            for c in range(3):
                # Bent values run from 0 to a half for what is displayed: here, white is 1.
                colours[row, block, c] *= 2 / count


@compiled(nogil=True)
def _find_clean(low, high, clean):  # pragma: no cover (compiled)
    """Blocks around which there is one surface."""
    height, width = low.shape
    for y in range(height):
        for x in range(width):
            least, most = low[y, x], high[y, x]
            for j in range(max(y - 1, 0), min(y + 2, height)):
                for i in range(max(x - 1, 0), min(x + 2, width)):
                    least = min(least, low[j, i])
                    most = max(most, high[j, i])
            clean[y, x] = most - least < _ONE_SURFACE


@compiled(nogil=True, inline="always")
def bent(value):
    """Light without a bound, brought to [0, 1)."""
    positive = max(value, np.float32(0))
    return positive / (np.float32(1) + positive)


@compiled(nogil=True, inline="always")
def unbent(code):
    """The value that a code of 0 to 65535 stands for."""
    share = min(np.float32(code) * np.float32(1 / 65535), np.float32(0.99999))
    return share / (np.float32(1) - share)
