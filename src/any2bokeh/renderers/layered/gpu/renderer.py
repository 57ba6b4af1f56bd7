"""The layered engine on a GPU, behind the same interface as the CPU's."""

import math
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
from any2bokeh.renderers.layered.blocks import BLOCK
from any2bokeh.renderers.layered.gpu.device import Device, GpuFault
from any2bokeh.renderers.layered.gpu.frame_passes import FrameJob, FramePasses, Prepared, Submitted, Taking
from any2bokeh.renderers.layered.gpu.shapes import LampShapes, Shapes, lamp_shapes_of, largest_px, shapes_of
from any2bokeh.renderers.layered.gpu.unlayered import EXTRA_WORDS, MOST_PX, Depths, Unlayered
from any2bokeh.renderers.layered.renderer import SHARP_PX, LayeredRenderer, passes_of
from any2bokeh.renderers.layered.strips import Strip, raised_lamps, strips_of
from any2bokeh.renderers.layered.surround import inner_part, with_surround

_ROWS_AT_ONCE = 64
_LEVEL_PIXELS_BESIDE = 6
"""So many pixels of a level a gathered sum reads beyond the radius."""


class GpuRenderer(LayeredRenderer):
    """``LayeredRenderer`` on a GPU.

    Where the layers of a frame do not fit into a buffer of the GPU, they are made strip by strip. Where the GPU fails,
    the CPU renders that frame and all that follow, if it may.

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

    window = 2  # the next frame goes over while the GPU renders

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
        self._shapes: tuple[object, float, Shapes] | None = None
        self._lamp_shapes: tuple[object, object, LampShapes] | None = None

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
                height, width = frame.pixels.shape[1:]
                focus_px = max(SHARP_PX * max(width, height) / REFERENCE_LONG_SIDE_PX, 1.0)
                return self._by_strips_of(frame, focus_px).reshape(3, 4, height, width)
            except GpuFault as fault:
                self._give_up(fault)
        return super().render_separated(frame)

    def job_of(self, frame: RenderInput) -> FrameJob:
        """What the device is given of a frame whose blur strength is above 0, in one piece.

        Raises:
            InputError: a circle of confusion wider than the frame.
        """
        inner, whole = inner_part(frame), with_surround(frame)
        self._require_layerable(whole, inner)
        return self._job(Strip(whole, inner, inner), None)

    def _start(self, frame: RenderInput) -> "_Started":
        """Take a frame over to the GPU."""
        if self.device is not None and frame.blur_strength != 0:
            try:
                if not self._fits(frame):
                    return _Started(frame, is_divided=True)
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
        if self.device is not None and (started.is_divided or started.job is not None):
            try:
                if started.job is None:
                    return self._by_strips_of(started.frame, None)
                begin = lambda: self._send(following) if following is not None else None  # noqa: E731
                taking = self._with_source(started.frame.pixels)
                return self.passes.finished(started.job, started.submitted, taking, begin)
            except GpuFault as fault:
                self._give_up(fault)
        return super().render_frame(started.frame)

    def _fits(self, frame: RenderInput) -> bool:
        """Whether the layers of a frame with its margin fit into the buffers of the device, in one piece."""
        height, width = frame.pixels.shape[1:]
        margin = 0 if frame.hidden is None else frame.hidden.margin_px
        return (height + 2 * margin) * (width + 2 * margin) <= self._most_px

    @property
    def _most_px(self) -> int:
        return min(self.passes.most_bytes // (4 * EXTRA_WORDS), MOST_PX)

    def _by_strips_of(self, frame: RenderInput, focus_px: float | None) -> NDArray[np.float32]:
        """A picture, or ``(12, H, W)`` of it taken apart, strip by strip; one that is all of it if it fits."""
        inner, whole = inner_part(frame), with_surround(frame)
        self._require_layerable(whole, inner)
        depths = Depths.of(whole)
        long_side = max(whole.pixels.shape[1:])
        px_per_disparity = whole.blur_strength * long_side / REFERENCE_LONG_SIDE_PX
        widest = max(abs(end - whole.focus_disparity) for end in depths.all) + abs(self.axial_chromatic)
        # A pixel of the highest level: strips begin where such a pixel does.
        across = 2 ** max(math.ceil(math.log2(max(px_per_disparity * widest, 1.0) / LINEAR_LIMIT_PX)), 0)
        strips = strips_of(
            whole,
            inner,
            transfer=self.transfer,
            highlights=self.highlights,
            axial_chromatic=self.axial_chromatic,
            workers=self._workers,
            most_px=self._most_px,
            align_px=max(BLOCK, across),
            reach_px=_LEVEL_PIXELS_BESIDE * across,
        )
        result = np.empty((3 if focus_px is None else 12, *frame.pixels.shape[1:]), np.float32)
        for strip in strips:
            rows = slice(strip.inner[1].start - strip.whole[1].start, strip.inner[1].stop - strip.whole[1].start)
            job = self._job(strip, focus_px, depths)
            taking = self._with_source(frame.pixels[:, rows]) if focus_px is None else None
            result[:, rows] = self.passes.finished(job, self.passes.submit(job), taking)
            if self.within is not None and strip.share < 1:
                self.within(strip.share)
        return result

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

    def _job(self, strip: Strip, focus_px: float | None, depths: Depths | None = None) -> FrameJob:
        """What the device is given of a frame, or of a strip of one whose range of disparity is ``depths``.

        Raises:
            InputError: a circle of confusion wider than the frame.
        """
        raised = strip.raised
        if raised is None and self.highlights.is_automatic:
            raised = raised_lamps(strip.frame, self.transfer, self.highlights, self._workers)
        samples = Unlayered.of(
            strip.frame,
            transfer=self.transfer,
            highlights=self.highlights,
            axial_chromatic=self.axial_chromatic,
            workers=self._workers,
            raised=raised and raised.of_rows(strip.first_row, strip.frame.pixels.shape[1]),
            depths=depths,
        )
        self._require_within(samples.params.widest_px, strip.frame, strip.whole)
        _, rows, columns = strip.whole
        cut = self._cut(rows.stop - rows.start, columns.stop - columns.start, strip.whole)
        most_px = max(abs(samples.nearest_px), abs(samples.farthest_px)) + abs(samples.params.shift_px)
        return FrameJob(
            samples=samples,
            window=strip.window,
            shapes=self._shapes_of(most_px, cut),
            lamp_shapes=self._lamp_shapes_of(most_px, cut),
            vignetting=cut,
            passes=passes_of(samples.params.shift_px),
            transfer=lookup_tables(self.transfer)[1],
            focus_px=focus_px,
        )

    def _shapes_of(self, most_px: float, cut) -> Shapes:
        kept = None if cut is None else cut.kept
        if self._shapes is not None and self._shapes[0] is kept:
            _, largest, held = self._shapes
            if largest >= largest_px(held.limits, most_px):
                return held
        made = shapes_of(self.aperture, self.profile, cut, most_px)
        self._shapes = kept, largest_px(made.limits, most_px), made
        return made

    def _lamp_shapes_of(self, most_px: float, cut) -> LampShapes:
        drawn, kept = footprint(self.aperture, self.profile, most_px), None if cut is None else cut.kept
        if self._lamp_shapes is None or self._lamp_shapes[0] is not drawn or self._lamp_shapes[1] is not kept:
            self._lamp_shapes = drawn, kept, lamp_shapes_of(drawn, cut)
        return self._lamp_shapes[2]


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
    """A frame that was taken over, or one that will be rendered strip by strip, or by the CPU.

    Attributes:
        frame: as it was given.
        job, prepared, submitted: what ``FramePasses`` has of it; None, and nothing, where it was not taken over.
        is_divided: whether it is too large to be taken over in one piece.
    """

    frame: RenderInput
    job: FrameJob | None = None
    prepared: Prepared | None = None
    submitted: list[Submitted] = field(default_factory=list)
    is_divided: bool = False
