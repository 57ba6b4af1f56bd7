"""A frame as the layered engine sees it: linear light in layers of defocus."""

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from any2bokeh.optics.clipped_lamps import raise_lamps
from any2bokeh.optics.coc import REFERENCE_LONG_SIDE_PX
from any2bokeh.optics.highlights import Highlights
from any2bokeh.optics.transfer import Transfer, lookup_tables
from any2bokeh.renderers.base import RenderInput
from any2bokeh.renderers.layered import layers
from any2bokeh.renderers.layered.backstop import (
    CELL,
    MARGIN_PX,
    find_backstops,
    find_cell_lows,
    levels_of,
    show_own_background,
)
from any2bokeh.renderers.layered.bands import Bands
from any2bokeh.renderers.layered.bins import bin_table
from any2bokeh.renderers.layered.blocks import BLOCK
from any2bokeh.renderers.layered.border import fade
from any2bokeh.renderers.layered.lamps import Lamps, affordable, find_lamps, give_back, no_lamps, take_out
from any2bokeh.renderers.layered.lit_edges import find_lit, split_lit
from any2bokeh.renderers.layered.surroundings import averaged, find_bounded_means, find_means
from any2bokeh.renderers.layered.workers import Workers

if TYPE_CHECKING:
    from any2bokeh.renderers.layered.strips import RaisedLamps

_LEAST_RING_TO_SHARE = 1000
"""Pixels in a ring of hidden background below which handing parts of it to threads costs more than it saves."""


_Seen = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]


class Samples(NamedTuple):
    """The samples of a layered depth image, as kernels take them.

    Attributes:
        light, defocus, kind: see ``layers.py``.
        block_reach: ``(rows, columns)`` of blocks; no circle of confusion in one is wider, px.
        backstop: ``(H, W)`` the farthest bin that may show at a pixel; see ``backstop.py``.
        window: first and last row and column of what is rendered, the ends exclusive; tiles begin at its corner.
        surroundings: ``(rows, columns)`` of blocks; how bright it is around them, see ``surroundings.py``.
        lamps: light that is followed past what is nearer; see ``lamps.py``.
        block_high: ``(rows, columns)`` of blocks; largest defocus, px.
        nearest_px: the largest of all.
    """

    light: NDArray[np.float32]
    defocus: NDArray[np.float32]
    kind: NDArray[np.uint8]
    block_reach: NDArray[np.float32]
    backstop: NDArray[np.uint8]
    window: tuple[int, int, int, int]
    surroundings: NDArray[np.float32]
    lamps: Lamps
    block_high: NDArray[np.float32]
    nearest_px: np.float32

    @classmethod
    def of(cls, light: NDArray[np.float32], defocus: NDArray[np.float32], kind: NDArray[np.uint8]) -> Self:
        """Those of an image that was layered elsewhere: without lamps, and at every pixel all may show."""
        blocks = tuple(-(-side // BLOCK) for side in kind.shape)
        reach = np.full(blocks, np.abs(defocus).max() + np.float32(1.5), np.float32)
        unbounded = np.full(blocks, 1e30, np.float32)
        window = (0, kind.shape[0], 0, kind.shape[1])
        backstop = np.zeros_like(kind)
        return cls(light, defocus, kind, reach, backstop, window, unbounded, no_lamps(), reach, reach.max())


@dataclass(frozen=True, slots=True, eq=False)
class LayeredImage:
    """The layered depth image of one frame.

    Attributes:
        pixels: ``(3, H, W)`` code values of the frame, contiguous.
        light, defocus, kind: see ``layers.py``.
        block_low, block_high: ``(rows, columns)`` of blocks; least and largest defocus of all layers, px.
        cell_low: least defocus of cells; see ``backstop.find_cell_lows``.
        means, brightest, bounded_means, surroundings: of blocks; see ``surroundings.py``.
        level, source: ``(H, W)``; see ``layers.first_ring``.
        backstop, lamps: as in ``Samples``.
        px_per_disparity: pixels of defocus per unit of disparity.
        shift_px: added to the defocus of red, taken from that of blue.
    """

    pixels: NDArray[np.float32]
    light: NDArray[np.float32]
    defocus: NDArray[np.float32]
    kind: NDArray[np.uint8]
    block_low: NDArray[np.float32]
    block_high: NDArray[np.float32]
    cell_low: NDArray[np.float32]
    means: NDArray[np.float32]
    brightest: NDArray[np.float32]
    bounded_means: NDArray[np.float32]
    surroundings: NDArray[np.float32]
    level: NDArray[np.int16]
    source: NDArray[np.int32]
    backstop: NDArray[np.uint8]
    px_per_disparity: float
    shift_px: float
    lamps: Lamps = field(default_factory=no_lamps)

    @classmethod
    def of(
        cls,
        frame: RenderInput,
        *,
        transfer: Transfer = "srgb",
        highlights: Highlights | None = None,
        axial_chromatic: float = 0.0,
        workers: Workers | None = None,
        reuse: Self | None = None,
        first_row: int = 0,
        raised: "RaisedLamps | None" = None,
    ) -> Self:
        """The layered depth image of a frame.

        Args:
            frame: what is rendered; its blur strength is above 0.
            transfer: how its code values stand for light.
            highlights: how clipped light is raised.
            axial_chromatic: see ``LayeredRenderer``.
            workers: threads that share the work.
            reuse: an image that is no longer needed; its memory is used where it has the size.
            first_row, raised: of a strip of a larger frame, and the clipped lamps of that; see ``strips.py``.
        """
        height, width = frame.pixels.shape[1:]
        fits = reuse is not None and reuse.kind.shape == (height, width)
        image = cls._empty(frame, axial_chromatic, reuse if fits else None)
        workers = workers or Workers(1)
        block_rows = range(image.block_low.shape[0])
        highlights = highlights or Highlights()
        image._prepare(frame, transfer, highlights, workers, block_rows)
        image._find_surroundings(workers, block_rows, highlights, first_row, raised)
        scale = image.px_per_disparity
        mixed = frame.mixed_pixels()
        bands = mixed and Bands(mixed, image.kind.shape, frame.focus_disparity, scale, transfer, highlights)
        workers.each(
            block_rows,
            lambda rows: layers.find_steps(rows, image.defocus, image.kind, image.level),
        )
        if bands is not None:
            workers.each(block_rows, lambda rows: bands.mark_far(rows, image.pixels, image.defocus, image.kind))
        workers.each(
            block_rows,
            lambda rows: layers.split_mixed(
                rows, image.surroundings, image.light, image.defocus, image.kind, image.level
            ),
        )
        if bands is not None:
            workers.each(block_rows, lambda rows: bands.split_far(rows, image.light, image.defocus, image.kind))
        seen = image._seen(frame, transfer, highlights, workers, block_rows)
        if frame.hidden is not None:
            workers.each(
                block_rows,
                lambda rows: layers.show_seen_beside(rows, seen, image.light, image.defocus, image.kind, image.level),
            )
        workers.each(
            block_rows,
            lambda rows: find_lit(rows, image.brightest, image.surroundings, image.light, image.defocus, image.kind),
        )
        # Lamps leave before hidden background is continued, which would smear them.
        shown = image._take_lamps(workers, block_rows, hidden=False)
        image._fill_hidden(workers, seen)
        if bands is not None:
            workers.each(
                block_rows, lambda rows: bands.split_near(rows, image.pixels, image.light, image.defocus, image.kind)
            )
        workers.each(block_rows, lambda rows: split_lit(rows, image.light, image.defocus, image.kind))
        hidden = image._take_lamps(workers, block_rows, hidden=True)
        image._find_backstops(workers, block_rows)
        if bands is not None:
            workers.each(
                block_rows,
                lambda rows: show_own_background(rows, image.defocus, image.kind, bin_table(), image.backstop),
            )
        if frame.hidden is not None or bands is not None:  # what others tell may lie beyond all that is seen
            workers.each(
                block_rows,
                lambda rows: layers.widen_blocks(rows, image.defocus, image.kind, image.block_low, image.block_high),
            )
        return image._with_lamps(shown, hidden)

    @property
    def nearest_px(self) -> float:
        """Largest signed defocus."""
        return float(self.block_high.max())

    @property
    def farthest_px(self) -> float:
        """Least signed defocus."""
        return float(self.block_low.min())

    @property
    def widest_px(self) -> float:
        """Radius of the widest circle of confusion."""
        return max(abs(self.nearest_px), abs(self.farthest_px))

    def samples(self, margin_px: int = 0) -> Samples:
        """What kernels render, but for a margin that only shines into it."""
        # A block may hold samples of its neighbours' defocus: the foreground part of a mixed pixel at its rim.
        reach = _largest_around(np.maximum(np.abs(self.block_low), np.abs(self.block_high)))
        reach += np.float32(1.5 + abs(self.shift_px))
        height, width = self.kind.shape
        return Samples(
            self.light,
            self.defocus,
            self.kind,
            reach,
            self.backstop,
            (margin_px, height - margin_px, margin_px, width - margin_px),
            self.surroundings,
            self.lamps,
            self.block_high,
            np.float32(self.nearest_px),
        )

    @classmethod
    def _empty(cls, frame: RenderInput, axial_chromatic: float, reuse: Self | None) -> Self:
        height, width = frame.pixels.shape[1:]
        px_per_disparity = frame.blur_strength * max(width, height) / REFERENCE_LONG_SIDE_PX
        blocks = (-(-height // BLOCK), -(-width // BLOCK))
        cells = (-(-height // CELL), -(-width // CELL))
        return cls(
            pixels=np.ascontiguousarray(frame.pixels, np.float32),
            light=reuse.light if reuse else np.empty((3, height, width, 4), np.float32),
            defocus=reuse.defocus if reuse else np.empty((3, height, width), np.float32),
            kind=reuse.kind if reuse else np.zeros((height, width), np.uint8),
            block_low=reuse.block_low if reuse else np.empty(blocks, np.float32),
            block_high=reuse.block_high if reuse else np.empty(blocks, np.float32),
            cell_low=reuse.cell_low if reuse else np.empty((levels_of(cells[1]), *cells), np.float32),
            means=reuse.means if reuse else np.empty(blocks, np.float32),
            brightest=reuse.brightest if reuse else np.empty(blocks, np.float32),
            bounded_means=reuse.bounded_means if reuse else np.empty(blocks, np.float32),
            surroundings=reuse.surroundings if reuse else np.empty(blocks, np.float32),
            level=reuse.level if reuse else np.zeros((height, width), np.int16),
            source=reuse.source if reuse else np.empty((height, width), np.int32),
            backstop=reuse.backstop if reuse else np.empty((height, width), np.uint8),
            px_per_disparity=px_per_disparity,
            shift_px=axial_chromatic * px_per_disparity,
        )

    def _prepare(
        self, frame: RenderInput, transfer: Transfer, highlights: Highlights, workers: Workers, block_rows: range
    ) -> None:
        disparity = np.ascontiguousarray(frame.disparity[0], np.float32)
        focus, scale = np.float32(frame.focus_disparity), np.float32(self.px_per_disparity)
        gain = (np.float32(highlights.fixed_gain), np.float32(highlights.threshold))
        decode_table = lookup_tables(transfer)[0]
        workers.each(
            block_rows,
            lambda rows: layers.prepare(
                rows,
                self.pixels,
                disparity,
                focus,
                scale,
                decode_table,
                gain,
                self.light,
                self.defocus,
                self.block_low,
                self.block_high,
            ),
        )

    def _seen(
        self, frame: RenderInput, transfer: Transfer, highlights: Highlights, workers: Workers, block_rows: range
    ) -> "_Seen":
        """What other frames saw, as ``layers.fill_ring`` takes it."""
        hidden = frame.hidden
        if hidden is None:
            return np.empty((0, 0, 3), np.float32), np.empty((0, 0), np.float32), np.empty((0, 0), np.float32)
        light, defocus = np.empty((*self.kind.shape, 3), np.float32), np.empty(self.kind.shape, np.float32)
        focus, scale = np.float32(frame.focus_disparity), np.float32(self.px_per_disparity)
        gain = (np.float32(highlights.fixed_gain), np.float32(highlights.threshold))
        decode_table = lookup_tables(transfer)[0]
        pixels, disparity, known = (
            np.ascontiguousarray(values, np.float32) for values in (hidden.pixels, hidden.disparity[0], hidden.known)
        )
        workers.each(
            block_rows,
            lambda rows: layers.light_of_seen(
                rows, pixels, disparity, known, focus, scale, decode_table, gain, light, defocus
            ),
        )
        return light, defocus, known

    def _fill_hidden(self, workers: Workers, seen: "_Seen") -> None:
        """Continue the background behind the foreground, ring after ring from the steps inwards.

        Args:
            seen: what other frames saw of it, which takes the place of what would be continued.
        """
        ring = layers.first_ring(self.light, self.defocus, self.kind, self.level, self.source)
        number = 2
        while ring.size:
            parts = np.array_split(ring, workers.threads if ring.size >= _LEAST_RING_TO_SHARE else 1)
            ring = np.concatenate(
                workers.each(
                    parts,
                    lambda part, number=number: layers.fill_ring(
                        part, number, self.light, self.defocus, self.kind, self.level, self.source, seen
                    ),
                )
            )
            number += 1

    def _find_backstops(self, workers: Workers, block_rows: range) -> None:
        widest = np.float32(self.widest_px) + abs(np.float32(self.shift_px))
        in_reach = 2 * (int(widest + MARGIN_PX) // CELL + 2) + 1
        levels = min(levels_of(in_reach), self.cell_low.shape[0])
        workers.each(block_rows, lambda rows: find_cell_lows(rows, self.defocus, levels, self.cell_low))
        workers.each(
            block_rows,
            lambda rows: find_backstops(
                rows,
                self.defocus,
                self.block_low,
                self.block_high,
                self.cell_low,
                widest,
                np.float32(self.shift_px),
                bin_table(),
                self.backstop,
            ),
        )

    def _find_surroundings(
        self,
        workers: Workers,
        block_rows: range,
        highlights: Highlights,
        first_row: int,
        raised: "RaisedLamps | None",
    ) -> None:
        """How bright it is around each block. Clipped lamps are raised, and lamps at the frame's border are faded."""
        front = self.light[layers.FRONT]
        workers.each(block_rows, lambda rows: find_means(rows, front, self.means, self.brightest))
        if raised is not None:
            raised.put(first_row, front, self.brightest)
        elif highlights.is_automatic:
            raise_lamps(self.pixels, front, self.defocus[layers.FRONT], self.brightest, BLOCK)
        workers.each(
            block_rows, lambda rows: find_bounded_means(rows, front, self.means, self.brightest, self.bounded_means)
        )
        averaged(self.bounded_means, self.surroundings)
        fade(self.surroundings, self.defocus[layers.FRONT], front)

    def _take_lamps(self, workers: Workers, block_rows: range, *, hidden: bool) -> tuple[Lamps, NDArray[np.float32]]:
        """Take lamps out of the samples that are seen, or of hidden background; and what each costs to follow."""
        nearest = np.float32(self.nearest_px)
        found = workers.each(
            block_rows,
            lambda rows: find_lamps(
                rows,
                hidden,
                self.light,
                self.defocus,
                self.kind,
                self.block_high,
                nearest,
                self.brightest,
                self.surroundings,
            ),
        )
        where, more, looks = (np.concatenate(parts) for parts in zip(*found, strict=True))
        take_out((where, more), self.light)
        return (where, more), looks

    def _with_lamps(self, *parts: tuple[Lamps, NDArray[np.float32]]) -> Self:
        """The image with those of the lamps that can be followed in bounded time; the others are samples again."""
        where = np.concatenate([lamps[0] for lamps, _ in parts])
        more = np.concatenate([lamps[1] for lamps, _ in parts])
        if not len(where):
            return self
        looks = np.concatenate([looks for _, looks in parts])
        share = affordable(more, looks, np.abs(self.defocus[tuple(where.T)]))
        return replace(self, lamps=give_back((where, more), share, self.light))


def _largest_around(blocks: NDArray[np.float32]) -> NDArray[np.float32]:
    """Largest value of each block and its eight neighbours."""
    padded = np.pad(blocks, 1, mode="edge")
    rows, columns = blocks.shape
    return np.max([padded[j : j + rows, i : i + columns] for j in range(3) for i in range(3)], axis=0)
