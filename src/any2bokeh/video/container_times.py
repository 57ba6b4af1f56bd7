"""When the frames of a video file are shown, and so how many there are."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from os import cpu_count
from pathlib import Path

import av
import av.error
from av.container import InputContainer
from av.packet import Packet
from av.stream import Disposition
from av.video.stream import VideoStream

from any2bokeh.errors import InputError
from any2bokeh.video.clock import JUMPING_FORMATS, ContinuousClock
from any2bokeh.video.container_length import missing_bytes
from any2bokeh.video.media_file import open_container
from any2bokeh.video.packet_pictures import picture_counter
from any2bokeh.video.reading import Reading

# Elementary streams: FFmpeg counts their frames at a rate of its own, 25 unless the stream says better.
_WITHOUT_CLOCK = {
    *("av1", "avs2", "avs3", "cavsvideo", "dirac", "evc", "h261", "h263", "h264", "hevc", "jpeg_pipe", "m4v", "mjpeg"),
    *("mjpeg_2000", "mpegvideo", "obu", "vc1", "vvc"),
}
# Containers whose headers count frames; that of IVF holds anything.
_COUNTING_FORMATS = ("avi", "mov,mp4,m4a,3gp,3g2,mj2")
_ATTACHED_PICTURE = Disposition.attached_pic
# Pictures that are decoded to see whether packets of a codec that does not tell are frames.
_PROBED = 8


@dataclass(slots=True)
class FrameTimes:
    """Presentation times of the frames of a file.

    Attributes:
        times: of every frame, rising, in ``base``.
        key_times: of the frames that decoding can begin at.
        base: seconds of a unit.
        in_order: the pictures' own stamps do not tell which frame they are: they must be counted from the first.
        measured: the decoder was asked, since packets are not frames; their durations mean nothing then.
        rate: of a stream without a clock; None where it has one.
        clock_shifts_s: of a clock that jumps; see ``ContinuousClock``.
        dropped: places of frames that were to be recorded and were not, counted with those that were.
        remarks: what the user should know.
    """

    times: list[int]
    key_times: list[int]
    base: Fraction
    in_order: bool = False
    measured: bool = False
    rate: Fraction | None = None
    clock_shifts_s: tuple[Fraction, ...] = ()
    dropped: tuple[int, ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def usual_step(self) -> int:
        """Median distance of two frames; 0 where there is only one."""
        steps = sorted(after - before for before, after in pairwise(self.times))
        return max(1, steps[len(steps) // 2]) if steps else 0

    def drop_before(self, time: int | None) -> None:
        """Pictures before the first one that stands on its own cannot be shown: no player counts them."""
        if time is not None and not self.in_order:
            del self.times[: min(bisect_left(self.times, time), len(self.times) - 1)]

    def key_times_before(self, time: int) -> list[int]:
        """The two nearest at or before ``time``, nearest first; none where there is no use in seeking."""
        if self.in_order:
            return []
        end = bisect_right(self.key_times, time)
        return self.key_times[max(0, end - 2) : end][::-1]


def frame_times(path: Path, reading: Reading, *, rate: Fraction | None = None) -> FrameTimes:
    """Read through a file, decoding it only where its packets do not tell how many frames they hold.

    Args:
        path: the file.
        reading: what is refused.
        rate: of a stream without a clock, frames per second; what the stream says or 25 unless given.

    Raises:
        InputError: no video, damaged, cut short, or ``rate`` for a file with a clock of its own.
    """
    with open_container(path) as container:
        stream = video_stream(container, path)
        has_clock = container.format.name not in _WITHOUT_CLOCK
        if rate is not None and has_clock:
            raise InputError(
                f"{path} is a video with time stamps of its own; fps ({rate}) is for images and for streams without "
                f"a clock (.h264, .h265, .m2v): leave it out"
            )
        packets = _Packets.read(container, stream, path, reading, has_clock=has_clock)
        said = stream.codec_context.framerate or None
        base = Fraction(stream.time_base or Fraction(1, 1000))
    remarks = list(packets.remarks)
    if packets.are_frames and not (_is_probed(packets.codec) and not _agree(path, packets.times)):
        times = FrameTimes(sorted(packets.times), sorted(packets.key_times), base)
        if packets.shifts_s:
            times.in_order = True
    else:
        times = _measured(path, packets, base)
    times.clock_shifts_s = tuple(packets.shifts_s)
    if not has_clock:
        times = _clocked(times, path, rate, said, remarks)
    if not times.times:
        raise InputError(f"{path} has no video stream with frames; export it again")
    times.dropped = _dropped(packets, times)
    times.remarks = (*remarks, *_miscount(path, packets, times, reading))
    return times


def video_stream(container: InputContainer, path: Path) -> VideoStream:
    """The video stream that players show: the one marked default, else the first; cover art is none."""
    streams = [s for s in container.streams.video if not s.disposition & _ATTACHED_PICTURE]
    if not streams:
        raise InputError(f"{path} has no video stream with frames; give a file with pictures")
    default = [s for s in streams if s.disposition & Disposition.default]
    shown = default or streams
    # The still that stands for an AVIF sequence is a stream of its own.
    return next((s for s in shown if s.frames != 1), shown[0])


def decoded_pictures(
    container: InputContainer, stream: VideoStream, on_fault: Callable[[], None]
) -> Iterator[av.VideoFrame]:
    """Every picture that the decoder makes; ``on_fault`` is called where it makes none of some data."""
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets, None)
        except av.error.FFmpegError:
            on_fault()
            packet = None
        if packet is None:
            return
        try:
            yield from packet.decode()
        except av.error.EOFError:
            return
        except av.error.FFmpegError:
            on_fault()
            if packet.size == 0:  # the end: what the decoder still holds
                yield from _held_back(stream)


def _held_back(stream: VideoStream) -> Iterator[av.VideoFrame]:
    for _ in range(64):  # more than any decoder holds
        try:
            pictures = stream.codec_context.decode(None)
        except av.error.EOFError:
            return
        except av.error.FFmpegError:
            continue
        if not pictures:
            return
        yield from pictures


@dataclass(slots=True)
class _Packets:
    """What the packets of a stream tell.

    Attributes:
        times: one for each shown frame, as far as packets tell, on a clock without jumps.
        key_times: of those that decoding can begin at.
        are_frames: whether the packets tell at all.
        found: packets that are whole.
        announced: how many frames the header counts; 0 where it does not.
        missing: bytes by which the file is shorter than it says.
        shifts_s: see ``ContinuousClock``.
    """

    codec: str
    times: list[int]
    key_times: list[int]
    are_frames: bool
    found: int
    announced: int
    missing: int
    shifts_s: list[Fraction]
    remarks: list[str]

    @classmethod
    def read(
        cls, container: InputContainer, stream: VideoStream, path: Path, reading: Reading, *, has_clock: bool
    ) -> "_Packets":
        context, base = stream.codec_context, Fraction(stream.time_base or Fraction(1, 1000))
        codec = context.codec.canonical_name
        count = picture_counter(codec, context.extradata)
        clock = ContinuousClock() if container.format.name in JUMPING_FORMATS else None
        times: list[int] = []
        keys: list[int] = []
        remarks: list[str] = []
        found, is_known, is_reordered = 0, True, False
        last = None
        try:
            for packet in container.demux(stream):
                if packet.size == 0:
                    continue
                found += not packet.is_corrupt
                time = packet.pts if packet.pts is not None else packet.dts
                is_known = is_known and (packet.pts is not None or not has_clock)
                if not has_clock:
                    time = found
                # Packets outside the edit list are decoded for the sake of others and never shown.
                if time is None or packet.is_discard:
                    continue
                if clock is not None:
                    time -= round(_shift_s(clock, packet, base) / base)
                is_reordered = is_reordered or (last is not None and time < last)
                last = time
                pictures = 1 if count is None else count(memoryview(packet))
                is_known = is_known and pictures is not None
                if pictures:
                    times.append(time)
                    if packet.is_keyframe:
                        keys.append(time)
        except av.error.FFmpegError as error:
            if reading.strict or not found:
                raise InputError(
                    f"{path} is damaged after {found} frames ({error.strerror}); copy or export it again"
                ) from None
            remarks.append(f"{path} cannot be read beyond frame {found} ({error.strerror})")
        missing = missing_bytes(path)
        if missing:
            declared = f" of {stream.frames}" if found < stream.frames else ""
            raise InputError(
                f"{path} is cut short: {found}{declared} frames are there and {missing} bytes are missing; "
                f"copy it again, or make what is there whole with: ffmpeg -i {path.name} -c copy whole{path.suffix}"
            )
        if not found:
            raise InputError(f"{path} has no video stream with frames; export it again")
        # AVI counts packets as they lie there: with a codec that reorders, that is not when they are shown.
        stamps_are_places = container.format.name == "avi" and bool(context.has_b_frames) and not is_reordered
        rises = len(set(times)) == len(times)
        are_frames = is_known and rises and not stamps_are_places
        shifts = [] if clock is None else clock.shifts_s
        announced = stream.frames if container.format.name in _COUNTING_FORMATS else 0
        return cls(codec, times, keys, are_frames, found, announced, missing, shifts, remarks)


def _shift_s(clock: ContinuousClock, packet: Packet, base: Fraction) -> Fraction:
    stamp = packet.dts if packet.dts is not None else packet.pts
    return clock.shift_s((stamp or 0) * base, (packet.duration or 0) * base)


def _is_probed(codec: str) -> bool:
    return picture_counter(codec, None) is None


def _agree(path: Path, times: list[int]) -> bool:
    """Whether the first pictures are shown when packets say."""
    with open_container(path) as container:
        stream = video_stream(container, path)
        stream.thread_count = 1  # no delay, and so no more work than is needed
        stamps = []
        for picture in decoded_pictures(container, stream, lambda: None):
            stamps.append(picture.pts)
            if len(stamps) == _PROBED:
                break
    expected = sorted(times)
    if not stamps or stamps[0] is None:
        return False
    at = bisect_left(expected, stamps[0])
    return stamps == expected[at : at + len(stamps)]


def _measured(path: Path, packets: _Packets, base: Fraction) -> FrameTimes:
    """Ask the decoder, as cheaply as it can be asked."""
    clock = ContinuousClock() if packets.shifts_s else None
    stamps: list[int | None] = []
    with open_container(path) as container:
        stream = video_stream(container, path)
        stream.codec_context.options = {"skip_loop_filter": "all", "skip_idct": "all"}
        stream.thread_count, stream.thread_type = cpu_count() or 1, "AUTO"
        for picture in decoded_pictures(container, stream, lambda: None):
            stamp = picture.pts
            if stamp is not None and clock is not None:
                lasts = max(0, stamps[-1] - stamps[-2]) if len(stamps) > 1 and None not in stamps[-2:] else 0  # type: ignore[operator]
                stamp -= round(clock.shift_s(stamp * base, lasts * base) / base)
            stamps.append(stamp)
    known = [stamp for stamp in stamps if stamp is not None]
    rises = len(known) == len(stamps) and all(before < after for before, after in pairwise(known))
    keys = sorted(set(packets.key_times) & set(known)) if rises else []
    return FrameTimes(
        _rising(known, len(stamps)), keys, base, in_order=not rises or bool(packets.shifts_s), measured=True
    )


def _rising(known: Iterable[int], count: int) -> list[int]:
    """``count`` times made of those that are known: in order, and continued where there are too few."""
    times = sorted(known)
    step = max(1, (times[-1] - times[0]) // (len(times) - 1)) if len(times) > 1 else 1
    times += [(times[-1] if times else 0) + step * (1 + extra) for extra in range(count - len(times))]
    for index in range(1, len(times)):
        # Broken streams repeat a stamp; every picture is a frame all the same.
        times[index] = max(times[index], times[index - 1] + 1)
    return times


def _clocked(
    times: FrameTimes, path: Path, rate: Fraction | None, said: Fraction | None, remarks: list[str]
) -> FrameTimes:
    """Frames of a stream without a clock, one after the other."""
    if rate is None and said is not None and 1 <= said <= 1000:
        rate = Fraction(said)
    if rate is None:
        rate = Fraction(25)
        remarks.append(
            f"{path} has no time stamps and names no frame rate; it is read at 25 frames a second unless --fps says "
            f"another"
        )
    return FrameTimes(list(range(len(times.times))), [], 1 / rate, in_order=True, measured=times.measured, rate=rate)


def _dropped(packets: _Packets, times: FrameTimes) -> tuple[int, ...]:
    """Places of the frames that a header counts beyond those that are there, where gaps in time tell them."""
    lacking = packets.announced - packets.found
    step = times.usual_step or 1
    count = round((times.times[-1] - times.times[0]) / step) + 1
    # A gap that is far longer than what the header counts is no row of dropped frames.
    if lacking <= 0 or count > 2 * packets.announced:
        return ()
    places = {round((time - times.times[0]) / step) for time in times.times}
    dropped = tuple(sorted(set(range(count)) - places))
    return dropped if len(dropped) >= lacking else ()


def _miscount(path: Path, packets: _Packets, times: FrameTimes, reading: Reading) -> Iterator[str]:
    """What to tell where a header counts more frames than there are."""
    lacking = packets.announced - packets.found
    if lacking <= 0:
        return
    if times.dropped:
        yield (
            f"{path}: {lacking} of its {packets.announced} frames were dropped when it was made; the frames before "
            f"them are shown for longer"
        )
        return
    told = f"{path}: its header counts {packets.announced} frames but {packets.found} are there"
    if reading.strict:
        raise InputError(f"{told}; copy or export it again, or read it without strict")
    yield told
