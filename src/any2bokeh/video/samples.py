"""Native samples of a decoder or encoder, to and from float RGB planes."""

from dataclasses import dataclass
from typing import Any

import av
import numpy as np
from av.video.reformatter import ColorRange, Interpolation, VideoReformatter
from numpy.typing import NDArray

from any2bokeh.video.alpha import Alpha, alpha_bits, alpha_of, put_alpha
from any2bokeh.video.codes import normalised, quantised
from any2bokeh.video.color import YuvCoding, decode_matrix, encode_matrix
from any2bokeh.video.dither import dithered_codes, needs_dither, noise_rows
from any2bokeh.video.orientation import Orientation
from any2bokeh.video.pixel_layout import PixelLayout, canonical_layout
from any2bokeh.video.yuv import Plane, decode_yuv, encode_yuv

Pixels = NDArray[np.float32]

# Planes of FFmpeg's planar RGB lie in the order G, B, R.
_RGB_PLANES = (2, 0, 1)


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """The samples of one picture as they were coded, in a planar layout, turned as displayed; alpha beside them."""

    frame: av.VideoFrame
    layout: PixelLayout
    alpha: Alpha | None = None

    def planes(self) -> tuple[Plane, ...]:
        """``(rows, stride)`` arrays that share the frame's memory; the stride includes padding."""
        return tuple(whole_plane(self.frame, index, self.layout.bits) for index in range(self.layout.plane_count))


class SampleReader:
    """Decoder frames to ``Samples`` and float RGB. One for each thread."""

    def __init__(self, coding: YuvCoding, orientation: Orientation) -> None:
        self._coding = coding
        self._orientation = orientation
        self._reformatter = VideoReformatter()

    def samples(self, native: av.VideoFrame) -> Samples:
        """The same samples in a planar layout, turned as displayed."""
        alpha = alpha_of(native)
        bits = max(component.bits for component in native.format.components)
        layout = canonical_layout(native.format.name, bits, is_rgb=native.format.is_rgb or native.format.name == "pal8")
        if _without_alpha(native.format.name) == layout.name != native.format.name:
            # Not by FFmpeg, whose conversion of 10-bit RGB to the same without alpha is broken (seen in 8.1).
            native = _same_planes(native, layout, layout.name)
        elif native.format.name not in (layout.name, layout.name.replace("yuv4", "yuvj4")):
            # Bits are only moved here, never computed, except for layouts that have no planar twin.
            color_range = ColorRange.JPEG if self._coding.full_range or layout.family != "yuv" else ColorRange.MPEG
            native = self._reformatter.reformat(
                native, format=layout.name, src_color_range=color_range, dst_color_range=color_range,
                interpolation=Interpolation.BILINEAR | Interpolation.ACCURATE_RND, threads=1,
            )  # fmt: skip
        if self._orientation.is_identity:
            return Samples(native, layout, alpha)
        return _turned(Samples(native, layout, alpha), self._orientation)

    def pixels(self, samples: Samples) -> Pixels:
        """``(3, H, W)`` float32 RGB in [0, 1]."""
        layout, planes = samples.layout, samples.planes()
        height, width = samples.frame.height, samples.frame.width
        if layout.family == "yuv":
            matrix, offset = decode_matrix(self._coding, layout.bits)
            return decode_yuv((planes[0], planes[1], planes[2]), (height, width), layout.subsampling, matrix, offset)
        pixels = np.empty((3, height, width), np.float32)
        if layout.family == "gray":
            low, span = _gray_range(self._coding, layout.bits)
            pixels[:] = np.clip((planes[0][:, :width] - np.float32(low)) / np.float32(span), 0, 1)
            return pixels
        for channel, plane in enumerate(_RGB_PLANES):
            normalised(planes[plane][:, :width], layout.bits, pixels[channel])
        return pixels


class SampleWriter:
    """Float RGB to encoder frames of one pixel format. One for each thread.

    Frames may be one sample wider or higher than the pictures, where an encoder wants even sides: the edge is repeated.
    """

    def __init__(self, pixel_format: str, coding: YuvCoding, size: tuple[int, int] | None = None) -> None:
        self.pixel_format = pixel_format
        self._size = size
        self._has_alpha = alpha_bits(pixel_format) > 0
        components = av.VideoFormat(pixel_format).components
        self._layout = canonical_layout(
            pixel_format, max(component.bits for component in components), is_rgb=av.VideoFormat(pixel_format).is_rgb
        )
        self._coding = coding
        self._reformatter = VideoReformatter()

    def untouched(self, samples: Samples) -> av.VideoFrame | None:
        """An encoder frame with these very samples; None where the pixel format cannot hold them."""
        if samples.layout != self._layout:
            return None
        return self._packed(_copied(samples, self._size), samples.frame.width, samples.frame.height, samples.alpha)

    def encoded(
        self,
        pixels: Pixels,
        source_pixels: Pixels,
        source: Samples | None,
        *,
        alpha: Alpha | None = None,
        index: int = 0,
    ) -> av.VideoFrame:
        """An encoder frame of ``pixels``; samples whose pixels equal ``source_pixels`` are taken from ``source``.

        Alpha is that of ``source``, or the one given. Pixels that do not equal ``source_pixels`` are dithered where the
        samples have 8 bits; ``index`` is that of the frame in its clip.
        """
        height, width = pixels.shape[1:]
        layout = self._layout
        result = Samples(av.VideoFrame(*(self._size or (width, height)), layout.name), layout)
        planes = result.planes()
        changed = None
        if needs_dither(layout.bits) and source_pixels is not pixels and layout.family != "yuv":
            changed = (pixels != source_pixels).any(axis=0)
        if layout.family == "yuv":
            matrix, offset = encode_matrix(self._coding, layout.bits)
            untouched = noise = None
            if source_pixels is not pixels:
                old = source.planes() if source is not None and source.layout == layout else None
                untouched = (source_pixels, None if old is None else (old[0], old[1], old[2]))
                noise = noise_rows(index, width) if needs_dither(layout.bits) else None
            encode_yuv(
                np.ascontiguousarray(pixels, np.float32), (planes[0], planes[1], planes[2]), layout.subsampling,
                matrix, offset, layout.bits, untouched, noise,
            )  # fmt: skip
        elif layout.family == "gray":
            low, span = _gray_range(self._coding, layout.bits)
            luma = encode_matrix(YuvCoding(self._coding.matrix, True), 8)[0][0] / 255
            codes = np.tensordot(luma, np.clip(pixels, 0, 1), axes=1) * span + low
            if changed is not None:
                tile = noise_rows(index, width)[0]
                codes = np.clip(codes + tile[np.arange(height) % len(tile)] * changed, 0, 255)
            planes[0][:, :width] = np.rint(codes)
        else:
            coded = (
                [quantised(plane, layout.bits) for plane in pixels]
                if changed is None
                else dithered_codes(pixels, changed, index)
            )
            for channel, plane in enumerate(_RGB_PLANES):
                planes[plane][:, :width] = coded[channel]
        return self._packed(result, width, height, alpha if source is None else source.alpha)

    def _packed(self, samples: Samples, width: int, height: int, alpha: Alpha | None) -> av.VideoFrame:
        if (samples.frame.width, samples.frame.height) != (width, height):
            _repeat_edges(samples, width, height)
        if samples.layout.name == self.pixel_format.replace("yuvj", "yuv"):
            return samples.frame
        if self._has_alpha and samples.layout.name == _without_alpha(self.pixel_format):
            packed = _same_planes(samples.frame, samples.layout, self.pixel_format)
        else:
            packed = self._reformatter.reformat(samples.frame, format=self.pixel_format, threads=1)
        if self._has_alpha:
            put_alpha(packed, alpha)
        return packed


def whole_plane(frame: av.VideoFrame, index: int, bits: int) -> Plane:
    """``(rows, stride)`` array on the memory of one plane."""
    plane: Any = frame.planes[index]
    samples: Any = np.frombuffer(plane, np.uint8 if bits == 8 else np.uint16)
    stride = plane.line_size // samples.itemsize
    return samples[: stride * plane.height].reshape(plane.height, stride)


def _gray_range(coding: YuvCoding, bits: int) -> tuple[int, int]:
    unit = 1 << (bits - 8)
    return (0, (1 << bits) - 1) if coding.full_range else (16 * unit, 219 * unit)


def _copied(samples: Samples, size: tuple[int, int] | None) -> Samples:
    # The encoder must not see the decoder's frame: it carries picture type, side data and time stamps of the source,
    # and encoders heed them.
    width, height = size or (samples.frame.width, samples.frame.height)
    copy = Samples(av.VideoFrame(width, height, samples.layout.name), samples.layout)
    for index, (old, new) in enumerate(zip(samples.planes(), copy.planes(), strict=True)):
        width = samples.frame.planes[index].width
        new[: len(old), :width] = old[:, :width]
    return copy


def _without_alpha(pixel_format: str) -> str:
    """FFmpeg's name of the format that has the same planes but for alpha."""
    return pixel_format.replace("yuva4", "yuv4").replace("gbrap", "gbrp")


def _same_planes(frame: av.VideoFrame, layout: PixelLayout, pixel_format: str) -> av.VideoFrame:
    """The planes of ``layout`` in a frame of a format that has one more for alpha, or one less."""
    other = av.VideoFrame(frame.width, frame.height, pixel_format)
    for index in range(layout.plane_count):
        width = frame.planes[index].width
        whole_plane(other, index, layout.bits)[:, :width] = whole_plane(frame, index, layout.bits)[:, :width]
    return other


def _repeat_edges(samples: Samples, width: int, height: int) -> None:
    """Fill what lies beyond ``width`` and ``height`` in planes that are a little larger."""
    for index, plane in enumerate(samples.planes()):
        down, across = samples.layout.subsampling if samples.layout.family == "yuv" and index else (0, 0)
        rows, columns = (height + down) >> down, (width + across) >> across
        plane[:rows, columns:] = plane[:rows, columns - 1 : columns]
        plane[rows:] = plane[rows - 1]


def _turned(samples: Samples, orientation: Orientation) -> Samples:
    frame, layout = samples.frame, samples.layout
    width, height = (frame.height, frame.width) if orientation.transpose else (frame.width, frame.height)
    if orientation.transpose:
        layout = PixelLayout(layout.family, layout.bits, (layout.subsampling[1], layout.subsampling[0]))
    alpha = None if samples.alpha is None else samples.alpha.turned(orientation)
    turned = Samples(av.VideoFrame(width, height, layout.name), layout, alpha)
    for index, (old, new) in enumerate(zip(samples.planes(), turned.planes(), strict=True)):
        picture = orientation.apply(old[:, : frame.planes[index].width])
        new[:, : picture.shape[1]] = picture
    return turned
