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
from any2bokeh.renderers.layered.gpu.packed import EXTRA_WORDS, MOST_EXTRAS
from any2bokeh.renderers.layered.gpu.params import LayerParams
from any2bokeh.renderers.layered.layers import _REACH_MARGIN_PX, STEP_PX
from any2bokeh.renderers.layered.workers import Workers

Samples = NDArray[Any]
"""Float32, or uint16, of which 65535 is 1."""

_NOTHING = np.zeros(4, np.float32)
_ROWS_AT_ONCE = 64
_MOST_RINGS = 1000


class Layers(NamedTuple):
    """Buffers that hold the layers of a frame; see ``Packed``. The word after the last mark tells of lamps."""

    front: Any
    marks: Any
    extras: Any
    blocks: Any


@dataclass(frozen=True, slots=True, eq=False)
class Unlayered:
    """A frame as it came.

    Attributes:
        pixels: ``(3, H, W)`` code values: uint16, of which 65535 is 1, where the transfer has a table; else float32.
        disparity: ``(H, W)`` float32.
        mixed: six planes, in several arrays; see ``wgsl/mixed.wgsl``. Empty = nothing is told of mixed pixels.
        seen: five planes; see ``wgsl/seen.wgsl``. Empty = nobody saw anything.
        decode_table: light at even code values; empty where these are light.
        params: of its stages.
        nearest_px, farthest_px: largest and least defocus of all samples.
        deepest_px: largest step of defocus that there may be between two pixels.
    """

    pixels: Samples
    disparity: NDArray[np.float32]
    mixed: tuple[Samples, ...]
    seen: tuple[Samples, ...]
    decode_table: NDArray[np.float32]
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
    ) -> "Unlayered":
        """That of a frame with its margin, whose blur strength is above 0. Lamps are not raised."""
        height, width = frame.pixels.shape[1:]
        scale = np.float32(frame.blur_strength * max(width, height) / REFERENCE_LONG_SIDE_PX)
        decode_table = lookup_tables(transfer)[0]
        has_table = len(decode_table) > 0
        disparity = np.ascontiguousarray(frame.disparity[0], np.float32)
        front_ends = float(disparity.min()), float(disparity.max())
        mixed: tuple[Samples, ...] = ()
        seen: tuple[Samples, ...] = ()
        ends = [*front_ends]
        if frame.bands is not None:
            bands = frame.bands
            of_mixed = [_range_where(bands.alpha, side) for side in (bands.near, bands.far)]
            if of_mixed[0][0] <= of_mixed[0][1]:
                mixed = _travelling(has_table, workers, bands.alpha, bands.near, bands.far, bands.background, at=(1, 2))
                ends += [end for each in of_mixed for end in each]
        if frame.hidden is not None:
            hidden = frame.hidden
            of_seen = _range_where(hidden.known, hidden.disparity[0])
            if of_seen[0] <= of_seen[1]:
                seen = _travelling(has_table, workers, hidden.pixels, hidden.disparity, hidden.known, at=(1,))
                ends += [*of_seen]
        nearest, farthest = (float(scale * np.float32(end - frame.focus_disparity)) for end in (max(ends), min(ends)))
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
            raised_from=float(highlights.threshold) if highlights.fixed_gain > 0 else 1e30,
            has_seen=int(bool(seen)),
            ring=0,
            widest_px=max(abs(float(scale * (end - frame.focus_disparity))) for end in front_ends),
            nearest_px=float(scale * (front_ends[1] - frame.focus_disparity)),
            has_mixed=int(bool(mixed)),
        )
        return cls(
            pixels=_travelling(has_table, workers, frame.pixels)[0],
            disparity=disparity,
            mixed=mixed,
            seen=seen,
            decode_table=decode_table,
            params=params,
            nearest_px=nearest,
            farthest_px=farthest,
            deepest_px=float(scale) * (front_ends[1] - front_ends[0]),
        )

    @property
    def codes_16(self) -> bool:
        """Whether samples have 16 bits."""
        return self.pixels.dtype == np.uint16

    def fits(self, device: Device) -> bool:
        """Whether a device has room for its layers, in one piece, and few enough rings of hidden background."""
        pixels = self.disparity.size
        return (
            self.deepest_px <= _MOST_RINGS and pixels <= MOST_EXTRAS and 4 * EXTRA_WORDS * pixels <= device.most_bytes
        )

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
        marks = device.buffer("marks", 4 * count + 4)
        data = params.packed()
        tiles, kind = (params.block_columns, params.block_rows), {"codes_16": self.codes_16}
        rings = device.buffer("rings", 4 * block_count)
        commands.clear(marks)
        commands.clear(rings)
        commands.dispatch("prepare", data, (pixels, disparity, decode, front, ranges, cells), tiles, **kind)
        commands.dispatch("bounded_means", data, (front, ranges, bounded), tiles)
        across = (-(-params.block_columns // 8), -(-params.block_rows // 8))
        commands.dispatch("around_blocks", data, (ranges, bounded, blocks), across)
        commands.dispatch("steps", data, (front, blocks, kinds, sources, rings), tiles)
        buffers = (pixels, decode, front, blocks, mixed, seen, kinds, extras)
        commands.dispatch("split", data, buffers, tiles, **kind)
        if self.deepest_px > STEP_PX:
            # A ring lies about its number of pixels away from the step.
            buffers = (front, seen, decode, kinds, sources, extras, rings)
            for ring in range(2, math.ceil(self.deepest_px + _REACH_MARGIN_PX) + 3):
                data = replace(params, ring=ring).packed()
                commands.dispatch("fill_ring", data, buffers, tiles, **kind)
        data = params.packed()
        commands.dispatch("backstops", data, (front, ranges, cells, marks), tiles)
        buffers = (pixels, front, blocks, mixed, kinds, extras, marks, ranges)
        commands.dispatch("finish_layers", data, buffers, tiles, **kind)
        return Layers(front, marks, extras, blocks)


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
