"""Frames of a video file."""

import threading
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, Self

import av
import av.error
from av.container import InputContainer
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream

from any2bokeh.errors import InputError
from any2bokeh.video.color import transfer_of, yuv_coding
from any2bokeh.video.frame import Frame
from any2bokeh.video.info import AudioInfo, ColorTags, VideoInfo
from any2bokeh.video.samples import to_pixels


class ContainerSource:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._closed = threading.Event()
        self._pts: list[int] = []
        with open_container(path) as container:
            stream = video_stream(container, path)
            self._pts = _presentation_times(container, stream)
            if not self._pts:
                raise InputError(f"{path} has a video stream without frames; nothing to refocus")
        with open_container(path) as container:
            self.info = _describe(container, path, self._pts)

    def index_at(self, time_s: float | Fraction) -> int:
        import bisect

        return bisect.bisect_left(self._pts, self._pts[0] + Fraction(time_s) / self.info.time_base)

    def frames(self, start: int = 0, stop: int | None = None) -> Iterator[Frame]:
        with open_container(self._path) as container:
            stream = video_stream(container, self._path)
            stream.thread_count = 1
            coding = yuv_coding(self.info.color, self.info.width, self.info.height, self.info.pixel_format)
            reformatter = VideoReformatter()
            base = self.info.time_base
            index = 0
            for native in container.decode(stream):
                if self._closed.is_set():
                    return
                if stop is not None and index >= stop:
                    return
                if index >= start:
                    pts = native.pts if native.pts is not None else index
                    yield Frame(to_pixels(native, coding, reformatter), index, pts * base, native, native.duration * base)
                index += 1

    def close(self) -> None:
        self._closed.set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_container(path: Path) -> InputContainer:
    try:
        return av.open(str(path), "r", metadata_errors="replace")
    except av.error.FFmpegError as error:
        raise InputError(f"{path} is not a video that can be read: {error.strerror}") from None


def video_stream(container: InputContainer, path: Path) -> VideoStream:
    if not container.streams.video:
        raise InputError(f"{path} has no video stream; give a file with pictures")
    return container.streams.video[0]


def _presentation_times(container: InputContainer, stream: VideoStream) -> list[int]:
    times = [p.pts if p.pts is not None else p.dts for p in container.demux(stream) if p.size and not p.is_discard]
    return sorted(t for t in times if t is not None)


def _describe(container: InputContainer, path: Path, pts: list[int]) -> VideoInfo:
    stream = container.streams.video[0]
    context = stream.codec_context
    tags = ColorTags(context.color_primaries, context.color_trc, context.colorspace, {1: False, 2: True}.get(context.color_range))
    pixel_format: Any = context.format
    return VideoInfo(
        path=path,
        width=context.width,
        height=context.height,
        fps=Fraction(stream.average_rate or stream.guessed_rate or 24),
        frame_count=len(pts),
        bit_depth=max(c.bits for c in pixel_format.components),
        transfer=transfer_of(tags),
        color=tags,
        time_base=Fraction(stream.time_base or Fraction(1, 1000)),
        codec=context.name,
        container=container.format.name,
        pixel_format=pixel_format.name,
        audio=tuple(AudioInfo(a.codec_context.name, a.codec_context.sample_rate, a.codec_context.channels) for a in container.streams.audio),
        metadata=dict(container.metadata),
    )
