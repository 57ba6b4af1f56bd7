"""Frames of a video file."""

import threading
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from os import cpu_count
from pathlib import Path
from typing import Any, cast

import av
import av.error
from av.container import InputContainer
from av.sidedata.sidedata import Type as SideDataType
from av.stream import Disposition
from av.video.stream import VideoStream

from any2bokeh.errors import InputError
from any2bokeh.video.color import source_coding, transfer_of
from any2bokeh.video.container_length import missing_bytes
from any2bokeh.video.frame import Frame
from any2bokeh.video.info import AudioInfo, ColorTags, VideoInfo
from any2bokeh.video.opening import open_input
from any2bokeh.video.orientation import Orientation, orientation_of
from any2bokeh.video.samples import SampleReader
from any2bokeh.video.source import VideoSource, check_range

_ATTACHED_PICTURE = Disposition.attached_pic
# FFmpeg paints any text file as a terminal would show it.
_TEXT_FORMATS = ("tty", "bin", "xbin", "adf", "idf")
# A decoder gets a quarter of the processor's cores: the renderer needs the most.
_DECODER_THREADS = max(1, min(4, (cpu_count() or 1) // 4))


class ContainerSource(VideoSource):
    """Frames of a video file in any container and codec that FFmpeg reads; see ``VideoSource``."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._closed = threading.Event()
        if path.stat().st_size == 0:
            raise InputError(f"{path} is empty (0 bytes); copy or export it again")
        with open_container(path) as container:
            video_stream(container, path)
            self._packets = _packet_times(container, path)
        with open_container(path) as container:
            first = self._first_picture(container)
            self._orientation = _orientation(first)
            # Pictures before the first one that stands on its own cannot be shown: no player counts them.
            self._packets.drop_before(first.pts)
            self.info = _describe(container, path, self._packets, first, self._orientation)

    def frames(self, start: int = 0, stop: int | None = None) -> Iterator[Frame]:
        """See ``VideoSource.frames``."""
        count = self.info.frame_count
        stop = count if stop is None else stop
        check_range(self._path, start, stop, count)
        if start == stop:
            return
        times, base = self._packets.times, self.info.time_base
        reader = SampleReader(source_coding(self.info), self._orientation)
        index = start
        for native in self._pictures_from(start):
            if self._closed.is_set():
                return
            self._check_whole(native, index)
            samples = reader.samples(native)
            time = native.pts if native.pts is not None else times[index]
            after = times[index + 1] if index + 1 < count else time + (native.duration or self._packets.usual_step)
            yield Frame(reader.pixels(samples), index, time * base, samples, max(0, after - time) * base)
            index += 1
            if index == stop:
                return
        if not self._closed.is_set():
            raise InputError(
                f"{self._path} ends early: {index} of its {count} frames could be decoded; copy or export it again"
            )

    def index_at(self, time_s: float | Fraction) -> int:
        """See ``VideoSource.index_at``."""
        times = self._packets.times
        # Times given in decimals mean the frame that they round to, not the one after.
        slack = Fraction(1, 10_000)
        return bisect_left(times, times[0] + (Fraction(time_s) - slack) / self.info.time_base)

    def close(self) -> None:
        """See ``VideoSource.close``."""
        self._closed.set()

    def _first_picture(self, container: InputContainer) -> av.VideoFrame:
        for native in self._decoded(container, 0):
            return native
        raise InputError(f"{self._path} has a video stream but no frame of it can be decoded; copy or export it again")

    def _pictures_from(self, start: int) -> Iterator[av.VideoFrame]:
        """Decoder frames from index ``start`` on."""
        times = self._packets.times
        for key_time in [*self._packets.key_times_before(times[start]), None]:
            with open_container(self._path) as container:
                if key_time is not None:
                    stream = video_stream(container, self._path)
                    try:
                        container.seek(key_time, stream=stream, backward=True)
                    except av.error.FFmpegError:
                        continue
                pictures = self._decoded(container, start)
                first = next(pictures, None)
                # Containers seek by decoding time or by coarse indices: only the picture itself tells whether the
                # seek went far enough back.
                if key_time is not None and (first is None or first.pts is None or first.pts > times[start]):
                    continue
                skip = start if key_time is None else 0
                while first is not None and (skip > 0 if first.pts is None else first.pts < times[start]):
                    first, skip = next(pictures, None), skip - 1
                    if self._closed.is_set():
                        return
                if first is not None:
                    yield first
                    yield from pictures
                return

    def _decoded(self, container: InputContainer, start: int) -> Iterator[av.VideoFrame]:
        stream = video_stream(container, self._path)
        stream.thread_count = _DECODER_THREADS
        stream.thread_type = "AUTO"
        decoded = 0
        try:
            for packet in container.demux(stream):
                for native in packet.decode():
                    yield native
                    decoded += 1
        except av.error.FFmpegError as error:
            reason = error.strerror or type(error).__name__
            raise InputError(
                f"{self._path} is damaged: {start + decoded} frames were decoded, then: {reason}; "
                "copy or export it again"
            ) from None

    def _check_whole(self, native: av.VideoFrame, index: int) -> None:
        if native.is_corrupt:
            raise InputError(
                f"{self._path} is damaged: frame {index} of {self.info.frame_count} is incomplete, "
                f"{index} were decoded; copy or export it again"
            )
        width, height = native.width, native.height
        if self._orientation.transpose:
            width, height = height, width
        if (width, height) != (self.info.width, self.info.height):
            raise InputError(
                f"frame {index} of {self._path} is {width}x{height} but the clip is "
                f"{self.info.width}x{self.info.height}; split it where the size changes"
            )


@dataclass(slots=True)
class _PacketTimes:
    """Presentation times of every frame and of the key frames, in order, in the stream's time base."""

    times: list[int]
    key_times: list[int]

    @property
    def usual_step(self) -> int:
        if len(self.times) < 2:
            return 0
        return max(1, round((self.times[-1] - self.times[0]) / (len(self.times) - 1)))

    def drop_before(self, time: int | None) -> None:
        if time is not None:
            del self.times[: bisect_left(self.times, time)]

    def key_times_before(self, time: int) -> list[int]:
        """The two nearest at or before ``time``, nearest first."""
        end = bisect_right(self.key_times, time)
        return self.key_times[max(0, end - 2) : end][::-1]


def open_container(path: Path) -> InputContainer:
    """Open a file for reading.

    Raises:
        InputError: if FFmpeg cannot read it.
    """
    try:
        container = open_input(path)
        if container.format.name in _TEXT_FORMATS:
            container.close()
            raise InputError(f"{path} cannot be read as a video (it is text); give a video file or a folder of images")
        return container
    except av.error.FFmpegError as error:
        hint = "give a video file, a folder of images or a glob pattern"
        if isinstance(error, av.error.InvalidDataError) and missing_bytes(path):
            hint = "it is cut short, so its index is missing; copy it again or finish the recording"
        raise InputError(f"{path} cannot be read as a video ({error.strerror}); {hint}") from None


def video_stream(container: InputContainer, path: Path) -> VideoStream:
    """The video stream that players show: the one marked default, else the first; cover art is none."""
    streams = [s for s in container.streams.video if not s.disposition & _ATTACHED_PICTURE]
    if not streams:
        raise InputError(f"{path} has no video stream with frames; give a file with pictures")
    default = [s for s in streams if s.disposition & Disposition.default]
    return (default or streams)[0]


def _packet_times(container: InputContainer, path: Path) -> _PacketTimes:
    """Read through the file, without decoding: containers do not reliably say how many frames they hold."""
    stream = video_stream(container, path)
    times: list[int] = []
    keys: list[int] = []
    found = 0
    try:
        for packet in container.demux(stream):
            if packet.size == 0:
                continue
            found += not packet.is_corrupt
            time = packet.pts if packet.pts is not None else packet.dts
            if time is None:
                time = found - 1
            # Packets outside the edit list are decoded for the sake of others and never shown.
            if not packet.is_discard:
                times.append(time)
                if packet.is_keyframe:
                    keys.append(time)
    except av.error.FFmpegError as error:
        raise InputError(
            f"{path} is damaged after {found} frames ({error.strerror}); copy or export it again"
        ) from None
    missing = missing_bytes(path)
    if missing or found < stream.frames:
        declared = f" of {stream.frames}" if found < stream.frames else ""
        raise InputError(
            f"{path} is cut short: {found}{declared} frames are there and {missing} bytes are missing; "
            f"copy it again, or make what is there whole with: ffmpeg -i {path.name} -c copy whole{path.suffix}"
        )
    if not times:
        raise InputError(f"{path} has no video stream with frames; export it again")
    return _PacketTimes(sorted(times), sorted(keys))


def _orientation(first: av.VideoFrame) -> Orientation:
    # The container's display matrix reaches the frames as side data.
    matrix = cast(Any, first.side_data).get(SideDataType.DISPLAYMATRIX)
    return orientation_of(bytes(matrix) if matrix is not None else None)


def _describe(
    container: InputContainer, path: Path, packets: _PacketTimes, first: av.VideoFrame, orientation: Orientation
) -> VideoInfo:
    stream = video_stream(container, path)
    base = Fraction(stream.time_base or Fraction(1, 1000))
    # What the pictures themselves say wins over the container, as in players.
    context = stream.codec_context
    tags = ColorTags(
        _known(first.color_primaries, context.color_primaries),
        _known(first.color_trc, context.color_trc),
        _known(first.colorspace, context.colorspace),
        {1: False, 2: True}.get(_known(first.color_range, context.color_range, unknown=0)),
    )
    width, height = first.width, first.height
    aspect = Fraction(stream.sample_aspect_ratio or 1) or Fraction(1)
    if orientation.transpose:
        width, height, aspect = height, width, 1 / aspect
    last_step = packets.usual_step or round(1 / (base * Fraction(stream.average_rate or stream.guessed_rate or 24)))
    duration = (packets.times[-1] - packets.times[0] + last_step) * base
    fps = Fraction(stream.average_rate or stream.guessed_rate or len(packets.times) / duration)
    return VideoInfo(
        path=path,
        width=width,
        height=height,
        fps=fps,
        frame_count=len(packets.times),
        bit_depth=max(component.bits for component in first.format.components),
        transfer=transfer_of(tags),
        color=tags,
        sample_aspect=aspect,
        rotation_deg=orientation.rotation_deg,
        time_base=base,
        start_time_s=packets.times[0] * base,
        duration_s=duration,
        codec=stream.codec_context.codec.canonical_name,
        container=container.format.name,
        pixel_format=first.format.name,
        audio=tuple(_sound(track) for track in container.streams.audio),
        metadata=dict(container.metadata),
    )


def _known(value: int, fallback: int, unknown: int = 2) -> int:
    return int(fallback if value == unknown else value)


def _sound(track: Any) -> AudioInfo:
    context = track.codec_context
    if context is None:
        return AudioInfo("unknown", 0, 0, track.language)
    return AudioInfo(context.name, context.sample_rate, context.channels, track.language)
