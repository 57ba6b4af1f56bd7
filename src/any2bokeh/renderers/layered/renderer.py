"""The layered engine behind the renderer interface."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from any2bokeh.errors import InputError
from any2bokeh.optics.aperture import Aperture, Disc, Polygon
from any2bokeh.optics.coc import REFERENCE_LONG_SIDE_PX
from any2bokeh.optics.footprint import footprint
from any2bokeh.optics.highlights import Highlights
from any2bokeh.optics.profile import BokehProfile
from any2bokeh.optics.transfer import Transfer, lookup_tables
from any2bokeh.optics.vignetting import Vignetting, VignettingTable, vignetting_table
from any2bokeh.renderers.base import RenderInput
from any2bokeh.renderers.layered import cpu
from any2bokeh.renderers.layered.ahead import Ahead
from any2bokeh.renderers.layered.bins import depth_bin, with_rounding
from any2bokeh.renderers.layered.layered_image import LayeredImage, Samples
from any2bokeh.renderers.layered.rows import Rows, rows_of
from any2bokeh.renderers.layered.separation import separate_tile
from any2bokeh.renderers.layered.strips import MOST_PX, RaisedLamps, Strip, strips_of
from any2bokeh.renderers.layered.surround import Inner, inner_part, with_surround
from any2bokeh.renderers.layered.workers import Workers

SHARP_PX = 1.5
"""Radius, in a frame of 1024 px, up to which ``render_separated`` counts a sample as in focus."""

# Circles of confusion of so many longer sides of the frame are refused before the frame is layered; below, what is
# rendered decides, which may be nearer to the focal plane than the map is.
_MOST_FRAMES = 4
_MOST_TOLD_PX = 1e9  # larger numbers are told as powers of ten


class LayeredRenderer:
    """Deterministic thin-lens renderer: disparity layers, exact aperture shapes, occlusion, linear light.

    The result does not depend on the number of threads. Memory is kept from frame to frame; nothing else is.

    Args:
        aperture: shape of the aperture.
        profile: how light lies within a disc.
        vignetting: what it cuts off towards the corners.
        axial_chromatic: axial chromatic aberration in [-0.2, 0.2]: how much farther, in disparity, the focal plane of
            red lies than that of green, and that of blue nearer. Fringes of what is in front and of what is behind
            have opposite colours.
        highlights: how clipped light is raised; only for transfers that clip at white. Lamps alone (``auto``) are
            raised where the transfer is ``srgb``, and nothing is elsewhere.
        transfer: how code values stand for light.
        threads: how many threads render; all cores by default.

    Attributes:
        image: the last frame in layers, overwritten by the next; of a large one, which is layered strip by strip,
            nothing is kept.
        within: see ``TellsWithin``.
        most_px: frames of more pixels are layered strip by strip.
    """

    window = 1
    overlap = 0
    takes_hidden = True

    def __init__(
        self,
        *,
        aperture: Aperture | None = None,
        profile: BokehProfile | None = None,
        vignetting: Vignetting | None = None,
        axial_chromatic: float = 0.0,
        highlights: Highlights | None = None,
        transfer: Transfer = "srgb",
        threads: int | None = None,
    ) -> None:
        if not -0.2 <= axial_chromatic <= 0.2:
            raise InputError(f"axial chromatic aberration is {axial_chromatic:g}; it lies in -0.2 to 0.2 of disparity")
        self.aperture = aperture or Disc()
        self.profile = profile or BokehProfile()
        self.vignetting = vignetting or Vignetting()
        self.axial_chromatic = axial_chromatic
        self.highlights = highlights or Highlights()
        if self.highlights.is_automatic and transfer != "srgb":
            self.highlights = Highlights()
        if self.highlights.fixed_gain > 0 and transfer not in ("srgb", "none"):
            raise InputError(
                f"highlight gain is {self.highlights.fixed_gain:g}, but a source of transfer {transfer} holds its "
                "highlights; leave it out"
            )
        self.transfer: Transfer = transfer
        self._workers = Workers(threads)
        self.image: LayeredImage | None = None
        self.within: Callable[[float], None] | None = None
        self.most_px = MOST_PX
        self._vignetting_table: tuple[tuple[int, int], VignettingTable] | None = None

    @property
    def threads(self) -> int:
        return self._workers.threads

    @property
    def blades(self) -> int | None:
        """Of the iris; None where it is round or a picture."""
        return self.aperture.blades if isinstance(self.aperture, Polygon) else None

    def separator(self) -> "LayeredRenderer":
        """Another with the same lens, with threads and memory of its own; see ``RendersSeparated``."""
        return LayeredRenderer(
            aperture=self.aperture,
            profile=self.profile,
            vignetting=self.vignetting,
            axial_chromatic=self.axial_chromatic,
            highlights=self.highlights,
            transfer=self.transfer,
            threads=self.threads,
        )

    def render(self, inputs: Iterable[RenderInput]) -> Iterator[NDArray[np.float32]]:
        ahead = Ahead()
        with closing(ahead):
            ahead.begin()
            for frame in inputs:
                if frame.blur_strength != 0:
                    ahead.wait()
                yield self.render_frame(frame)

    def render_frame(self, frame: RenderInput) -> NDArray[np.float32]:
        """Render one frame: ``(3, H, W)`` float32. The input's own array where the blur strength is 0.

        Raises:
            InputError: a circle of confusion wider than the frame.
        """
        if frame.blur_strength == 0:
            return frame.pixels
        _, encode = lookup_tables(self.transfer)

        def rendered(strip: Strip) -> NDArray[np.float32]:
            job = self._prepared(strip)
            result = np.empty_like(job.image.pixels)
            for channel, shift in job.passes:
                self._workers.each(
                    range(job.tiles),
                    lambda tile, sums, channel=channel, shift=shift: cpu.render_tile(
                        tile, job.image.pixels, job.samples, job.rows, encode, channel, shift, sums, result
                    ),
                    workspace=lambda: cpu.new_accumulator(job.slots),
                )
            return result[strip.inner]

        return self._by_strips(frame, (3,), rendered)

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
        focus_px = np.float32(max(SHARP_PX * max(width, height) / REFERENCE_LONG_SIDE_PX, 1.0))

        def separated(strip: Strip) -> NDArray[np.float32]:
            job = self._prepared(strip)
            parts = np.empty((3, 4, *job.image.kind.shape), np.float32)
            for channel, shift in job.passes:
                self._workers.each(
                    range(job.tiles),
                    lambda tile, sums, channel=channel, shift=shift: separate_tile(
                        tile, job.samples, job.rows, channel, shift, focus_px, sums, parts
                    ),
                    workspace=lambda: cpu.new_accumulator(job.slots),
                )
            return parts[:, *strip.inner]

        return self._by_strips(frame, (3, 4), separated)

    def _by_strips(
        self, frame: RenderInput, planes: tuple[int, ...], render: Callable[[Strip], NDArray[np.float32]]
    ) -> NDArray[np.float32]:
        """``(*planes, H, W)`` of a frame, one strip after the other."""
        inner, whole = inner_part(frame), with_surround(frame)
        self._require_layerable(whole, inner)
        result = None
        strips = strips_of(
            whole,
            inner,
            transfer=self.transfer,
            highlights=self.highlights,
            axial_chromatic=self.axial_chromatic,
            workers=self._workers,
            most_px=self.most_px,
        )
        for strip in strips:
            if strip.share == 1 and result is None:
                return np.ascontiguousarray(render(strip))
            if result is None:
                result = np.empty((*planes, *frame.pixels.shape[1:]), np.float32)
            rows = slice(strip.inner[1].start - strip.whole[1].start, strip.inner[1].stop - strip.whole[1].start)
            result[..., rows, :] = render(strip)
            if self.within is not None:
                self.within(strip.share)
            del strip  # before the next is cut out: not two of them at once
        self.image = None  # the first strip of the next has another size, and what is to be written needs the memory
        assert result is not None
        return result

    def _prepared(self, strip: Strip) -> "_Job":
        """The layered depth image of a strip, and what the tiles of its inner part are rendered with.

        Raises:
            InputError: a circle of confusion wider than the frame.
        """
        image = self._layered(strip.frame, strip.whole, strip.first_row, strip.raised)
        top, bottom, left, right = strip.window
        _, rows, columns = strip.whole
        shift_px = np.float32(image.shift_px)
        most = image.widest_px + abs(float(shift_px))
        cut = self._cut(rows.stop - rows.start, columns.stop - columns.start, strip.whole)
        far_bin, near_bin = (depth_bin(np.float32(end)) for end in with_rounding(image.farthest_px, image.nearest_px))
        return _Job(
            image=image,
            samples=image.samples()._replace(window=strip.window),
            rows=rows_of(footprint(self.aperture, self.profile, most), cut),
            slots=near_bin - far_bin + 1,
            tiles=-(-(bottom - top) // cpu.TILE_HEIGHT) * -(-(right - left) // cpu.TILE_WIDTH),
            passes=passes_of(image.shift_px),
        )

    def _layered(
        self, frame: RenderInput, inner: Inner, first_row: int = 0, raised: RaisedLamps | None = None
    ) -> LayeredImage:
        """The layered depth image of a frame, or a strip of it, kept in ``image``.

        Raises:
            InputError: a circle of confusion wider than the frame.
        """
        height, width = frame.pixels.shape[1:]
        if self.image is not None and self.image.kind.shape != (height, width):
            self.image = None  # of no use for this size: not two of them at once
        image = LayeredImage.of(
            frame,
            transfer=self.transfer,
            highlights=self.highlights,
            axial_chromatic=self.axial_chromatic,
            workers=self._workers,
            reuse=self.image,
            first_row=first_row,
            raised=raised,
        )
        self.image = image
        self._require_within(image.widest_px, frame, inner)
        return image

    def _require_layerable(self, frame: RenderInput, inner: Inner) -> None:
        """Refuse circles of confusion far wider than the inner part, for which tables would take all memory."""
        focus, longest = frame.focus_disparity, max(side.stop - side.start for side in inner[1:])
        away = max(float(frame.disparity.max()) - focus, focus - float(frame.disparity.min()))
        widest_px = away * frame.blur_strength * max(frame.pixels.shape[1:]) / REFERENCE_LONG_SIDE_PX
        if widest_px > _MOST_FRAMES * longest:
            self._require_within(widest_px, frame, inner)

    def _require_within(self, widest_px: float, frame: RenderInput, inner: Inner) -> None:
        """Refuse a circle of confusion wider than the inner part of a frame."""
        height, width = frame.pixels.shape[1:]
        inner_height, inner_width = (side.stop - side.start for side in inner[1:])
        longest = max(inner_width, inner_height)
        if widest_px > longest:
            told_px = f"{widest_px:.0f}" if widest_px < _MOST_TOLD_PX else f"{widest_px:g}"
            raise InputError(
                f"blur strength {frame.blur_strength * max(width, height) / longest:g} makes a circle of confusion of "
                f"{told_px} px in a frame of {inner_width}x{inner_height}; lower it, at most the longer side fits"
            )

    def _cut(self, height: int, width: int, inner: Inner) -> VignettingTable | None:
        if self.vignetting.is_open:
            return None
        if self._vignetting_table is None or self._vignetting_table[0] != (height, width):
            table = vignetting_table(self.vignetting, self.aperture, self.profile, height, width)
            self._vignetting_table = (height, width), table
        numbers, kept = self._vignetting_table[1]
        # The centre of the lens is that of the inner part.
        return VignettingTable(numbers + np.array([0, 0, inner[1].start, inner[2].start, 0], np.float32), kept)


def passes_of(shift_px: float) -> tuple[tuple[int, np.float32], ...]:
    """Channel and shift of each rendering: red, green and blue have focal planes of their own, or share one."""
    shift = np.float32(shift_px)
    return ((-1, np.float32(0)),) if shift == 0 else ((0, shift), (1, np.float32(0)), (2, -shift))


@dataclass(frozen=True, slots=True, eq=False)
class _Job:
    """A frame ready to be rendered tile by tile; ``samples`` and ``rows`` as ``cpu.render_tile`` takes them.

    Attributes:
        image: the frame in layers.
        slots: bins that may occur in it.
        tiles: how many there are.
        passes: ``(channel, shift_px)`` of each rendering.
    """

    image: LayeredImage
    samples: Samples
    rows: Rows
    slots: int
    tiles: int
    passes: tuple[tuple[int, np.float32], ...]
