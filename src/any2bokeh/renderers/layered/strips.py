"""Large frames, layered strip by strip: a layered depth image takes 70 bytes a pixel, and that of a strip is no larger
than that of a frame of ``MOST_PX``.

A strip is made with a margin of rows above and below it, as wide as light spreads and hidden background is continued
behind what is nearer. Its blocks and tiles lie where those of the whole frame do, so that the picture is the same to
the bit, but for two things. Each strip may follow as many lamps as a frame may (``lamps.affordable``), so that more of
them are; and of hidden background that was continued from beyond the margin the last digits differ, by 1.4e-5 at most
in a frame of the demo clip. Clipped lamps, which are told by their surroundings far around, are found in the whole
frame.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from any2bokeh.optics.clipped_lamps import CLIPPED_CODE, raise_lamps
from any2bokeh.optics.coc import REFERENCE_LONG_SIDE_PX
from any2bokeh.optics.highlights import Highlights
from any2bokeh.optics.transfer import Transfer, lookup_tables
from any2bokeh.plate.hidden import HiddenBackground
from any2bokeh.renderers.base import RenderInput
from any2bokeh.renderers.layered.blocks import BLOCK
from any2bokeh.renderers.layered.cpu import TILE_HEIGHT
from any2bokeh.renderers.layered.layers import prepare
from any2bokeh.renderers.layered.surround import Inner
from any2bokeh.renderers.layered.surroundings import find_means
from any2bokeh.renderers.layered.workers import Workers

MOST_PX = 16_000_000
"""Pixels that are layered at once, 1.1 GB; frames up to 4K, and twice that, are not divided."""

_BESIDE_PX = 48  # what mixed pixels and the brightness around them look at
_ROWS_COMPARED = 16 * BLOCK


@dataclass(frozen=True, slots=True, eq=False)
class RaisedLamps:
    """Pixels whose clipped light has been raised.

    Attributes:
        at: ``(N, 2)`` row and column.
        light: ``(N, 3)`` linear.
    """

    at: NDArray[np.intp]
    light: NDArray[np.float32]

    def of_rows(self, first_row: int, rows: int) -> "RaisedLamps":
        """Those of a strip that begins at a row, where they lie in it."""
        here = (self.at[:, 0] >= first_row) & (self.at[:, 0] < first_row + rows)
        return RaisedLamps(self.at[here] - np.array([first_row, 0]), self.light[here])

    def put(self, first_row: int, front: NDArray[np.float32], brightest: NDArray[np.float32]) -> None:
        """Raise them in a strip that begins at a row.

        Args:
            first_row: of the strip.
            front: ``(h, W, 4)`` linear light; changed.
            brightest: ``(rows, columns)`` of blocks: the largest light in each; kept right.
        """
        here = self.of_rows(first_row, len(front))
        (y, x), light = here.at.T, here.light
        front[y, x, :3] = light
        np.maximum.at(brightest, (y // BLOCK, x // BLOCK), light.max(axis=1, initial=0))


@dataclass(frozen=True, slots=True, eq=False)
class Strip:
    """Some rows of a frame, and around them what they need.

    Attributes:
        frame: with the rows around.
        inner: where in it what is rendered lies.
        whole: where in it that of the whole frame would lie; it may begin above it and end below.
        first_row: of it in the frame.
        raised: clipped lamps of the whole frame; None where the strip is all of it, and finds them itself.
    """

    frame: RenderInput
    inner: Inner
    whole: Inner
    first_row: int = 0
    raised: RaisedLamps | None = None

    @property
    def window(self) -> tuple[int, int, int, int]:
        """First and last row and column of what is rendered, the ends exclusive."""
        _, rows, columns = self.inner
        return rows.start, rows.stop, columns.start, columns.stop

    @property
    def share(self) -> float:
        """How much of the frame is done with it and those before it, to 1."""
        return (self.inner[1].stop - self.whole[1].start) / (self.whole[1].stop - self.whole[1].start)


def strips_of(
    frame: RenderInput,
    inner: Inner,
    *,
    transfer: Transfer,
    highlights: Highlights,
    axial_chromatic: float,
    workers: Workers,
    most_px: int,
    align_px: int = BLOCK,
    reach_px: int = 0,
) -> Iterator[Strip]:
    """The strips of a frame from top to bottom; one that is all of it where it has no more than ``most_px`` pixels.

    Args:
        frame: with what surrounds it.
        inner: where in it what is rendered lies.
        transfer, highlights, axial_chromatic: of the renderer.
        workers: threads that share the work.
        most_px: layered at once, as far as margins leave room for a row of tiles.
        align_px: of which multiple strips begin.
        reach_px: how much farther a pixel's neighbours lie than light spreads.
    """
    height, width = frame.pixels.shape[1:]
    if height * width <= most_px:
        yield Strip(frame, inner, inner)
        return
    px_per_disparity = frame.blur_strength * max(height, width) / REFERENCE_LONG_SIDE_PX
    frame = replace(frame, bands=None, mixed=frame.mixed_pixels())
    margin = _margin_px(frame, px_per_disparity, abs(axial_chromatic)) + reach_px
    rows = max((most_px // width - 2 * margin) // TILE_HEIGHT, 1) * TILE_HEIGHT
    raised = raised_lamps(frame, transfer, highlights, workers)
    _, inner_rows, columns = inner
    for top in range(inner_rows.start, inner_rows.stop, rows):
        bottom = min(top + rows, inner_rows.stop)
        # Blocks begin where those of the whole frame do.
        first, last = max((top - margin) // align_px * align_px, 0), min(bottom + margin, height)
        yield Strip(
            _cut_out(frame, first, last, px_per_disparity),
            (slice(None), slice(top - first, bottom - first), columns),
            (slice(None), slice(inner_rows.start - first, inner_rows.stop - first), columns),
            first,
            raised,
        )


def _margin_px(frame: RenderInput, px_per_disparity: float, axial_chromatic: float) -> int:
    """How far above and below a strip lies what has a say in it."""
    hidden, mixed = frame.hidden, frame.mixed_pixels()
    values = [frame.disparity]
    if hidden is not None and bool(hidden.known.any()):
        values.append(hidden.disparity[:, hidden.known > 0])
    if mixed is not None:
        values += [mixed.near, mixed.far]
    low, high = min(float(each.min()) for each in values), max(float(each.max()) for each in values)
    widest = max(abs(low - frame.focus_disparity), abs(high - frame.focus_disparity))
    return math.ceil(px_per_disparity * (widest + axial_chromatic + high - low)) + _BESIDE_PX


def _cut_out(frame: RenderInput, first: int, last: int, px_per_disparity: float) -> RenderInput:
    """Rows ``first`` to ``last`` of a frame, with its radii."""
    rows = slice(first, last)

    def cut(planes: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.ascontiguousarray(planes[:, rows])

    hidden, mixed = frame.hidden, frame.mixed
    if hidden is not None:
        hidden = HiddenBackground(cut(hidden.pixels), cut(hidden.disparity), hidden.known[rows])
    height, width = frame.pixels.shape[1:]
    long_side, own_side = max(height, width), max(last - first, width)
    return replace(
        frame,
        pixels=cut(frame.pixels),
        disparity=cut(frame.disparity),
        blur_strength=frame.blur_strength if own_side == long_side else frame.blur_strength * long_side / own_side,
        hidden=hidden,
        mixed=mixed and mixed.of_rows(first, last, width),
    )


def raised_lamps(frame: RenderInput, transfer: Transfer, highlights: Highlights, workers: Workers) -> RaisedLamps:
    """The clipped lamps of a frame, with the light that they had."""
    none = RaisedLamps(np.empty((0, 2), np.intp), np.empty((0, 3), np.float32))
    if not highlights.is_automatic or float(frame.pixels.max()) <= CLIPPED_CODE:
        return none
    pixels = np.ascontiguousarray(frame.pixels, np.float32)
    disparity = np.ascontiguousarray(frame.disparity[0], np.float32)
    scale = np.float32(frame.blur_strength * max(pixels.shape[1:]) / REFERENCE_LONG_SIDE_PX)

    def lit(first: int, last: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """``(h, W, 4)`` light and ``(h, W)`` defocus of some rows, as they are in the picture."""
        light = np.empty((1, last - first, pixels.shape[2], 4), np.float32)
        defocus = np.empty(light.shape[:3], np.float32)
        codes, depths, focus = np.ascontiguousarray(pixels[:, first:last]), disparity[first:last], frame.focus_disparity
        gain = np.float32(highlights.fixed_gain), np.float32(highlights.threshold)
        table, (low, high) = lookup_tables(transfer)[0], _blocks(light)
        workers.each(
            range(len(low)),
            lambda row: prepare(row, codes, depths, np.float32(focus), scale, table, gain, light, defocus, low, high),
        )
        return light[0], defocus[0]

    height = pixels.shape[1]
    front, defocus = lit(0, height)
    means, brightest = _blocks(front[None])
    workers.each(range(len(means)), lambda row: find_means(row, front, means, brightest))
    raise_lamps(pixels, front, defocus, brightest, BLOCK)
    found = []
    for first in range(0, height, _ROWS_COMPARED):
        part = front[first : first + _ROWS_COMPARED]
        y, x = np.nonzero((part != lit(first, first + len(part))[0]).any(axis=2))
        found.append((np.stack([y + first, x], axis=1), part[y, x, :3]))
    return RaisedLamps(np.concatenate([at for at, _ in found]), np.concatenate([light for _, light in found]))


def _blocks(light: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Room for two numbers of each block of ``(1, h, W, 4)``."""
    shape = -(-light.shape[1] // BLOCK), -(-light.shape[2] // BLOCK)
    return np.empty(shape, np.float32), np.empty(shape, np.float32)
