"""Raw frames without a header (``rawvideo`` of FFmpeg): from a pipe into a file that can be read, and into a pipe."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO, Literal, get_args

import av
import numpy as np

from any2bokeh.errors import InputError, require_choice
from any2bokeh.video.encoding import Encoding, VideoCodec
from any2bokeh.video.info import VideoInfo
from any2bokeh.video.part import Part
from any2bokeh.video.picture_encoder import PictureEncoder
from any2bokeh.video.pixel_layout import planar_layout
from any2bokeh.video.y4m_sink import Y4mSink, sample_planes

RawFormat = Literal[
    "rgb24",
    "bgr24",
    "rgb48le",
    "yuv420p",
    "yuv422p",
    "yuv444p",
    "yuv420p10le",
    "yuv422p10le",
    "yuv444p10le",
]
"""Pixel formats of raw frames, by FFmpeg's names."""

_DEFAULT: RawFormat = "rgb24"
_MOST_PX = 1 << 15
# What the samples of packed formats are made as, and where red, green and blue (or their reverse) lie in it.
_PACKED: dict[str, tuple[str, list[int]]] = {
    "rgb24": ("bgr0", [2, 1, 0]),
    "bgr24": ("bgr0", [0, 1, 2]),
    "rgb48le": ("gbrp16le", [2, 0, 1]),
}


@dataclass(frozen=True, slots=True)
class RawFrames:
    """What raw frames are, which they do not say themselves.

    Attributes:
        width, height: in pixels.
        pixel_format: see ``RawFormat``.
    """

    width: int
    height: int
    pixel_format: RawFormat = _DEFAULT

    @classmethod
    def parsed(cls, text: str) -> "RawFrames":
        """``640x360:yuv420p``, or ``640x360`` for rgb24.

        Raises:
            InputError: another text, a size outside 1 to 32768, or an unknown format.
        """
        match = re.fullmatch(r"\s*(\d{1,6})x(\d{1,6})(?::(\w+))?\s*", text)
        if match is None or not all(1 <= int(side) <= _MOST_PX for side in match.groups()[:2]):
            raise InputError(
                f"--raw is {text!r}; give width, height and pixel format, such as 640x360:rgb24, sides up to {_MOST_PX}"
            )
        name = match[3] or _DEFAULT
        require_choice("pixel format of --raw", name, get_args(RawFormat))
        return cls(int(match[1]), int(match[2]), name)  # pyright: ignore[reportArgumentType]  checked

    @property
    def frame_bytes(self) -> int:
        """Bytes of one frame: rows have no padding, and odd sides round chroma up."""
        if self.pixel_format in _PACKED:
            return self.width * self.height * (6 if self.pixel_format == "rgb48le" else 3)
        layout = planar_layout(self.pixel_format)
        assert layout is not None
        down, across = layout.subsampling
        chroma = -(-self.width // 2**across) * -(-self.height // 2**down)
        return (self.width * self.height + 2 * chroma) * (1 if layout.bits == 8 else 2)

    def keep(self, stream: BinaryIO, path: Path, fps: Fraction) -> None:
        """Write all frames of a stream into a file, as they are.

        Args:
            stream: where they come from.
            path: a .nut file, which holds raw frames with their size, format and rate.
            fps: their rate.

        Raises:
            InputError: there are none, or the last one ends early.
        """
        count = 0
        with av.open(str(path), "w", format="nut") as container:
            video = container.add_stream("rawvideo", rate=fps)
            video.width, video.height, video.pix_fmt = self.width, self.height, self.pixel_format
            while content := self._next(stream, count):
                packet = av.Packet(content)
                packet.pts = packet.dts = count
                packet.time_base, packet.stream, packet.is_keyframe = 1 / fps, video, True
                container.mux(packet)
                count += 1
        if not count:
            raise InputError("standard input is empty; pipe raw frames into it")

    def _next(self, stream: BinaryIO, index: int) -> bytes:
        content = bytearray()
        while len(content) < self.frame_bytes and (more := stream.read(self.frame_bytes - len(content))):
            content += more
        if content and len(content) < self.frame_bytes:
            raise InputError(
                f"standard input ends within frame {index}, after {len(content)} of {self.frame_bytes} bytes of "
                f"{self.width}x{self.height} {self.pixel_format}; give --raw the size and pixel format that it has"
            )
        return bytes(content)


class RawSink(Y4mSink):
    """Writes raw frames to a pipe, without a header; see ``Y4mSink``.

    Args:
        stream: the pipe.
        info: of the source.
        encoding: of which the pixel format counts, rgb24 unless it is given.
        part: what of the source is written.
        notice: told what the stream cannot hold.

    Raises:
        InputError: something was asked for that the stream cannot hold.
    """

    kind = "raw video"

    def __init__(
        self,
        stream: BinaryIO,
        info: VideoInfo,
        encoding: Encoding,
        *,
        part: Part,
        notice: Callable[[str], None] | None = None,
    ) -> None:
        self._format = encoding.pixel_format or _DEFAULT
        require_choice("pixel format of raw frames", self._format, get_args(RawFormat))
        super().__init__(stream, info, encoding, part=part, notice=notice)

    def _encoder_of(self, info: VideoInfo, encoding: Encoding, part: Part) -> PictureEncoder:
        if self._format not in _PACKED:
            return super()._encoder_of(info, replace(encoding, codec="auto", pixel_format=self._format), part)
        if encoding.quality is not None:
            raise InputError(
                f"quality is {encoding.quality}, but raw frames for a pipe are not compressed; leave it out"
            )
        # The codec is not run: it only knows that these formats hold any picture.
        planar = Encoding(codec="ffv1", pixel_format=_PACKED[self._format][0])
        return PictureEncoder(Path("standard-output.mkv"), replace(info, sample_aspect=Fraction(1)), planar, part)

    def _codec(self) -> VideoCodec:
        return replace(self._encoder.codec, name="rawvideo")

    def _header(self) -> bytes:
        return b""

    def _frame(self, picture: av.VideoFrame) -> bytes:
        if self._format not in _PACKED:
            return b"".join(plane.tobytes() for plane in sample_planes(picture))
        if self._format == "rgb48le":
            samples = np.stack(sample_planes(picture), axis=-1)
        else:
            rows = np.frombuffer(bytes(picture.planes[0]), np.uint8).reshape(
                picture.height, picture.planes[0].line_size
            )
            samples = rows[:, : 4 * picture.width].reshape(picture.height, picture.width, 4)
        return samples[..., _PACKED[self._format][1]].tobytes()
