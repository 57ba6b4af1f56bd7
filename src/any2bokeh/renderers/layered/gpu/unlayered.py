"""A frame whose layers the GPU makes, and the stages that make them."""

import math
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from any2bokeh.compiled import compiled
from any2bokeh.optics.coc import REFERENCE_LONG_SIDE_PX
from any2bokeh.optics.highlights import Highlights
from any2bokeh.optics.transfer import Transfer, lookup_tables
from any2bokeh.renderers.base import RenderInput
from any2bokeh.renderers.layered.backstop import CELL
from any2bokeh.renderers.layered.blocks import BLOCK
from any2bokeh.renderers.layered.gpu.device import Commands, Device
from any2bokeh.renderers.layered.gpu.params import LayerParams
from any2bokeh.renderers.layered.lamps import _BLURRED_PX, _MOST_LOOKS
from any2bokeh.renderers.layered.layers import _REACH_MARGIN_PX, STEP_PX
from any2bokeh.renderers.layered.strips import RaisedLamps
from any2bokeh.renderers.layered.workers import Workers

Samples = NDArray[Any]
"""Float32, or uint16, of which 65535 is 1."""

EXTRA_WORDS = 12
"""Of what is kept of a pixel with several samples, see ``wgsl/samples_types.wgsl``; there is room for every pixel's."""

MOST_PX = 2**28
"""Pixels that are layered at once; the sixth plane of more would not be counted in 31 bits."""

LAMP_BYTES = 32
"""Of a lamp in the list, see ``wgsl/lamp_list.wgsl``."""

PIXELS_OF_A_LAMP = 4
"""There is room for one lamp in so many pixels; the others stay samples."""

_NOTHING = np.zeros(4, np.float32)
_ROWS_AT_ONCE = 64


class Layers(NamedTuple):
    """Buffers that hold the layers of a frame.

    Attributes:
        front: light as it came, without that of lamps, and signed defocus.
        marks: the farthest bin that may show, and 256 times which further samples there are.
        extras: these; see ``wgsl/samples_types.wgsl``.
        blocks: how bright it is around each block, and how far its samples reach, px.
        highs: largest defocus of each block.
        lamps: see ``wgsl/lamp_list.wgsl``; None where there can be none.
    """

    front: Any
    marks: Any
    extras: Any
    blocks: Any
    highs: Any
    lamps: Any

    @property
    def sampled(self) -> tuple[Any, Any, Any, Any]:
        """Those that stages which gather samples read."""
        return self.front, self.marks, self.extras, self.blocks


class Depths(NamedTuple):
    """The range of disparity of a frame: ``(least, largest)`` of what is seen, and of all samples."""

    seen: tuple[float, float]
    all: tuple[float, float]

    @classmethod
    def of(cls, frame: RenderInput) -> "Depths":
        disparity = frame.disparity[0]
        seen = float(disparity.min()), float(disparity.max())
        ranges = [seen]
        if frame.bands is not None:
            ranges += [_range_where(frame.bands.alpha, side) for side in (frame.bands.near, frame.bands.far)]
        elif frame.mixed is not None and frame.mixed.at.size:
            ranges += [(float(side.min()), float(side.max())) for side in (frame.mixed.near, frame.mixed.far)]
        if frame.hidden is not None:
            ranges.append(_range_where(frame.hidden.known, frame.hidden.disparity[0]))
        return cls(seen, (float(min(low for low, _ in ranges)), float(max(high for _, high in ranges))))


@dataclass(frozen=True, slots=True, eq=False)
class Unlayered:
    """A frame as it came.

    Attributes:
        pixels: ``(3, H, W)`` code values: uint16, of which 65535 is 1, where the transfer has a table; else float32.
        disparity: ``(H, W)`` float32.
        mixed: six planes, in several arrays; see ``wgsl/mixed.wgsl``. Empty = nothing is told of mixed pixels.
        seen: five planes; see ``wgsl/seen.wgsl``. Empty = nobody saw anything.
        decode_table: light at even code values; empty where these are light.
        raised: clipped lamps and the light that they had; see ``raised_by_block``. Empty = none.
        params: of its stages.
        nearest_px, farthest_px: largest and least defocus of all samples.
        deepest_px: largest step of defocus that there may be between two pixels.
    """

    pixels: Samples
    disparity: NDArray[np.float32]
    mixed: tuple[Samples, ...]
    seen: tuple[Samples, ...]
    decode_table: NDArray[np.float32]
    raised: NDArray[np.uint32]
    params: LayerParams
    nearest_px: float
    farthest_px: float
    deepest_px: float

    @classmethod
    def of(
        cls,
        frame: RenderInput,
        *,
        transfer: Transfer,
        highlights: Highlights,
        axial_chromatic: float,
        workers: Workers,
        raised: RaisedLamps | None = None,
        depths: Depths | None = None,
    ) -> "Unlayered":
        """That of a frame with its margin, whose blur strength is above 0.

        Args:
            frame: see there.
            transfer, highlights, axial_chromatic: of the renderer.
            workers: threads that share the work.
            raised: its clipped lamps, where these are raised.
            depths: of the frame of which it is a part.
        """
        height, width = frame.pixels.shape[1:]
        scale = np.float32(frame.blur_strength * max(width, height) / REFERENCE_LONG_SIDE_PX)
        decode_table = lookup_tables(transfer)[0]
        has_table = len(decode_table) > 0
        disparity = np.ascontiguousarray(frame.disparity[0], np.float32)
        depths = depths or Depths.of(frame)
        front_ends = depths.seen
        mixed: tuple[Samples, ...] = ()
        seen: tuple[Samples, ...] = ()
        bands = frame.with_planes().bands
        if bands is not None and (bands.alpha > 0).any():
            mixed = _travelling(has_table, workers, bands.alpha, bands.near, bands.far, bands.background, at=(1, 2))
        if frame.hidden is not None and (frame.hidden.known > 0).any():
            hidden = frame.hidden
            seen = _travelling(has_table, workers, hidden.pixels, hidden.disparity, hidden.known, at=(1,))

        def defocus_px(disparity: float) -> float:  # with the CPU's rounding
            return float(scale * (np.float32(disparity) - np.float32(frame.focus_disparity)))

        farthest, nearest = (defocus_px(end) for end in depths.all)
        raises = highlights.is_automatic or highlights.fixed_gain > 0
        params = LayerParams(
            width=width,
            height=height,
            block_rows=-(-height // BLOCK),
            block_columns=-(-width // BLOCK),
            focus_disparity=float(frame.focus_disparity),
            px_per_disparity=float(scale),
            shift_px=float(axial_chromatic * scale),
            decode_cells=max(len(decode_table) - 1, 0),
            gain=float(highlights.fixed_gain),
            threshold=float(highlights.threshold),
            raised_from=float(highlights.threshold) if raises else 1e30,
            has_seen=int(bool(seen)),
            ring=0,
            widest_px=max(abs(defocus_px(end)) for end in front_ends),
            nearest_px=defocus_px(front_ends[1]),
            has_mixed=int(bool(mixed)),
            most_looks=_MOST_LOOKS,
        )
        return cls(
            pixels=_travelling(has_table, workers, frame.pixels)[0],
            disparity=disparity,
            mixed=mixed,
            seen=seen,
            decode_table=decode_table,
            raised=raised_by_block(raised, width) if raised is not None else np.zeros((0, 4), np.uint32),
            params=params,
            nearest_px=nearest,
            farthest_px=farthest,
            deepest_px=float(scale) * (front_ends[1] - front_ends[0]),
        )

    @property
    def codes_16(self) -> bool:
        """Whether samples have 16 bits."""
        return self.pixels.dtype == np.uint16

    @property
    def rings(self) -> int:
        """Of hidden background, at most: one lies about its number of pixels away from the step."""
        return math.ceil(self.deepest_px + _REACH_MARGIN_PX) + 1 if self.deepest_px > STEP_PX else 0

    @property
    def may_have_lamps(self) -> bool:
        """Whether anything may lie behind something nearer, and be out of focus."""
        widest = max(abs(self.nearest_px), abs(self.farthest_px))
        return self.nearest_px - self.farthest_px > STEP_PX and widest > float(_BLURRED_PX[0])

    def dispatch(self, device: Device, commands: Commands, *, uploads: bool) -> Layers:
        """Put the stages that make its layers into a list of commands."""
        given = device.upload if uploads else (lambda name, *values: device.buffer(name, 0))
        count, params = self.disparity.size, self.params
        block_count = params.block_rows * params.block_columns
        pixels = given("pixels", self.pixels)
        disparity = given("disparity", self.disparity)
        decode = given("decode", self.decode_table if len(self.decode_table) else _NOTHING)
        mixed = given("mixed", *(self.mixed or (_NOTHING,)))
        seen = given("seen", *(self.seen or (_NOTHING,)))
        front = device.buffer("front", 16 * count)
        ranges = device.buffer("ranges", 16 * block_count)
        bounded = device.buffer("bounded", 4 * block_count)
        blocks = device.buffer("blocks", 8 * block_count)
        cells = device.buffer("cell_low", 4 * -(-params.width // CELL) * -(-params.height // CELL))
        kinds, sources = device.buffer("kinds", 4 * count), device.buffer("sources", 4 * count)
        extras = device.buffer("extras", 4 * EXTRA_WORDS * count)
        marks = device.buffer("marks", 4 * count)
        highs = device.buffer("highs", 4 * block_count)
        data = params.packed()
        tiles, kind = (params.block_columns, params.block_rows), {"codes_16": self.codes_16}
        rings = device.buffer("rings", 4 * block_count)
        commands.clear(rings)
        commands.dispatch("prepare", data, (pixels, disparity, decode, front, ranges, cells), tiles, **kind)
        if len(self.raised):
            groups = (-(-int(self.raised[0, 0]) // 64), 1)
            commands.dispatch("raise_lamps", data, (given("raised", self.raised), front, ranges), groups)
        commands.dispatch("bounded_means", data, (front, ranges, bounded), tiles)
        across = (-(-params.block_columns // 8), -(-params.block_rows // 8))
        commands.dispatch("around_blocks", data, (ranges, bounded, blocks), across)
        commands.dispatch("steps", data, (front, blocks, kinds, sources, rings), tiles)
        buffers = (pixels, decode, front, blocks, mixed, seen, kinds, extras)
        commands.dispatch("split", data, buffers, tiles, **kind)
        lamps, of_lamps = None, ()
        if self.may_have_lamps:
            lamps = device.buffer("lamps", 16 + LAMP_BYTES * -(-count // PIXELS_OF_A_LAMP))
            counts = device.buffer("lamp_counts", 4 * (2 + 2 * block_count))
            commands.clear(counts)
            of_lamps = (front, blocks, ranges, kinds, extras, counts, lamps)
            # Lamps leave before hidden background is continued, which would smear them.
            self._take_lamps(commands, of_lamps, of_hidden=0)
        buffers = (front, seen, decode, kinds, sources, extras, rings)
        for ring in range(2, self.rings + 2):
            commands.dispatch("fill_ring", replace(params, ring=ring).packed(), buffers, tiles, **kind)
        commands.dispatch("backstops", data, (front, ranges, cells, marks), tiles)
        buffers = (pixels, front, mixed, kinds, extras, marks, ranges, highs)
        commands.dispatch("finish_layers", data, buffers, tiles, **kind)
        if self.may_have_lamps:
            self._take_lamps(commands, of_lamps, of_hidden=1)
            commands.dispatch("afford_lamps", data, (front, extras, lamps), (1, 1))
        return Layers(front, marks, extras, blocks, highs, lamps)

    def _take_lamps(self, commands: Commands, buffers: tuple[Any, ...], *, of_hidden: int) -> None:
        """Put the stages that take lamps out of what is seen, or of hidden background, into a list of commands."""
        front, blocks, ranges, kinds, extras, counts, lamps = buffers
        data = replace(self.params, of_hidden=of_hidden).packed()
        tiles = (self.params.block_columns, self.params.block_rows)
        commands.dispatch("find_lamps", data, (front, blocks, ranges, kinds, extras, counts), tiles)
        commands.dispatch("order_lamps", data, (counts, lamps), (1, 1))
        commands.dispatch("take_lamps", data, buffers, tiles)


def raised_by_block(raised: RaisedLamps, width: int, *, are_mixed: bool = False) -> NDArray[np.uint32]:
    """Clipped lamps as ``wgsl/raise_lamps.wgsl`` takes them, ``(N, 4)``.

    First the number of blocks that have any, and whether light is mixed with that of the picture; then of each block
    its row and column, and where its pixels begin and end; then of each pixel its number and the bits of its light.
    Nothing where there are none.

    Args:
        raised: pixels, and their light.
        width: of the frame.
        are_mixed: whether the light is that of a lamp wholly out of focus, of which one that is sharper has a part.
    """
    if not len(raised.at):
        return np.zeros((0, 4), np.uint32)
    rows, columns = raised.at.T
    blocks_across = -(-width // BLOCK)
    of_block = rows // BLOCK * blocks_across + columns // BLOCK
    order = np.argsort(of_block, kind="stable")
    blocks, first = np.unique(of_block[order], return_index=True)
    words = np.zeros((1 + len(blocks) + len(order), 4), np.uint32)
    words[0, :2] = len(blocks), are_mixed
    begin = 1 + len(blocks) + np.append(first, len(order))
    words[1 : 1 + len(blocks)] = np.stack([*divmod(blocks, blocks_across), begin[:-1], begin[1:]], axis=1)
    words[1 + len(blocks) :, 0] = (rows * width + columns)[order]
    words[1 + len(blocks) :, 1:] = np.ascontiguousarray(raised.light[order], np.float32).view(np.uint32)
    return words


def _travelling(
    in_16_bits: bool, workers: Workers, *planes: NDArray[np.floating], at: tuple[int, ...] = ()
) -> tuple[Samples, ...]:
    """Planes as they are uploaded. Where they have 16 bits, disparities, which are the planes ``at``, come first."""
    floats = [np.asarray(each, np.float32) for each in planes]
    if not in_16_bits:
        return tuple(floats)
    others = [each for number, each in enumerate(floats) if number not in at]
    return (*(floats[number] for number in at), *(_in_16_bits(each, workers) for each in others))


def _in_16_bits(values: NDArray[np.float32], workers: Workers) -> NDArray[np.uint16]:
    """Samples in [0, 1], rounded to the nearest."""
    rows = np.ascontiguousarray(values).reshape(-1, values.shape[-1])
    rounded = np.empty(rows.shape, np.uint16)
    stripes = [slice(top, top + _ROWS_AT_ONCE) for top in range(0, len(rows), _ROWS_AT_ONCE)]
    workers.each(stripes, lambda stripe: _round(rows[stripe].ravel(), rounded[stripe].ravel()))
    return rounded.reshape(values.shape)


@compiled(nogil=True)
def _round(values, rounded):
    for i in range(values.shape[0]):
        value = min(max(values[i], np.float32(0)), np.float32(1))
        rounded[i] = np.uint16(value * np.float32(65535) + np.float32(0.5))


@compiled(nogil=True)
def _range_where(share, values):
    """Least and largest of the values whose share is above 0; the wrong way round where none is."""
    low, high = np.inf, -np.inf
    for y in range(share.shape[0]):
        for x in range(share.shape[1]):
            if share[y, x] > 0:
                low, high = min(low, values[y, x]), max(high, values[y, x])
    return low, high
