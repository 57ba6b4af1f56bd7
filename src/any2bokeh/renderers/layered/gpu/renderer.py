"""The layered engine with its light gathered on a GPU, behind the same interface as the CPU's."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from any2bokeh.compiled import compiled
from any2bokeh.errors import InputError
from any2bokeh.optics.coc import REFERENCE_LONG_SIDE_PX
from any2bokeh.optics.footprint import footprint
from any2bokeh.optics.radii import LINEAR_LIMIT_PX
from any2bokeh.optics.transfer import lookup_tables
from any2bokeh.renderers.base import RenderInput
from any2bokeh.renderers.layered import cpu
from any2bokeh.renderers.layered.gpu.device import Device, GpuFault
from any2bokeh.renderers.layered.gpu.frame_passes import FrameJob, FramePasses, HasLamps, Prepared, Submitted, Taking
from any2bokeh.renderers.layered.gpu.packed import Packed, packed
from any2bokeh.renderers.layered.gpu.shapes import Shapes, shapes_of
from any2bokeh.renderers.layered.gpu.unlayered import Unlayered
from any2bokeh.renderers.layered.lamps import glow_of
from any2bokeh.renderers.layered.layered_image import LayeredImage, Samples
from any2bokeh.renderers.layered.renderer import SHARP_PX, LayeredRenderer, passes_of
from any2bokeh.renderers.layered.rows import rows_of
from any2bokeh.renderers.layered.surround import Inner, inner_part, with_surround

_ROWS_AT_ONCE = 64
_FRAMES_TO_ASK_AGAIN = 24
"""After a frame that has lamps the CPU makes the layers of so many, before the GPU is asked again whether one has."""


class GpuRenderer(LayeredRenderer):
    """``LayeredRenderer`` on a GPU.

    The GPU makes the layers of a frame and renders them. Where a frame has lamps, whose discs are cut by what is before
    them, the CPU makes its layers, while the GPU works on the frame before. Where the GPU fails, the CPU renders that
    frame and all that follow, if it may.

    Args:
        open_device: opens the GPU; called again by ``separator``.
        device: one that is open already.
        falls_back: whether the CPU may take over.
        raises: whether a fault of the GPU is raised as it is.
        notice: told, once and in one line, why it does.
        look: as for ``LayeredRenderer``.

    Attributes:
        device: what renders; None once the CPU does.
        passes: the stages on it.
    """

    window = 2  # the next frame's layers are made while the GPU renders

    def __init__(
        self,
        open_device: Callable[[], Device],
        *,
        device: Device | None = None,
        falls_back: bool = True,
        raises: bool = False,
        notice: Callable[[str], None] | None = None,
        **look: Any,
    ) -> None:
        super().__init__(**look)
        self._open_device = open_device
        self._falls_back = falls_back
        self._notice = notice
        self._raises = raises
        self.device: Device | None = device or open_device()
        self.passes = FramePasses(self.device)
        self._packed: Packed | None = None
        self._frames_with_lamps = 0
        self._shapes: tuple[object, Shapes] | None = None

    def separator(self) -> LayeredRenderer:
        """Another with the same lens, with a device and memory of its own; see ``RendersSeparated``."""
        look: dict[str, Any] = {
            name: getattr(self, name)
            for name in ("aperture", "profile", "vignetting", "axial_chromatic", "highlights", "transfer", "threads")
        }
        if self.device is None:
            return LayeredRenderer(**look)
        return GpuRenderer(self._open_device, falls_back=self._falls_back, notice=self._notice, **look)

    def close(self) -> None:
        """Give the device's memory back; the CPU renders what is asked for afterwards."""
        if self.device is not None:
            self.device.close()
            self.device = None

    def render(self, inputs: Iterable[RenderInput]) -> Iterator[NDArray[np.float32]]:
        # Waiting for the GPU waits for all that it was given, and nothing can be given to it meanwhile. So the next
        # frame is taken over while it works, but started only when it is done with this one, before that is copied.
        waiting: _Started | None = None
        for frame in inputs:
            started = self._start(frame)
            if waiting is None:
                self._send(started)
            else:
                yield self._finish(waiting, started)
            waiting = started
        if waiting is not None:
            yield self._finish(waiting)

    def render_frame(self, frame: RenderInput) -> NDArray[np.float32]:
        """See ``LayeredRenderer.render_frame``."""
        started = self._start(frame)
        self._send(started)
        return self._finish(started)

    def render_separated(self, frame: RenderInput) -> NDArray[np.float32]:
        """See ``LayeredRenderer.render_separated``."""
        if self.device is not None:
            try:
                inner, whole = inner_part(frame), with_surround(frame)
                height, width = frame.pixels.shape[1:]
                focus_px = max(SHARP_PX * max(width, height) / REFERENCE_LONG_SIDE_PX, 1.0)
                try:
                    planes = self.passes.render(self._job(whole, inner, focus_px))
                except HasLamps:
                    self._frames_with_lamps = _FRAMES_TO_ASK_AGAIN
                    planes = self.passes.render(self._job(whole, inner, focus_px))
                return planes.reshape(3, 4, height, width)
            except GpuFault as fault:
                self._give_up(fault)
        return super().render_separated(frame)

    def job_of(self, frame: RenderInput) -> FrameJob:
        """What the device is given of a frame whose blur strength is above 0. It holds until the next is asked for.

        Raises:
            InputError: a circle of confusion wider than the frame.
            GpuFault: more than a device takes.
        """
        return self._job(with_surround(frame), inner_part(frame), None)

    def _start(self, frame: RenderInput) -> "_Started":
        """Take a frame over to the GPU."""
        if self.device is not None and frame.blur_strength != 0:
            try:
                job = self.job_of(frame)
                return _Started(frame, job, self.passes.prepared(job))
            except GpuFault as fault:
                self._give_up(fault)
        return _Started(frame)

    def _send(self, started: "_Started") -> None:
        """Let the GPU begin with a frame that was taken over."""
        if self.device is not None and started.prepared is not None and not started.submitted:
            try:
                started.submitted.extend(started.prepared.send())
            except GpuFault as fault:
                self._give_up(fault)

    def _finish(self, started: "_Started", following: "_Started | None" = None) -> NDArray[np.float32]:
        """The picture of a frame that was started: by the CPU where the GPU has failed since.

        Args:
            started: the frame.
            following: one that the GPU begins with as soon as it is done with this one.
        """
        picture = self._picture(started, following)
        if following is not None:
            self._send(following)
        return picture

    def _picture(self, started: "_Started", following: "_Started | None") -> NDArray[np.float32]:
        if started.frame.blur_strength == 0:
            return started.frame.pixels
        if self.device is not None and started.job is not None:
            try:
                taking = self._with_source(started.frame.pixels)
                try:
                    begin = lambda: self._send(following) if following is not None else None  # noqa: E731
                    return self.passes.finished(started.job, started.submitted, taking, begin)
                except HasLamps:
                    self._frames_with_lamps = _FRAMES_TO_ASK_AGAIN
                    if following is not None:
                        self._send(following)  # this frame takes the place of what it was taken over to
                    job = self.job_of(started.frame)
                    return self.passes.finished(job, self.passes.prepared(job, again=True).send(), taking)
            except GpuFault as fault:
                self._give_up(fault)
        return super().render_frame(started.frame)

    def _with_source(self, source: NDArray[np.float32]) -> Taking:
        """Takes rows of a picture, and what is in focus and not covered from the very samples of the source."""

        def take(rows: Any, target: NDArray[np.float32], first: int) -> None:
            def of_stripe(top: int) -> None:
                stripe = slice(top, top + _ROWS_AT_ONCE)
                of_source = source[:, first + top : first + top + _ROWS_AT_ONCE]
                if rows.dtype == np.uint16:
                    _take_codes(rows[stripe], of_source, target[:, stripe])
                else:
                    _take_rows(rows[:, stripe], of_source, target[:, stripe])

            self._workers.each(range(0, target.shape[1], _ROWS_AT_ONCE), of_stripe)

        return take

    def _give_up(self, fault: GpuFault) -> None:
        """The CPU goes on.

        Raises:
            InputError: it may not.
            GpuFault: faults are raised as they are.
        """
        if self._raises:
            raise fault
        self.device = None
        if not self._falls_back:
            raise InputError(f"--device gpu: {fault}; use --device cpu, or auto") from fault
        if self._notice is not None:
            self._notice(f"the GPU failed, and the CPU goes on: {fault}")

    def _job(self, frame: RenderInput, inner: Inner, focus_px: float | None) -> FrameJob:
        unlayered = self._unlayered(frame, inner)
        if unlayered is not None:
            window = (inner[1].start, inner[1].stop, inner[2].start, inner[2].stop)
            cut = self._cut(window[1] - window[0], window[3] - window[2], inner)
            samples, blocks, glow, shift_px = unlayered, None, None, unlayered.params.shift_px
            passes = passes_of(shift_px)
        else:
            image = self._layered(frame, inner)
            of_image = image.samples(inner[1].start)
            window = of_image.window
            cut = self._cut(window[1] - window[0], window[3] - window[2], inner)
            self._packed = samples = packed(of_image, image.farthest_px, self._workers, self._packed)
            passes = passes_of(image.shift_px)
            blocks = np.stack([of_image.surroundings, of_image.block_reach], axis=-1)
            glow = self._glow(image, of_image, cut, passes, focus_px)
        return FrameJob(
            samples=samples,
            blocks=blocks,
            window=window,
            shapes=self._shapes_of(cut),
            vignetting=cut,
            passes=passes,
            glow=glow,
            transfer=lookup_tables(self.transfer)[1],
            focus_px=focus_px,
        )

    def _unlayered(self, frame: RenderInput, inner: Inner) -> Unlayered | None:
        """A frame of which the GPU can make the layers; None where the CPU must.

        Raises:
            InputError: a circle of confusion wider than the frame.
        """
        if self.highlights.is_automatic or self._frames_with_lamps > 0 or self.device is None:
            self._frames_with_lamps = max(self._frames_with_lamps - 1, 0)
            return None
        given = Unlayered.of(
            frame,
            transfer=self.transfer,
            highlights=self.highlights,
            axial_chromatic=self.axial_chromatic,
            workers=self._workers,
        )
        self._require_within(given.params.widest_px, frame, inner)
        return given if given.fits(self.device) else None

    def _shapes_of(self, cut) -> Shapes:
        kept = None if cut is None else cut.kept
        if self._shapes is None or self._shapes[0] is not kept:
            self._shapes = kept, shapes_of(footprint(self.aperture, self.profile, LINEAR_LIMIT_PX), cut)
        return self._shapes[1]

    def _glow(self, image: LayeredImage, samples: Samples, cut, passes, focus_px: float | None):
        """Light of the lamps, which are few, from the CPU: ``(parts, rows, columns, 3)``, or None where there are none.

        Of channels that have focal planes of their own, each has its own.
        """
        if not len(samples.lamps[0]):
            return None
        top, bottom, left, right = samples.window
        rows = rows_of(footprint(self.aperture, self.profile, image.widest_px + abs(image.shift_px)), cut)
        parts = 1 if focus_px is None else 3
        glow = np.zeros((parts, bottom - top, right - left, 3), np.float32)
        tiles_across = -(-(right - left) // cpu.TILE_WIDTH)
        tiles = range(tiles_across * -(-(bottom - top) // cpu.TILE_HEIGHT))

        def shine(tile: int, channel: int, shift_px: np.float32) -> None:
            y, x = tile // tiles_across * cpu.TILE_HEIGHT, tile % tiles_across * cpu.TILE_WIDTH
            window = (top + y, min(top + y + cpu.TILE_HEIGHT, bottom), left + x, min(left + x + cpu.TILE_WIDTH, right))
            found = glow_of(window, samples, rows, shift_px, np.float32(-1 if focus_px is None else focus_px))
            if found.shape[0]:
                place = slice(y, y + found.shape[1]), slice(x, x + found.shape[2])
                of_channel = slice(None) if channel < 0 else slice(channel, channel + 1)
                glow[:, *place, of_channel] = found[..., of_channel]

        for channel, shift_px in passes:
            self._workers.each(tiles, lambda tile, channel=channel, shift_px=shift_px: shine(tile, channel, shift_px))
        return glow


@compiled(nogil=True)
def _take_rows(rows, source, target):
    """Copy ``(3, rows, columns)``, and from the source where values are below 0."""
    for c in range(rows.shape[0]):
        for y in range(rows.shape[1]):
            for x in range(rows.shape[2]):
                value = rows[c, y, x]
                target[c, y, x] = value if value >= 0 else source[c, y, x]


@compiled(nogil=True)
def _take_codes(rows, source, target):
    """The same of ``(rows, columns, 4)``; the last is not 0 where a pixel stays as it is."""
    for y in range(rows.shape[0]):
        for x in range(rows.shape[1]):
            for c in range(3):
                target[c, y, x] = rows[y, x, c] * np.float32(1 / 65535) if rows[y, x, 3] == 0 else source[c, y, x]


@dataclass(frozen=True, slots=True, eq=False)
class _Started:
    """A frame that was taken over, or one that the CPU will render.

    Attributes:
        frame: as it was given.
        job, prepared, submitted: what ``FramePasses`` has of it; None, and nothing, where the CPU renders it.
    """

    frame: RenderInput
    job: FrameJob | None = None
    prepared: Prepared | None = None
    submitted: list[Submitted] = field(default_factory=list)
