"""Frames of a video file."""

import threading
from bisect import bisect_left
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

from any2bokeh.errors import InputError
from any2bokeh.video.clock import JUMPING_FORMATS, PRIMING_S
from any2bokeh.video.color import source_coding, transfer_of
from any2bokeh.video.container_times import FrameTimes, decoded_pictures, frame_times, video_stream
from any2bokeh.video.damage import Damage
from any2bokeh.video.deinterlacing import NEIGHBOURS, deinterlaced
from any2bokeh.video.frame import Frame
from any2bokeh.video.info import AudioInfo, ColorTags, Scan, VideoInfo
from any2bokeh.video.media_file import open_container
from any2bokeh.video.orientation import Orientation, orientation_of
from any2bokeh.video.reading import Reading
from any2bokeh.video.samples import SampleReader
from any2bokeh.video.source import VideoSource, check_range

# A decoder gets a quarter of the processor's cores: the renderer needs the most.
_DECODER_THREADS = max(1, min(4, (cpu_count() or 1) // 4))
# Their decoders give each field as a frame of its own: there is nothing to take apart.
_FIELDS_ARE_FRAMES = ("hevc", "vvc")
# Files other than broadcasts have a clock of their own that begins at 0; a track may begin a little after, on purpose.
_LATE_S = Fraction(1)
# A rate above is taken for one only where no other is told.
_HIGHEST_FPS = 1000


class ContainerSource(VideoSource):
    """Frames of a video file in any container and codec that FFmpeg reads; see ``VideoSource``.

    Args:
        path: the file.
        fps: rate of a stream without a clock; what the stream says, or 25, unless given.
        reading: see ``Reading``.
    """

    def __init__(self, path: Path, *, fps: Fraction | None = None, reading: Reading | None = None) -> None:
        super().__init__()
        self._path = path
        self._reading = reading or Reading()
        self._closed = threading.Event()
        self._damage = Damage()
        if path.stat().st_size == 0:
            raise InputError(f"{path} is empty (0 bytes); copy or export it again")
        self._times = frame_times(path, self._reading, rate=fps)
        with open_container(path) as container:
            first = self._first_picture(container)
            self._orientation = _orientation(first)
            self._times.drop_before(first.pts)
            self.info = _describe(container, path, self._times, first, self._orientation, self._reading)
            self._has_alpha_beside = _has_alpha_beside(video_stream(container, path))

    @property
    def key_frame_count(self) -> int:
        """Frames that decoding can begin at."""
        return len(self._times.key_times)

    def frames(self, start: int = 0, stop: int | None = None) -> Iterator[Frame]:
        """See ``VideoSource.frames``."""
        count = self.info.frame_count
        stop = count if stop is None else stop
        check_range(self._path, start, stop, count)
        reader = SampleReader(source_coding(self.info), self._orientation)
        for place, native in self._whole_frames(start, stop):
            if self._closed.is_set():
                return
            samples = reader.samples(native)
            time_s, duration_s = self._shown(place.index, place.duration)
            alpha = None if samples.alpha is None else samples.alpha.coverage()
            yield Frame(reader.pixels(samples), place.index, time_s, samples, duration_s, place.is_past_end, alpha)

    def index_at(self, time_s: float | Fraction) -> int:
        """See ``VideoSource.index_at``."""
        times = self._times.times
        # Times given in decimals mean the frame that they round to, not the one after.
        slack = Fraction(1, 10_000)
        return bisect_left(times, times[0] + (Fraction(time_s) - slack) / self._times.base)

    def close(self) -> None:
        """See ``VideoSource.close``."""
        self._closed.set()

    def _opening_remarks(self) -> list[str]:
        alpha = (
            f"alpha of {self._path} is left out, because VP8 and VP9 store it beside the picture, where it is not "
            f"read; convert the file to ProRes 4444 or PNG first"
        )
        return [*self._times.remarks, *_scan_remarks(self.info), *([alpha] if self._has_alpha_beside else [])]

    def _reading_remarks(self) -> list[str]:
        times, base = self._times.times, self._times.base
        return self._damage.remarks(self._path, len(times), lambda index: (times[index] - times[0]) * base)

    def _shown(self, index: int, duration: int | None) -> tuple[Fraction, Fraction]:
        """When a frame is shown, and for how long, in seconds."""
        times, base = self._times.times, self._times.base
        if index + 1 < len(times):
            lasts = times[index + 1] - times[index]
        else:
            lasts = self._times.usual_step if self._times.measured or self._times.rate or not duration else duration
        return times[index] * base, lasts * base

    def _whole_frames(self, start: int, stop: int) -> Iterator[tuple["_Place", av.VideoFrame]]:
        """Decoder frames of ``start <= index < stop``, made whole where the clip is interlaced."""
        if start == stop:
            return
        if self.info.scan != "deinterlaced":
            yield from self._numbered(start, stop)
            return
        around = self._numbered(max(0, start - NEIGHBOURS), min(len(self._times.times), stop + NEIGHBOURS))
        for place, native in deinterlaced(around):
            if start <= place.index < stop:
                yield place, native

    def _numbered(self, start: int, stop: int) -> Iterator[tuple["_Place", av.VideoFrame]]:
        """Decoder frames of ``start <= index < stop``: each of them, whatever of the file is damaged."""
        index, threads = start, _DECODER_THREADS
        shown: av.VideoFrame | None = None
        while True:
            try:
                for native in self._pictures_from(index, threads):
                    if self._closed.is_set():
                        return
                    place = self._place(native, index)
                    if place >= index:
                        self._check_size(native, place)
                        for lost in range(index, min(place, stop)):
                            self._note_lost(lost)
                            yield _Place(lost), shown or native
                        index = min(place, stop)
                        if index < stop:
                            self._note(native, index)
                            yield _Place(index, native.duration), native
                            index += 1
                        if index == stop:
                            return
                    shown = native
                break
            except _FaultError:
                # Decoders that work ahead lose more at a fault than the fault itself, and not always the same.
                threads = 1
        if self._closed.is_set():
            return
        if self._reading.strict or shown is None:
            raise InputError(
                f"{self._path} ends early: {index} of its {len(self._times.times)} frames could be decoded; "
                "copy or export it again"
            )
        self._damage.ends_at(index if index > start else self._place(shown, 0) + 1)
        for missing in range(index, stop):
            yield _Place(missing, is_past_end=True), shown

    def _place(self, native: av.VideoFrame, index: int) -> int:
        """Which frame of the clip a picture is, if ``index`` is the next one; one before it, if it is none."""
        if self._times.in_order or native.pts is None:
            return index
        times = self._times.times
        at = bisect_left(times, native.pts)
        return at if at < len(times) and times[at] == native.pts else index - 1

    def _first_picture(self, container: InputContainer) -> av.VideoFrame:
        stream = video_stream(container, self._path)
        stream.thread_count = 1
        for native in decoded_pictures(container, stream, lambda: None):
            return native
        raise InputError(f"{self._path} has a video stream but no frame of it can be decoded; copy or export it again")

    def _pictures_from(self, start: int, threads: int) -> Iterator[av.VideoFrame]:
        """Decoder frames from index ``start`` on; before them the one that is shown until then, if ``start`` lacks."""
        times = self._times.times
        for key_time in [*self._times.key_times_before(times[start]), None]:
            with open_container(self._path) as container:
                if key_time is not None:
                    stream = video_stream(container, self._path)
                    try:
                        container.seek(key_time, stream=stream, backward=True)
                    except av.error.FFmpegError:
                        continue
                pictures = self._decoded(container, threads)
                first = next(pictures, None)
                # Containers seek by decoding time or by coarse indices: only the picture itself tells whether the
                # seek went far enough back.
                if key_time is not None and (first is None or first.pts is None or first.pts > times[start]):
                    continue
                before, skip = None, start if key_time is None else 0
                counted = self._times.in_order or first is None or first.pts is None
                while first is not None and (skip > 0 if counted else _stamp(first) < times[start]):
                    before, first, skip = first, next(pictures, None), skip - 1
                    if self._closed.is_set():
                        return
                if before is not None and (first is None or (not counted and _stamp(first) != times[start])):
                    yield before
                if first is not None:
                    yield first
                    yield from pictures
                return

    def _decoded(self, container: InputContainer, threads: int) -> Iterator[av.VideoFrame]:
        stream = video_stream(container, self._path)
        stream.thread_count = threads
        stream.thread_type = "AUTO"
        return decoded_pictures(container, stream, self._fault if threads > 1 else lambda: None)

    def _fault(self) -> None:
        raise _FaultError

    def _note_lost(self, index: int) -> None:
        if self._reading.strict:
            raise InputError(
                f"{self._path} is damaged: frame {index} of {len(self._times.times)} cannot be decoded; "
                "copy or export it again"
            )
        self._damage.lost(index)

    def _note(self, native: av.VideoFrame, index: int) -> None:
        if native.is_corrupt:
            if self._reading.strict:
                raise InputError(
                    f"{self._path} is damaged: frame {index} of {len(self._times.times)} is incomplete, "
                    f"{index} were decoded; copy or export it again"
                )
            self._damage.incomplete(index)
        if native.interlaced_frame and self.info.scan == "progressive":
            self._damage.woven(index)

    def _check_size(self, native: av.VideoFrame, index: int) -> None:
        width, height = native.width, native.height
        if self._orientation.transpose:
            width, height = height, width
        if (width, height) != (self.info.width, self.info.height):
            raise InputError(
                f"frame {index} of {self._path} is {width}x{height} but the clip is "
                f"{self.info.width}x{self.info.height}; split it where the size changes"
            )


class _FaultError(Exception):
    """The decoder made nothing of some data."""


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a picture belongs.

    Attributes:
        index: in the clip.
        duration: in units of the stream, where the decoder tells.
        is_past_end: the clip ended before; see ``Frame``.
    """

    index: int
    duration: int | None = None
    is_past_end: bool = False


def _stamp(native: av.VideoFrame) -> int:
    return -(1 << 63) if native.pts is None else native.pts


def _orientation(first: av.VideoFrame) -> Orientation:
    # The container's display matrix reaches the frames as side data.
    matrix = cast(Any, first.side_data).get(SideDataType.DISPLAYMATRIX)
    return orientation_of(bytes(matrix) if matrix is not None else None)


def _describe(
    container: InputContainer,
    path: Path,
    times: FrameTimes,
    first: av.VideoFrame,
    orientation: Orientation,
    reading: Reading,
) -> VideoInfo:
    stream = video_stream(container, path)
    base = times.base
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
    rates = [rate for rate in (times.rate, stream.average_rate, stream.guessed_rate) if rate]
    # Some demuxers give the ticks of a clock for the average rate (raw DV: 60000).
    said = next((rate for rate in rates if rate <= _HIGHEST_FPS), rates[0] if rates else None)
    last_step = times.usual_step or round(1 / (base * Fraction(said or 24)))
    duration = (times.times[-1] - times.times[0] + last_step) * base
    fps = Fraction(said or len(times.times) / duration)
    if times.measured and times.usual_step and abs(fps * times.usual_step * base - 2) < Fraction(1, 20):
        fps /= 2  # the rate of the fields
    return VideoInfo(
        path=path,
        width=width,
        height=height,
        fps=fps,
        frame_count=len(times.times),
        bit_depth=max(component.bits for component in first.format.components),
        transfer=transfer_of(tags),
        color=tags,
        sample_aspect=aspect,
        rotation_deg=orientation.rotation_deg,
        scan=_scan(first, int(context.field_order), context.codec.canonical_name, reading),
        time_base=base,
        start_time_s=times.times[0] * base,
        origin_s=_origin_s(container, times.times[0] * base),
        clock_shifts_s=times.clock_shifts_s,
        dropped_frames=times.dropped,
        duration_s=duration,
        codec=context.codec.canonical_name,
        container=container.format.name,
        pixel_format=first.format.name,
        audio=tuple(_sound(track) for track in container.streams.audio),
        metadata=dict(container.metadata),
    )


def _scan(first: av.VideoFrame, field_order: int, codec: str, reading: Reading) -> Scan:
    # AVFieldOrder: 0 is unknown, 1 progressive.
    if not first.interlaced_frame and (field_order < 2 or codec in _FIELDS_ARE_FRAMES):
        return "progressive"
    if codec in _FIELDS_ARE_FRAMES:
        return "fields"
    return "deinterlaced" if reading.deinterlace == "auto" else "interlaced"


def _has_alpha_beside(stream: Any) -> bool:
    """Whether a track of VP8 or VP9 has alpha, which Matroska keeps as a second picture beside each."""
    return any(name.lower() == "alpha_mode" and value == "1" for name, value in stream.metadata.items())


def _scan_remarks(info: VideoInfo) -> list[str]:
    match info.scan:
        case "deinterlaced":
            return [f"{info.path} is interlaced; whole frames are made of its fields (--deinterlace off leaves them)"]
        case "interlaced":
            return [f"{info.path} is interlaced; its fields stay woven, and blur mixes them"]
        case "fields":
            return [f"{info.path} holds single fields; each is read as a frame of half the height"]
    return []


def _origin_s(container: InputContainer, start_s: Fraction) -> Fraction:
    """Where a result begins: at the first frame, or with the sound where that begins noticeably earlier."""
    sounds = [
        track.start_time * Fraction(track.time_base)
        for track in container.streams.audio
        if track.start_time is not None and track.time_base is not None
    ]
    earliest = min(sounds, default=start_s)
    origin = earliest if earliest < start_s - PRIMING_S else start_s
    is_late_track = container.format.name not in JUMPING_FORMATS and 0 <= origin < _LATE_S
    return Fraction(0) if is_late_track else origin


def _known(value: int, fallback: int, unknown: int = 2) -> int:
    return int(fallback if value == unknown else value)


def _sound(track: Any) -> AudioInfo:
    context = track.codec_context
    if context is None:
        return AudioInfo("unknown", 0, 0, track.language)
    return AudioInfo(context.name, context.sample_rate, context.channels, track.language)
