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

_NOTHING = np.zeros(4, np.float32)
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
        pixels: ``(3, H, W)`` float32 code values.
        disparity: ``(H, W)`` float32.
        mixed: six planes float32, in several arrays; see ``wgsl/mixed.wgsl``. Empty = nothing is told of mixed pixels.
        seen: five planes float32: code values, disparity and how far they are known. Empty = nobody saw anything.
        decode_table: light at even code values; empty where these are light.
        params: of its stages.
        nearest_px, farthest_px: largest and least defocus of all samples.
        deepest_px: largest step of defocus that there may be between two pixels.
    """

    pixels: NDArray[np.float32]
    disparity: NDArray[np.float32]
    mixed: tuple[NDArray[np.float32], ...]
    seen: tuple[NDArray[np.float32], ...]
    decode_table: NDArray[np.float32]
    params: LayerParams
    nearest_px: float
    farthest_px: float
    deepest_px: float

    @classmethod
    def of(
        cls, frame: RenderInput, *, transfer: Transfer, highlights: Highlights, axial_chromatic: float
    ) -> "Unlayered":
        """That of a frame with its margin, whose blur strength is above 0. Lamps are not raised."""
        height, width = frame.pixels.shape[1:]
        scale = np.float32(frame.blur_strength * max(width, height) / REFERENCE_LONG_SIDE_PX)
        disparity = np.ascontiguousarray(frame.disparity[0], np.float32)
        mixed: tuple[NDArray[np.float32], ...] = ()
        seen: tuple[NDArray[np.float32], ...] = ()
        front_ends = float(disparity.min()), float(disparity.max())
        ends = [*front_ends]
        if frame.bands is not None:
            bands = frame.bands
            of_mixed = [_range_where(bands.alpha, side) for side in (bands.near, bands.far)]
            if of_mixed[0][0] <= of_mixed[0][1]:
                mixed = _floats(bands.alpha, bands.near, bands.far, bands.background)
                ends += [end for each in of_mixed for end in each]
        if frame.hidden is not None:
            hidden = frame.hidden
            of_seen = _range_where(hidden.known, hidden.disparity[0])
            if of_seen[0] <= of_seen[1]:
                seen = _floats(hidden.pixels, hidden.disparity, hidden.known)
                ends += [*of_seen]
        nearest, farthest = (float(scale * np.float32(end - frame.focus_disparity)) for end in (max(ends), min(ends)))
        decode_table = lookup_tables(transfer)[0]
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
            pixels=np.ascontiguousarray(frame.pixels, np.float32),
            disparity=disparity,
            mixed=mixed,
            seen=seen,
            decode_table=decode_table,
            params=params,
            nearest_px=nearest,
            farthest_px=farthest,
            deepest_px=float(scale) * (front_ends[1] - front_ends[0]),
        )

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
        tiles = (params.block_columns, params.block_rows)
        rings = device.buffer("rings", 4 * block_count)
        commands.clear(marks)
        commands.clear(rings)
        commands.dispatch("prepare", data, (pixels, disparity, decode, front, ranges, cells), tiles)
        commands.dispatch("bounded_means", data, (front, ranges, bounded), tiles)
        across = (-(-params.block_columns // 8), -(-params.block_rows // 8))
        commands.dispatch("around_blocks", data, (ranges, bounded, blocks), across)
        commands.dispatch("steps", data, (front, blocks, kinds, sources, rings), tiles)
        commands.dispatch("split", data, (pixels, decode, front, blocks, mixed, seen, kinds, extras), tiles)
        if self.deepest_px > STEP_PX:
            # A ring lies about its number of pixels away from the step.
            buffers = (front, seen, decode, kinds, sources, extras, rings)
            for ring in range(2, math.ceil(self.deepest_px + _REACH_MARGIN_PX) + 3):
                data = replace(params, ring=ring).packed()
                commands.dispatch("fill_ring", data, buffers, tiles)
        data = params.packed()
        commands.dispatch("backstops", data, (front, ranges, cells, marks), tiles)
        buffers = (pixels, front, blocks, mixed, kinds, extras, marks, ranges)
        commands.dispatch("finish_layers", data, buffers, tiles)
        return Layers(front, marks, extras, blocks)


def _floats(*planes: NDArray[np.floating]) -> tuple[NDArray[np.float32], ...]:
    return tuple(np.asarray(each, np.float32) for each in planes)


@compiled(nogil=True)
def _range_where(share, values):
    """Least and largest of the values whose share is above 0; the wrong way round where none is."""
    low, high = np.inf, -np.inf
    for y in range(share.shape[0]):
        for x in range(share.shape[1]):
            if share[y, x] > 0:
                low, high = min(low, values[y, x]), max(high, values[y, x])
    return low, high
