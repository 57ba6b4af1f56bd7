"""The layered engine behind the renderer interface."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from any2bokeh.errors import InputError
from any2bokeh.optics.aperture import Aperture, Disc
from any2bokeh.optics.barrel import Barrel, BarrelTable, barrel_table
from any2bokeh.optics.coc import REFERENCE_LONG_SIDE_PX
from any2bokeh.optics.footprint import footprint
from any2bokeh.optics.highlights import Highlights
from any2bokeh.optics.profile import BokehProfile
from any2bokeh.optics.transfer import Transfer, lookup_tables
from any2bokeh.renderers.base import RenderInput
from any2bokeh.renderers.layered import cpu, layers
from any2bokeh.renderers.layered.bins import depth_bin
from any2bokeh.renderers.layered.rows import Rows, rows_of
from any2bokeh.renderers.layered.separation import separate_tile

_LEAST_RING_TO_SHARE = 1000
"""Pixels in a ring of hidden background below which handing parts of it to threads costs more than it saves."""

SHARP_PX = 1.5
"""Radius, in a frame of 1024 px, up to which ``render_separated`` counts a sample as in focus."""


class LayeredRenderer:
    """Deterministic thin-lens renderer: disparity layers, exact aperture shapes, occlusion, linear light.

    The result does not depend on the number of threads. Scratch memory is kept from frame to frame; nothing else is.

    Args:
        aperture: shape of the aperture.
        profile: how light lies within a disc.
        barrel: what it cuts off towards the corners.
        axial_chromatic: axial chromatic aberration in [-0.2, 0.2]: how much farther, in disparity, the focal plane of
            red lies than that of green, and that of blue nearer. Fringes of what is in front and of what is behind
            have opposite colours.
        highlights: how clipped light is raised; only for transfers that clip at white.
        transfer: how code values stand for light.
        threads: how many threads render; all cores by default.
    """

    window = 1
    overlap = 0

    def __init__(
        self,
        *,
        aperture: Aperture | None = None,
        profile: BokehProfile | None = None,
        barrel: Barrel | None = None,
        axial_chromatic: float = 0.0,
        highlights: Highlights | None = None,
        transfer: Transfer = "srgb",
        threads: int | None = None,
    ) -> None:
        if not -0.2 <= axial_chromatic <= 0.2:
            raise InputError(f"axial chromatic aberration is {axial_chromatic:g}; it lies in -0.2 to 0.2 of disparity")
        self.aperture = aperture or Disc()
        self.profile = profile or BokehProfile()
        self.barrel = barrel or Barrel()
        self.axial_chromatic = axial_chromatic
        self.highlights = highlights or Highlights()
        if self.highlights.gain > 0 and transfer not in ("srgb", "none"):
            raise InputError(
                f"highlight gain is {self.highlights.gain:g}, but a source of transfer {transfer} holds its "
                "highlights; leave it out"
            )
        self.transfer: Transfer = transfer
        self.threads = threads or available_cores()
        self._pool = ThreadPoolExecutor(max(self.threads - 1, 1))
        self._scratch: _Scratch | None = None
        self._barrel_table: tuple[tuple[int, int], BarrelTable] | None = None

    def twin(self) -> "LayeredRenderer":
        """Another with the same lens, with threads and scratch memory of its own."""
        return LayeredRenderer(
            aperture=self.aperture,
            profile=self.profile,
            barrel=self.barrel,
            axial_chromatic=self.axial_chromatic,
            highlights=self.highlights,
            transfer=self.transfer,
            threads=self.threads,
        )

    def render(self, inputs: Iterable[RenderInput]) -> Iterator[NDArray[np.float32]]:
        for frame in inputs:
            yield self.render_frame(frame)

    def render_frame(self, frame: RenderInput) -> NDArray[np.float32]:
        """Render one frame: ``(3, H, W)`` float32. The input's own array where the blur strength is 0.

        Raises:
            InputError: a circle of confusion wider than the frame.
        """
        if frame.blur_strength == 0:
            return frame.pixels
        job = self._prepared(frame)
        _, encode = lookup_tables(self.transfer)
        result = np.empty_like(job.pixels)
        for channel, shift in job.passes:
            self._each(
                range(job.tiles),
                lambda tile, sums, channel=channel, shift=shift: cpu.render_tile(
                    tile, job.pixels, job.samples, job.rows, encode, channel, shift, sums, result
                ),
                workspace=lambda: cpu.new_accumulator(job.slots),
            )
        return result

    def render_separated(self, frame: RenderInput) -> NDArray[np.float32]:
        """Render one frame in three parts, for compositing.

        Returns:
            ``(3, 4, H, W)`` float32: what is in front of the focal plane, in it (up to ``SHARP_PX``) and behind it;
            each linear light multiplied by alpha, and alpha. The alphas sum to 1, the lights to that of
            ``render_frame`` before white is clipped. Code values instead of light where the transfer is ``none``.

        Raises:
            InputError: a circle of confusion wider than the frame.
        """
        height, width = frame.pixels.shape[1:]
        job = self._prepared(frame)
        parts = np.empty((3, 4, height, width), np.float32)
        focus_px = np.float32(max(SHARP_PX * max(width, height) / REFERENCE_LONG_SIDE_PX, 1.0))
        for channel, shift in job.passes:
            self._each(
                range(job.tiles),
                lambda tile, sums, channel=channel, shift=shift: separate_tile(
                    tile, job.samples, job.rows, channel, shift, focus_px, sums, parts
                ),
                workspace=lambda: cpu.new_accumulator(job.slots),
            )
        return parts

    def _prepared(self, frame: RenderInput) -> "_Job":
        """The layered depth image of a frame, and what the tiles are rendered with.

        Raises:
            InputError: a circle of confusion wider than the frame.
        """
        height, width = frame.pixels.shape[1:]
        scale = frame.blur_strength * max(width, height) / REFERENCE_LONG_SIDE_PX
        if self._scratch is None or self._scratch.kind.shape != (height, width):
            self._scratch = _Scratch(height, width)
        scratch = self._scratch
        pixels = np.ascontiguousarray(frame.pixels, np.float32)
        self._make_layers(frame, pixels, np.float32(scale), lookup_tables(self.transfer)[0], scratch)
        nearest, farthest = float(scratch.block_high.max()), float(scratch.block_low.min())
        widest = max(abs(nearest), abs(farthest))
        if widest > max(width, height):
            raise InputError(
                f"blur strength {frame.blur_strength:g} makes a circle of confusion of {widest:.0f} px in a frame of "
                f"{width}x{height}; lower it, at most the longer side fits"
            )
        shift_px = np.float32(self.axial_chromatic * scale)
        most = widest + abs(float(shift_px))
        # A block may hold samples of its neighbours' defocus: the foreground part of a mixed pixel at its rim.
        reach = _largest_around(np.maximum(np.abs(scratch.block_low), np.abs(scratch.block_high)))
        return _Job(
            pixels=pixels,
            samples=(scratch.light, scratch.defocus, scratch.kind, reach + np.float32(1.5 + abs(shift_px))),
            rows=rows_of(footprint(self.aperture, self.profile, most), self._cut(height, width)),
            slots=depth_bin(np.float32(nearest)) - depth_bin(np.float32(farthest)) + 1,
            tiles=-(-height // cpu.TILE_HEIGHT) * -(-width // cpu.TILE_WIDTH),
            # Red, green and blue have focal planes of their own, or share one.
            passes=((-1, np.float32(0)),) if shift_px == 0 else ((0, shift_px), (1, np.float32(0)), (2, -shift_px)),
        )

    def _cut(self, height: int, width: int) -> BarrelTable | None:
        if self.barrel.is_open:
            return None
        if self._barrel_table is None or self._barrel_table[0] != (height, width):
            table = barrel_table(self.barrel, self.aperture, self.profile, height, width)
            self._barrel_table = (height, width), table
        return self._barrel_table[1]

    def _make_layers(self, frame: RenderInput, pixels, scale: np.float32, decode_table, scratch: "_Scratch") -> None:
        """Make the layered depth image of a frame in ``scratch``."""
        s = scratch
        block_rows = range(s.block_low.shape[0])
        disparity = np.ascontiguousarray(frame.disparity[0], np.float32)
        focus = np.float32(frame.focus_disparity)
        highlights = (np.float32(self.highlights.gain), np.float32(self.highlights.threshold))
        self._each(
            block_rows,
            lambda rows: layers.prepare(
                rows,
                pixels,
                disparity,
                focus,
                scale,
                decode_table,
                highlights,
                s.light,
                s.defocus,
                s.block_low,
                s.block_high,
            ),
        )
        self._each(
            block_rows, lambda rows: layers.find_steps(rows, s.defocus, s.block_low, s.block_high, s.kind, s.level)
        )
        self._each(block_rows, lambda rows: layers.split_mixed(rows, s.light, s.defocus, s.kind, s.level))
        ring = layers.first_ring(s.level, s.source)
        number = 2
        while ring.size:
            parts = np.array_split(ring, self.threads if ring.size >= _LEAST_RING_TO_SHARE else 1)
            ring = np.concatenate(
                self._each(
                    parts,
                    lambda part, number=number: layers.fill_ring(
                        part, number, s.light, s.defocus, s.kind, s.level, s.source
                    ),
                )
            )
            number += 1

    def _each(
        self, jobs: Sequence[Any], work: Callable[..., Any], *, workspace: Callable[[], object] | None = None
    ) -> list[Any]:
        """Do ``work`` for every job; what it returned, in the order of the jobs.

        The threads take the jobs in turn, each thread with a workspace of its own.
        """
        turn = iter(range(len(jobs)))
        results: list[Any] = [None] * len(jobs)

        def take() -> None:
            own = () if workspace is None else (workspace(),)
            for job in turn:  # next() of a range iterator is atomic under the GIL
                results[job] = work(jobs[job], *own)

        helpers = [self._pool.submit(take) for _ in range(min(self.threads, len(jobs)) - 1)]
        take()
        for helper in helpers:
            helper.result()
        return results


def available_cores() -> int:
    """Cores that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@dataclass(frozen=True, slots=True, eq=False)
class _Job:
    """A frame ready to be rendered tile by tile; ``samples`` and ``rows`` as ``cpu.render_tile`` takes them.

    Attributes:
        pixels: of the frame, contiguous.
        slots: bins that occur in it.
        tiles: how many there are.
        passes: ``(channel, shift_px)`` of each rendering.
    """

    pixels: NDArray[np.float32]
    samples: tuple[NDArray[Any], ...]
    rows: Rows
    slots: int
    tiles: int
    passes: tuple[tuple[int, np.float32], ...]


class _Scratch:
    """Arrays of one frame size, reused from frame to frame."""

    def __init__(self, height: int, width: int) -> None:
        blocks = (-(-height // layers.BLOCK), -(-width // layers.BLOCK))
        self.light = np.empty((3, height, width, 4), np.float32)
        self.defocus = np.empty((3, height, width), np.float32)
        self.kind = np.zeros((height, width), np.uint8)
        self.block_low = np.empty(blocks, np.float32)
        self.block_high = np.empty(blocks, np.float32)
        self.level = np.zeros((height, width), np.int16)
        self.source = np.empty((height, width), np.int32)


def _largest_around(blocks: NDArray[np.float32]) -> NDArray[np.float32]:
    """Largest value of each block and its eight neighbours."""
    padded = np.pad(blocks, 1, mode="edge")
    rows, columns = blocks.shape
    return np.max([padded[j : j + rows, i : i + columns] for j in range(3) for i in range(3)], axis=0)
