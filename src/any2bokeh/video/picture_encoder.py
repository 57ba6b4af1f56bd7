"""Pictures of a clip through the encoder of a video file: packets with time stamps."""

import os
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.container import OutputContainer
from av.packet import Packet
from numpy.typing import NDArray

from any2bokeh.errors import InputError
from any2bokeh.video.alpha import Alpha, alpha_bits
from any2bokeh.video.codes import quantised
from any2bokeh.video.color import result_coding, source_coding
from any2bokeh.video.encoder_options import encoder_options, told_rate
from any2bokeh.video.encoding import Encoding, choose_codec, choose_pixel_format, written_size
from any2bokeh.video.frame import Frame
from any2bokeh.video.info import VideoInfo
from any2bokeh.video.part import Part
from any2bokeh.video.pixel_layout import canonical_layout
from any2bokeh.video.samples import Samples, SampleWriter

_RANGES = {None: 0, False: 1, True: 2}


class PictureEncoder:
    """Encodes the pictures of one result, or of a part of it that is joined to others later.

    Args:
        path: the result; its extension says the container.
        info: of the source.
        encoding: see ``Encoding``.
        part: what of the source the result is.

    Attributes:
        path: as given.
        codec, pixel_format, size, tags: of the result.
        stream: of the container that pictures go to; None before ``add_to``.

    Raises:
        InputError: the container cannot hold the codec, or the codec the source.
    """

    def __init__(self, path: Path, info: VideoInfo, encoding: Encoding, part: Part) -> None:
        self.path = path
        extension = path.suffix.lower()
        self.codec = choose_codec(encoding, info, extension)
        self.pixel_format = choose_pixel_format(self.codec, encoding, info, extension)
        video_format = av.VideoFormat(self.pixel_format)
        bits = max(component.bits for component in video_format.components)
        family = canonical_layout(self.pixel_format, bits, is_rgb=video_format.is_rgb).family
        # Decoders take all of ProRes for limited range, whatever the file says.
        coding, self.tags = result_coding(info, family, is_limited=self.codec.name == "prores")
        self._has_same_range = family == "rgb" or coding.full_range == source_coding(info).full_range
        if info.sample_aspect != 1 and extension in (".mkv", ".webm") and self.codec.name not in ("h264", "hevc"):
            # Only H.264 and HEVC carry it themselves, and the Matroska muxer takes it from where PyAV cannot put it.
            others = [f"write {extension}" for extension in self.codec.extensions if extension in (".mp4", ".mov")]
            raise InputError(
                f"{path} cannot hold the pixel aspect {info.sample_aspect} of {info.path} with codec "
                f"{self.codec.name}; "
                f"{' or '.join([*others, 'choose codec h264 (lossless at quality 0) and write .mkv'])}"
            )
        self._extension = extension
        self._info = info
        self._encoding = encoding
        self._part = part
        self.size = written_size(self.codec, self.pixel_format, info)
        self._writer = SampleWriter(self.pixel_format, coding, self.size)
        self._last_pts: int | None = None
        self._durations: dict[int, int] = {}
        self.stream: Any = None

    def add_to(self, container: OutputContainer, parameters: dict[str, str]) -> Any:
        """Make the stream that pictures go to.

        Args:
            container: where it is.
            parameters: of x264 and x265, beside those that the encoding stands for.
        """
        info, tags, codec = self._info, self.tags, self.codec
        stream: Any = container.add_stream(codec.encoder, rate=told_rate(info))
        context = stream.codec_context
        context.width, context.height = self.size
        context.pix_fmt = self.pixel_format
        context.time_base = info.time_base
        context.sample_aspect_ratio = info.sample_aspect
        if codec.name == "hevc" and self._extension in (".mp4", ".mov") and container.format.name in ("mp4", "mov"):
            context.codec_tag = "hvc1"  # the one of HEVC's two tags that Apple's players know
        context.color_primaries, context.color_trc, context.colorspace = tags.primaries, tags.transfer, tags.matrix
        context.color_range = _RANGES[tags.full_range]
        context.thread_count = encoder_threads(self._encoding)
        if codec.name == "h264" and tags.full_range is False:
            # x264 leaves a limited range out, where nothing else is told of the pictures, but not beside this.
            parameters["videoformat"] = "component"
        frame_count = self._part.stop - self._part.start
        context.options = encoder_options(
            codec, self._encoding, context.thread_count, self.pixel_format, self.size, frame_count, parameters
        )
        if codec.name == "vp9" and alpha_bits(self.pixel_format):
            stream.metadata["alpha_mode"] = "1"
        self.stream = stream
        return stream

    def packets(self, frame: Frame, pixels: NDArray[np.float32], origin_s: Fraction) -> list[Packet]:
        """What the encoder gives once it has the next picture.

        Args:
            frame: whose time stamp it has.
            pixels: ``(3, H, W)``; see ``VideoSink.write``.
            origin_s: what the result's clock calls 0, on the source's clock.
        """
        picture = self.picture(frame, pixels)
        picture.pts = self._time_stamp(frame, origin_s)
        picture.time_base = self._info.time_base
        # ProRes takes its tags from the pictures, the other codecs from the context.
        picture.color_primaries, picture.color_trc = self.tags.primaries, self.tags.transfer
        picture.colorspace, picture.color_range = self.tags.matrix, _RANGES[self.tags.full_range]
        self._durations[picture.pts] = round(frame.duration_s / self._info.time_base)
        return self._timed(self.stream.encode(picture))

    def rest(self) -> list[Packet]:
        """What the encoder still holds after the last picture."""
        return self._timed(self.stream.encode(None))

    def picture(self, frame: Frame, pixels: NDArray[np.float32]) -> av.VideoFrame:
        """The samples that an encoder takes, in the result's pixel format; see ``VideoSink.write``."""
        native = frame.native if isinstance(frame.native, Samples) else None
        if pixels.shape != (3, self._info.height, self._info.width):
            raise ValueError(f"pixels are {pixels.shape}, not (3, {self._info.height}, {self._info.width})")
        index = frame.index
        if native is not None and not self._has_same_range:
            return self._writer.encoded(pixels, frame.pixels, None, alpha=native.alpha, index=index)
        if native is not None and pixels is frame.pixels:
            untouched = self._writer.untouched(native)
            if untouched is not None:
                return untouched
        if self._info.is_sequence:
            image: Any = frame.native
            own = frame.pixels
            if frame.alpha is None or not alpha_bits(self._writer.pixel_format):
                codes = image.srgb(pixels)
                return self._writer.encoded(codes, codes if pixels is own else image.srgb(own), None, index=index)
            codes = image.srgb(image.straight(pixels, frame.alpha))
            before = codes if pixels is own else image.srgb(image.straight(own, frame.alpha))
            alpha = Alpha(quantised(frame.alpha[0], 16), 16)
            return self._writer.encoded(codes, before, None, alpha=alpha, index=index)
        return self._writer.encoded(pixels, frame.pixels, native, index=index)

    def _time_stamp(self, frame: Frame, origin_s: Fraction) -> int:
        pts = round((frame.time_s - origin_s) / self._info.time_base)
        if self._last_pts is not None and pts <= self._last_pts:
            # Broken streams repeat a time stamp; encoders want them to rise, and every frame is kept.
            pts = self._last_pts + 1
        self._last_pts = pts
        return pts

    def _timed(self, packets: list[Packet]) -> list[Packet]:
        for packet in packets:
            # Encoders forget durations, and without one the last frame of a clip is not shown.
            duration = self._durations.pop(packet.pts, 0) if packet.pts is not None else 0
            if duration:
                packet.duration = duration
        return packets


def encoder_threads(encoding: Encoding) -> int:
    """How many threads an encoder has, on which what x264 and x265 make depends."""
    return encoding.threads or max(1, (os.cpu_count() or 2) // 2)
