"""Frames as YUV4MPEG2, the raw video that programs pass to each other through pipes.

A line for the stream, then for each frame a line and its planes; there are no sound, no times and no colour tags.
Source: the manual page yuv4mpeg(5) of mjpegtools; the tags of deep samples and of the range are FFmpeg's.
"""

from collections.abc import Callable, Iterable
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

import av
import numpy as np
from numpy.typing import NDArray

from any2bokeh.errors import InputError
from any2bokeh.video.chroma_location import chroma_location_of
from any2bokeh.video.encoding import Encoding, VideoCodec, planar_layout
from any2bokeh.video.frame import Frame
from any2bokeh.video.info import ColorTags, VideoInfo
from any2bokeh.video.losses import losses
from any2bokeh.video.media_file import file_url
from any2bokeh.video.part import Part
from any2bokeh.video.picture_encoder import PictureEncoder
from any2bokeh.video.pipe import MAGIC, PIPE
from any2bokeh.video.samples import whole_plane
from any2bokeh.video.sink import SegmentSink, VideoSink

_SHOWN = Path("standard output")
_NAME = Path("standard-output.y4m")  # which says the kind of file, and is never made
_CHROMA = {(1, 1): "420", (0, 1): "422", (0, 0): "444"}
# Where 4:2:0 chroma lies, by its number in H.265; of what says nothing FFmpeg takes the first.
_PLACES = {None: "jpeg", 1: "jpeg", 0: "mpeg2", 2: "paldv"}


class Y4mSink(VideoSink):
    """Writes frames to a pipe as they come; see ``VideoSink``. What was written stays written.

    Args:
        stream: the pipe.
        info: of the source.
        encoding: of which the pixel format counts.
        part: what of the source is written.
        notice: told what the stream cannot hold.

    Raises:
        InputError: something was asked for that the stream cannot hold.

    Attributes:
        kind: what messages call the stream.
    """

    kind = "YUV4MPEG2"

    def __init__(
        self,
        stream: BinaryIO,
        info: VideoInfo,
        encoding: Encoding,
        *,
        part: Part,
        notice: Callable[[str], None] | None = None,
    ) -> None:
        if encoding.sound in ("copy", "aac"):
            raise InputError(f"sound is {encoding.sound}, but {self.kind} holds pictures alone; leave it out")
        self.path = Path(PIPE)
        self._stream = stream
        self._info = info
        self._notice = notice or (lambda remark: None)
        self._encoder = self._encoder_of(info, encoding, part)
        self._first_s: Fraction | None = None
        self._written = 0
        self._has_even_times = True
        for remark in self._remarks(encoding):
            self._notice(remark)

    @property
    def temporary(self) -> Path:
        """See ``VideoSink``."""
        return self.path

    def write(self, frame: Frame, pixels: NDArray[np.float32]) -> None:
        """See ``VideoSink.write``."""
        if self._first_s is None:
            self._first_s = frame.time_s
            self._put(self._header())
        # A time stamp may be rounded, to a millisecond in .mkv.
        late = (frame.time_s - self._first_s) * self._info.fps - self._written
        self._has_even_times &= abs(late) < 1
        picture = self._encoder.picture(frame, pixels)
        self._put(self._frame(picture))
        self._written += 1

    def segment(self, folder: Path, *, before: int, first_s: Fraction) -> SegmentSink:
        """See ``VideoSink.segment``; a pipe has none."""
        raise InputError("standard output cannot be written in segments; write a file, or render in one piece")

    def join(self, folders: Iterable[Path], *, first_s: Fraction) -> None:
        """See ``VideoSink.join``; a pipe has none."""
        raise InputError("standard output cannot be written in segments; write a file, or render in one piece")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """See ``VideoSink``."""
        if kind is None and not self._has_even_times:
            self._notice(
                f"frames of {self._info.path} do not come at an even rate, which {self.kind} cannot say; they are "
                f"written at {float(self._info.fps):g} fps"
            )

    def _encoder_of(self, info: VideoInfo, encoding: Encoding, part: Part) -> PictureEncoder:
        return PictureEncoder(_NAME, info, encoding, part)

    def _codec(self) -> VideoCodec:
        """As remarks call it."""
        return self._encoder.codec

    def _frame(self, picture: av.VideoFrame) -> bytes:
        return b"FRAME\n" + b"".join(plane.tobytes() for plane in sample_planes(picture))

    def _remarks(self, encoding: Encoding) -> list[str]:
        info, encoder = self._info, self._encoder
        remarks = losses(_SHOWN, info, self._codec(), encoder.pixel_format, encoder.size, is_asked_for=True)
        if info.audio and encoding.sound != "none":
            remarks.append(f"sound of {info.path} is left out; {self.kind} holds pictures alone")
        tags = encoder.tags
        if (tags.primaries, tags.transfer, tags.matrix) != (ColorTags().primaries,) * 3:
            remarks.append(
                f"colour tags are left out (primaries {tags.primaries}, transfer {tags.transfer}, matrix "
                f"{tags.matrix}), because {self.kind} holds none; tell them to the program that reads it"
            )
        return remarks

    def _header(self) -> bytes:
        info = self._info
        layout = planar_layout(self._encoder.pixel_format)
        assert layout is not None
        chroma = _CHROMA[layout.subsampling]
        if layout.bits > 8:
            chroma += f"p{layout.bits}"
        elif chroma == "420":
            chroma += _PLACES.get(_chroma_location(info), "jpeg")
        words = (
            f"W{info.width} H{info.height}",
            f"F{info.fps.numerator}:{info.fps.denominator}",
            "I?" if info.scan == "interlaced" else "Ip",
            f"A{info.sample_aspect.numerator}:{info.sample_aspect.denominator}",
            f"C{chroma}",
            f"XYSCSS={chroma.upper()}",
            f"XCOLORRANGE={'FULL' if self._encoder.tags.full_range else 'LIMITED'}",
        )
        return MAGIC + " ".join(words).encode() + b"\n"

    def _put(self, content: bytes) -> None:
        rest = memoryview(content)
        try:
            while rest:
                rest = rest[self._stream.write(rest) or 0 :]
            self._stream.flush()
        except OSError as error:
            reason = error.strerror or error
            raise InputError(
                f"cannot write to standard output: {reason}; see what the program that reads it says"
            ) from None


def sample_planes(picture: av.VideoFrame) -> list[NDArray[np.unsignedinteger]]:
    """Planes ``(h, w)`` without the padding of their rows, low byte first."""
    layout = planar_layout(picture.format.name)
    assert layout is not None
    kind = np.dtype(np.uint8 if layout.bits == 8 else "<u2")
    return [
        whole_plane(picture, index, layout.bits)[:, : plane.width].astype(kind, copy=False)
        for index, plane in enumerate(picture.planes)
    ]


def _chroma_location(info: VideoInfo) -> int | None:
    if info.is_sequence:
        return 0  # what ``encode_yuv`` makes
    with av.open(file_url(info.path)) as container:
        return chroma_location_of(container.streams.video[0])
