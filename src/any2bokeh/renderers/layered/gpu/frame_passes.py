"""A frame through the stages: which are dispatched, over which rows, with which buffers."""

import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from any2bokeh.optics.vignetting import VignettingTable
from any2bokeh.renderers.layered.blocks import BLOCK
from any2bokeh.renderers.layered.gpu.device import Commands, Device, read_back
from any2bokeh.renderers.layered.gpu.levels import Run, runs_of
from any2bokeh.renderers.layered.gpu.params import Params
from any2bokeh.renderers.layered.gpu.shaders import CELL_SAMPLES
from any2bokeh.renderers.layered.gpu.shapes import LampShapes, Shapes
from any2bokeh.renderers.layered.gpu.unlayered import Layers, Unlayered

TILE = 16
_OTHER_DISPATCHES = 512
"""Of a frame, beside those of rings, at most."""


@dataclass(frozen=True, slots=True, eq=False)
class FrameJob:
    """A frame ready to be rendered.

    Attributes:
        samples: the frame, of which the GPU makes the samples.
        window: first and last row and column of what is rendered, the ends exclusive.
        shapes, lamp_shapes, vignetting: of the lens; its centre in pixels of the frame.
        passes: ``(channel, shift_px)`` of each rendering.
        transfer: code values at even square roots of light up to a peak, and that peak.
        focus_px: where parts are kept apart: up to this radius a sample is in focus. None = the picture.
    """

    samples: Unlayered
    window: tuple[int, int, int, int]
    shapes: Shapes
    lamp_shapes: LampShapes
    vignetting: VignettingTable | None
    passes: tuple[tuple[int, np.float32], ...]
    transfer: tuple[NDArray[np.float32], np.float32]
    focus_px: float | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the frame."""
        height, width = self.samples.disparity.shape
        return height, width

    @property
    def parts(self) -> int:
        return 1 if self.focus_px is None else 3

    @property
    def codes_16(self) -> bool:
        """Whether the picture comes in 16 bits: where the transfer has a table, and codes so end at 1."""
        return self.focus_px is None and len(self.transfer[0]) > 0

    @property
    def words(self) -> int:
        """Of a pixel of the result: a plane each; two where codes have 16 bits, see ``wgsl/finish.wgsl``."""
        return 12 if self.focus_px is not None else 2 if self.codes_16 else 3


class PlacedRun(NamedTuple):
    """A run for a window of the frame.

    Attributes:
        run: which bins, at which level.
        sums: top, left, rows and columns of the pixels of the level that are gathered.
        grid: the same of the cells of samples that reach these.
    """

    run: Run
    sums: tuple[int, int, int, int]
    grid: tuple[int, int, int, int]

    @classmethod
    def of(cls, run: Run, window: tuple[int, int, int, int]) -> Self:
        across = 2**run.level
        top, bottom, left, right = window
        # Two more to each side, between whose middles the outermost pixels lie.
        first_row, first_column = top // across - 2, left // across - 2
        rows, columns = (bottom - 1) // across + 3 - first_row, (right - 1) // across + 3 - first_column
        finer = 2 ** (run.cell_level - run.level)
        grid_top, grid_left = (first_row - run.reach) // finer, (first_column - run.reach) // finer
        grid_rows = (first_row + rows - 1 + run.reach) // finer + 1 - grid_top
        grid_columns = (first_column + columns - 1 + run.reach) // finer + 1 - grid_left
        return cls(run, (first_row, first_column, rows, columns), (grid_top, grid_left, grid_rows, grid_columns))

    @property
    def cells_bytes(self) -> int:
        if not self.run.cell_level:
            return 0
        return 32 * CELL_SAMPLES * self.grid[2] * self.grid[3]

    @property
    def sums_bytes(self) -> int:
        if not self.run.level:
            return 0
        return 16 * (self.run.near_bin - self.run.far_bin + 1) * self.sums[2] * self.sums[3]

    @property
    def groups_of_grid(self) -> tuple[int, int]:
        return -(-self.grid[3] // 8), -(-self.grid[2] // 8)

    @property
    def groups_of_sums(self) -> tuple[int, int]:
        return -(-self.sums[3] // TILE), -(-self.sums[2] // TILE)

    def params(self) -> dict[str, int]:
        """What it puts into ``Params``."""
        places = zip(("top", "left", "rows", "columns"), zip(self.sums, self.grid, strict=True), strict=True)
        of_run = {name: getattr(self.run, name) for name in ("level", "near_bin", "far_bin", "reach")}
        sides = {f"{of}_{name}": each[i] for name, each in places for i, of in enumerate(("sums", "grid"))}
        return of_run | sides


class Band(NamedTuple):
    """Rows of the window that are rendered together: the first, and the end of the last."""

    top: int
    bottom: int


class Submitted(NamedTuple):
    """A band that the GPU works on: its rows, and the buffer that will hold ``size`` bytes of it."""

    band: Band
    buffer: Any
    size: int


class Prepared:
    """A frame that is on its way to the GPU, whose stages have not been started.

    Args:
        bands: for each band in turn, puts its stages into commands. The first has been asked already.
    """

    def __init__(self, bands: Iterator[tuple[Commands, Submitted]]) -> None:
        self._bands = bands
        self._first = next(bands)

    def send(self) -> list[Submitted]:
        """Start them; returns at once."""
        submitted: list[Submitted] = []
        for commands, band in itertools.chain([self._first], self._bands):
            commands.submit()
            submitted.append(band)
        return submitted


Taking = Callable[[NDArray[Any], NDArray[np.float32], int], None]
"""Rows as they come from the device, ``(planes, rows, columns)``, or ``(rows, columns, 4)`` of 16 bits; where they
belong, ``(planes, rows, columns)``; the first of them."""


def _copied(rows: NDArray[Any], target: NDArray[np.float32], _first: int) -> None:
    if rows.dtype == np.float32:
        target[:] = rows
        return
    target[:] = np.where(rows[..., 3] > 0, -1, np.moveaxis(rows[..., :3], -1, 0) / np.float32(65535))


class FramePasses:
    """Renders frames on a device, one after another.

    Args:
        device: where.

    Attributes:
        most_bytes: of a buffer that grows with the rows of a band.
    """

    def __init__(self, device: Device) -> None:
        self.device = device
        self.most_bytes = device.most_bytes
        self._turn = 0

    def render(self, job: FrameJob) -> NDArray[np.float32]:
        """``(3, H, W)`` code values, below 0 where the frame's own stay; ``(12, H, W)`` for separated output."""
        return self.finished(job, self.submit(job))

    def submit(self, job: FrameJob, *, uploads: bool = True, reads: bool = True) -> list[Submitted]:
        """Hand a frame over, and return at once; see ``prepared``."""
        return self.prepared(job, uploads=uploads, reads=reads).send()

    def prepared(self, job: FrameJob, *, uploads: bool = True, reads: bool = True) -> Prepared:
        """Take a frame over to the device. At most two frames may be unfinished at a time.

        Args:
            job: the frame.
            uploads: False where the last frame is rendered again: its samples are on the device.
            reads: False where of the result no more than a beginning is wanted.
        """
        self._turn = 1 - self._turn
        return Prepared(self._bands(job, self._turn, uploads=uploads, reads=reads))

    def _bands(self, job: FrameJob, turn: int, *, uploads: bool, reads: bool) -> Iterator[tuple[Commands, Submitted]]:
        self._load_lens(job)
        layers = None
        for number, band in enumerate(bands_of(job, self.most_bytes)):
            commands = self.device.commands(job.samples.rings + _OTHER_DISPATCHES)
            layers = layers or job.samples.dispatch(self.device, commands, uploads=uploads)
            yield commands, self._put_band(job, band, layers, f"read {turn} {number}", commands, reads=reads)

    def finished(
        self,
        job: FrameJob,
        submitted: list[Submitted],
        taking: Taking | None = None,
        meanwhile: Callable[[], None] = lambda: None,
    ) -> NDArray[np.float32]:
        """The result of a frame that was handed over.

        Args:
            job: the frame.
            submitted: what ``submit`` gave.
            taking: copies rows of the result to where they belong, and may change them on the way.
            meanwhile: called when the device is done with the frame, before the last rows are copied.
        """
        top, bottom, left, right = job.window
        result = np.empty((3 if job.focus_px is None else 12, bottom - top, right - left), np.float32)
        for number, (band, buffer, size) in enumerate(submitted):
            rows = band.bottom - band.top

            def take(words: NDArray[np.uint32], band: Band = band, rows: int = rows) -> None:
                found = words.view(np.uint16 if job.codes_16 else np.float32)
                shape = (rows, right - left, 4) if job.codes_16 else (len(result), rows, right - left)
                (taking or _copied)(found.reshape(shape), result[:, band.top : band.bottom], band.top)

            is_last = number == len(submitted) - 1
            read_back(self.device, buffer, size, take, meanwhile if is_last else lambda: None)
        return result

    def seconds_of(self, job: FrameJob, *, times: int = 10) -> float:
        """How long the device alone works at the frame that it was given last, the mean of several times."""
        for count in (1, times):
            began = time.perf_counter()
            submitted = [self.submit(job, uploads=False, reads=False) for _ in range(count)]
            _, buffer, size = submitted[-1][-1]
            read_back(self.device, buffer, size, lambda rows: None)
        return (time.perf_counter() - began) / times

    def stages_ms(self, job: FrameJob) -> dict[str, float]:
        """How long the device is at each stage of the frame that it was given last, ms. Empty where it has no clock."""
        times: dict[str, float] = {}
        for commands, _ in self._bands(job, self._turn, uploads=False, reads=False):
            for stage, ms in commands.timed_ms().items():
                times[stage] = times.get(stage, 0.0) + ms
        return times

    def _load_lens(self, job: FrameJob) -> None:
        device, table = self.device, job.transfer[0]
        lens = job.shapes, table, job.lamp_shapes
        if device.lens is not None and all(held is wanted for held, wanted in zip(device.lens, lens, strict=True)):
            return
        device.upload("shapes", job.shapes.records)
        device.upload("table", job.shapes.table)
        device.upload("encode", table)
        device.upload("lamp shapes", job.lamp_shapes.records)
        device.upload("lamp table", job.lamp_shapes.table)
        device.lens = lens

    def _put_band(
        self, job: FrameJob, band: Band, layers: Layers, target: str, commands: Commands, *, reads: bool
    ) -> Submitted:
        """Put the stages that render a band into commands."""
        device = self.device
        left, right = job.window[2:]
        width, rows = right - left, band.bottom - band.top
        shapes, table = device.buffer("shapes", 0), device.buffer("table", 0)
        state = device.buffer("state", 16 * job.parts * rows * width)
        result = device.buffer("result", 4 * job.words * rows * width)
        has_lamps = layers.lamps is not None
        glow = device.buffer("glow", 12 * job.parts * rows * width if has_lamps else 0)
        lamps = layers.lamps if has_lamps else device.buffer("no lamps", 64)
        params = self._params(job, band)
        kind = {"parts": job.parts, "cuts": job.shapes.cuts}
        groups = (-(-width // TILE), -(-rows // TILE))
        plan = [(channel, shift_px, self._placed_runs(job, band, float(shift_px))) for channel, shift_px in job.passes]
        placed_runs = [placed for _, _, runs in plan for placed in runs]
        cells = device.buffer("cells", max(placed.cells_bytes for placed in placed_runs))
        sums = device.buffer("sums", max(placed.sums_bytes for placed in placed_runs))
        for channel, shift_px, runs in plan:
            params.channel, params.shift_px = channel, float(shift_px)
            commands.clear(state)
            for placed in runs:
                of_run = replace(params, **placed.params())
                data = of_run.packed()
                if placed.run.cell_level == 0:
                    commands.dispatch("gather", data, (*layers.sampled, shapes, table, state), groups, **kind)
                    continue
                of_cells = replace(of_run, level=placed.run.cell_level).packed()
                commands.dispatch("reduce", of_cells, (*layers.sampled, cells), placed.groups_of_grid)
                if placed.run.level == 0:
                    commands.dispatch("gather_cells", data, (layers.marks, cells, shapes, table, state), groups, **kind)
                    continue
                buffers = (cells, shapes, table, sums)
                shares = placed.run.cell_level > placed.run.level
                stage = "gather_level_cells" if shares else "gather_level"
                commands.dispatch(stage, data, buffers, placed.groups_of_sums, cuts=job.shapes.cuts)
                commands.dispatch("take_level", data, (layers.marks, sums, state), groups, parts=job.parts)
            if has_lamps:
                of_lamps = replace(params, kept_at=job.lamp_shapes.kept_at).packed()
                of_lens = device.buffer("lamp shapes", 0), device.buffer("lamp table", 0)
                buffers = (layers.front, layers.marks, layers.extras, layers.highs, *of_lens, lamps, glow)
                commands.dispatch("shine", of_lamps, buffers, groups, **kind)
            if job.focus_px is None:
                buffers = (layers.front, state, glow, lamps, device.buffer("encode", 0), result)
                commands.dispatch("finish", params.packed(), buffers, groups, codes_16=job.codes_16)
            else:
                commands.dispatch("separate", params.packed(), (state, glow, lamps, result), groups)
        size = 4 * job.words * rows * width if reads else 16
        reading = device.buffer(target, size, read=True)
        commands.copy(result, reading, size)
        return Submitted(band, reading, size)

    def _placed_runs(self, job: FrameJob, band: Band, shift_px: float) -> list["PlacedRun"]:
        top, _, left, right = job.window
        window = (top + band.top, top + band.bottom, left, right)
        runs = _runs_of(job, shift_px)
        return [PlacedRun.of(run, window) for run in runs]

    def _params(self, job: FrameJob, band: Band) -> Params:
        height, width = job.shape
        top, _, left, right = job.window
        numbers = np.zeros(5, np.float32) if job.vignetting is None else job.vignetting.numbers
        return Params(
            width=width,
            height=height,
            window_top=top,
            window_left=left,
            window_width=right - left,
            band_top=band.top,
            band_rows=band.bottom - band.top,
            channel=-1,
            shift_px=0.0,
            level=0,
            near_bin=0,
            far_bin=0,
            reach=0,
            grid_top=0,
            grid_left=0,
            grid_rows=0,
            grid_columns=0,
            sums_top=0,
            sums_left=0,
            sums_rows=0,
            sums_columns=0,
            block_rows=-(-height // BLOCK),
            block_columns=-(-width // BLOCK),
            radii=job.shapes.radii,
            kept_at=job.shapes.kept_at,
            cat_eye=float(numbers[0]),
            swirl=float(numbers[1]),
            centre_row=float(numbers[2]),
            centre_column=float(numbers[3]),
            per_px=float(numbers[4]),
            encode_cells=max(len(job.transfer[0]) - 1, 0),
            peak=float(job.transfer[1]),
            has_glow=int(job.samples.may_have_lamps),
            focus_px=float(job.focus_px or 0.0),
            nearest_px=job.samples.nearest_px,
            lamp_radii=job.lamp_shapes.radii,
        )


def bands_of(job: FrameJob, most_bytes: int) -> list[Band]:
    """The bands of a frame: as few as buffers allow."""
    top, bottom, _, _ = job.window
    for count in range(1, bottom - top + 1):
        bands = _cut_into(job, count)
        if max(_largest_buffer(job, band) for band in bands) <= most_bytes:
            return bands
    return _cut_into(job, bottom - top)


def _cut_into(job: FrameJob, count: int) -> list[Band]:
    top, bottom, _, _ = job.window
    rows = -(-(bottom - top) // count)
    rows = -(-rows // BLOCK) * BLOCK
    return [Band(first, min(first + rows, bottom - top)) for first in range(0, bottom - top, rows)]


def _largest_buffer(job: FrameJob, band: Band) -> int:
    """In bytes, of those that a band needs."""
    top, _, left, right = job.window
    width, rows = right - left, band.bottom - band.top
    sizes = [4 * job.words * rows * width, 16 * job.parts * rows * width]
    window = (top + band.top, top + band.bottom, left, right)
    for _, shift_px in job.passes:
        for run in _runs_of(job, float(shift_px)):
            placed = PlacedRun.of(run, window)
            sizes += [placed.cells_bytes, placed.sums_bytes]
    return max(sizes)


def _runs_of(job: FrameJob, shift_px: float) -> list[Run]:
    return runs_of(job.samples.nearest_px, job.samples.farthest_px, shift_px, job.shapes.limits)
