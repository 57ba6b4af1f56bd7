"""A video file."""

import os
from fractions import Fraction
from pathlib import Path
from typing import Any, Self

import av
import av.error
import numpy as np
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

from any2bokeh.video.color import yuv_coding
from any2bokeh.video.encoding import Encoding
from any2bokeh.video.frame import Frame
from any2bokeh.video.info import VideoInfo
from any2bokeh.video.pending_output import check_target, discard, pending_path, write_failure
from any2bokeh.video.samples import from_pixels

_FORMAT = {".mp4": "mp4", ".mov": "mov", ".mkv": "matroska", ".webm": "webm"}


class ContainerSink:
    def __init__(self, path: Path, info: VideoInfo, encoding: Encoding, *, start: int, stop: int | None, overwrite: bool) -> None:
        check_target(path, info.path, overwrite=overwrite)
        self.path = path
        self._info = info
        self._pending = pending_path(path)
        self._shift: Fraction | None = None if start else Fraction(0)
        self._coding = yuv_coding(info.color, info.width, info.height, info.pixel_format)
        self._reformatter = VideoReformatter()
        self._container = av.open(str(self._pending), "w", format=_FORMAT[path.suffix.lower()])
        stream: Any = self._container.add_stream("libx264" if path.suffix.lower() != ".webm" else "libvpx-vp9", rate=info.fps)
        stream.width, stream.height = info.width, info.height
        self._pixel_format = "yuv420p" if info.width % 2 == 0 and info.height % 2 == 0 else "yuv444p"
        stream.pix_fmt = self._pixel_format
        stream.codec_context.time_base = info.time_base
        stream.codec_context.color_primaries = info.color.primaries
        stream.codec_context.color_trc = info.color.transfer
        stream.codec_context.colorspace = self._coding.matrix
        stream.codec_context.color_range = 2 if self._coding.full_range else 1
        stream.codec_context.options = {"preset": encoding.preset or "veryfast", "crf": str(encoding.quality or 16)}
        stream.codec_context.thread_count = encoding.threads or max(1, (os.cpu_count() or 2) // 2)
        self._stream = stream
        self._container.start_encoding()

    def write(self, frame: Frame, pixels: NDArray[np.float32]) -> None:
        if self._shift is None:
            self._shift = frame.time_s
        native = frame.native
        if pixels is frame.pixels and isinstance(native, av.VideoFrame) and native.format.name == self._pixel_format:
            picture = native
        else:
            if self._info.is_float:
                from any2bokeh.optics.transfer import srgb_encode

                pixels = srgb_encode(pixels)
            picture = from_pixels(pixels, self._pixel_format, self._coding, self._reformatter)
        picture.pts = round((frame.time_s - self._shift) / self._info.time_base)
        picture.time_base = self._info.time_base
        try:
            self._container.mux(self._stream.encode(picture))
        except av.error.OSError as error:
            raise write_failure(self.path, error) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                self._container.mux(self._stream.encode(None))
                self._container.close()
                os.replace(self._pending, self.path)
            else:
                self._container.close()
        finally:
            discard(self._pending)
