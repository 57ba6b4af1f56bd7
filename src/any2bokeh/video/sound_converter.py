"""Sound of any kind, made into the kind that a container holds and players know."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av
import av.error
import numpy as np
from av.filter import Graph
from av.packet import Packet

# Layouts that the codec has a number of its own for; any other becomes the smallest of these that holds it.
_LAYOUTS = {
    "aac": ("mono", "stereo", "3.0", "4.0", "5.0", "5.1", "7.1"),
    "opus": ("mono", "stereo", "3.0", "quad", "5.0", "5.1", "6.1", "7.1"),
}
# What players take a layout for that is unknown but for its count.
_DEFAULT_LAYOUTS = {1: "mono", 2: "stereo", 3: "2.1", 4: "4.0", 5: "5.0", 6: "5.1", 7: "6.1", 8: "7.1"}
_MOST_CHANNELS = 8
# Of AAC, those that every player decodes.
_AAC_RATES_HZ = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
# For each channel; at twice this in stereo nobody hears a difference.
_BIT_RATES = {"aac": 128_000, "opus": 96_000}
# Time stamps of sound are this coarse in some containers; what is missing beyond it is filled with silence.
_TOLERANCE_S = Fraction(1, 20)
# A jump of the clock that is longer is no gap in the sound.
_LONGEST_GAP_S = 3600


@dataclass(frozen=True, slots=True)
class Target:
    """What a track becomes.

    Attributes:
        codec: FFmpeg's name of the codec, ``aac`` or ``opus``.
        layout: FFmpeg's name of the channel layout.
        rate_hz: samples a second.
        source_channels: how many of the source's channels are taken.
    """

    codec: str
    layout: str
    rate_hz: int
    source_channels: int

    @property
    def label(self) -> str:
        """The codec's name for people."""
        return {"aac": "AAC", "opus": "Opus"}[self.codec]

    @property
    def bit_rate(self) -> int:
        """In bits a second."""
        # AAC has no use for more than 6 bits a sample. Source: ISO/IEC 14496-3, 4.5.3.
        most = 6 * self.rate_hz if self.codec == "aac" else _BIT_RATES["opus"]
        return min(_BIT_RATES[self.codec], most) * av.AudioLayout(self.layout).nb_channels

    def add_to(self, container: Any) -> Any:
        """Make a track of this kind in an output container."""
        encoder = {"aac": "aac", "opus": "libopus"}[self.codec]
        track: Any = container.add_stream(encoder, rate=self.rate_hz)
        track.bit_rate, track.layout = self.bit_rate, self.layout
        track.codec_context.time_base = Fraction(1, self.rate_hz)
        return track


def target_of(source: Any, format_name: str) -> Target:
    """What the sound of a codec context becomes in a container, by FFmpeg's name of it."""
    codec = "opus" if format_name == "webm" else "aac"
    count = source.layout.nb_channels
    taken = count if count <= _MOST_CHANNELS else 2
    return Target(codec, _layout(codec, source.layout.name, taken), _rate_hz(codec, source.sample_rate), taken)


def _layout(codec: str, name: str, count: int) -> str:
    held = _LAYOUTS[codec]
    known = _DEFAULT_LAYOUTS.get(count, "") if name.endswith("channels") else name
    if known in held:
        return known
    return {1: "mono", 2: "stereo"}.get(count, "5.1" if count <= 6 else "7.1")


def _rate_hz(codec: str, source_hz: int) -> int:
    if codec == "opus":
        return 48_000
    if source_hz > _AAC_RATES_HZ[-1] and source_hz % 11025 == 0:
        return 44_100
    return next((rate for rate in _AAC_RATES_HZ if rate >= source_hz), _AAC_RATES_HZ[-1])


class SoundConverter:
    """Packets of a source's track to packets of a result's. What cannot be decoded is silent and counted."""

    def __init__(self, source: Any, track: Any, target: Target) -> None:
        self._source = source
        self._track = track
        self._target = target
        self._resampler: av.AudioResampler | None = None
        self._kind: tuple[str, str, int] | None = None
        self._next: int | None = None  # the next sample of the result
        self.damaged = 0
        self.first_damage_s: Fraction | None = None

    def converted(self, packet: Packet, begin_s: Fraction) -> list[Packet]:
        """What a packet gives; ``begin_s`` of the source's clock is 0 of the result's."""
        try:
            decoded = packet.decode()
        except av.error.FFmpegError:
            self.damaged += 1
            if self.first_damage_s is None and packet.pts is not None:
                self.first_damage_s = packet.pts * packet.time_base - begin_s
            return []
        return [found for frame in decoded for found in self._encoded(frame, begin_s)]

    def silence(self, samples: int) -> list[Packet]:
        """So many samples of nothing."""
        target, found = self._target, []
        channels = av.AudioLayout(target.layout).nb_channels
        while samples > 0:
            count = min(samples, target.rate_hz)
            # Interleaved: PyAV counts one plane too many of eight.
            zeros = av.AudioFrame.from_ndarray(np.zeros((1, count * channels), np.int16), "s16", target.layout)
            zeros.sample_rate = target.rate_hz
            for frame in av.AudioResampler(self._track.format, target.layout, target.rate_hz).resample(zeros):
                found += self._written(frame)
            samples -= count
        return found

    def rest(self) -> list[Packet]:
        """What resampler and encoder still hold."""
        return [*self._drained(), *self._track.encode(None)]

    def _encoded(self, frame: Any, begin_s: Fraction) -> Iterator[Packet]:
        position = None
        if frame.pts is not None and frame.time_base is not None:
            position = round((frame.pts * frame.time_base - begin_s) * self._target.rate_hz)
        if frame.layout.nb_channels > self._target.source_channels:
            frame = _first_channels(frame, self._target.source_channels)
        if self._next is None:
            self._next = position or 0
        gap = 0 if position is None else position - self._next
        if _TOLERANCE_S * self._target.rate_hz < gap < _LONGEST_GAP_S * self._target.rate_hz:
            yield from self._drained()
            yield from self.silence(max(0, position - self._next) if position is not None else 0)
        kind = (frame.format.name, frame.layout.name, frame.sample_rate)
        if kind != self._kind:
            yield from self._drained()
            self._kind = kind
        if self._resampler is None:
            self._resampler = av.AudioResampler(self._track.format, self._target.layout, self._target.rate_hz)
        frame.pts = None
        for resampled in self._resampler.resample(frame):
            yield from self._written(resampled)

    def _drained(self) -> list[Packet]:
        if self._resampler is None:
            return []
        frames, self._resampler = self._resampler.resample(None), None
        return [packet for frame in frames if frame is not None for packet in self._written(frame)]

    def _written(self, frame: Any) -> list[Packet]:
        # The encoder's own count: time stamps of sources are too coarse to lay samples seamlessly side by side.
        self._next = self._next or 0
        frame.pts, frame.time_base = self._next, Fraction(1, self._target.rate_hz)
        self._next += frame.samples
        return self._track.encode(frame)


def _first_channels(frame: Any, count: int) -> Any:
    graph = Graph()
    source = graph.add(
        "abuffer",
        sample_rate=str(frame.sample_rate),
        sample_fmt=frame.format.name,
        channel_layout=frame.layout.name,
        time_base=str(frame.time_base),
    )
    taken = "|".join(f"c{channel}=c{channel}" for channel in range(count))
    taker = graph.add("pan", f"{_DEFAULT_LAYOUTS[count]}|{taken}")
    sink = graph.add("abuffersink")
    source.link_to(taker)
    taker.link_to(sink)
    graph.configure()
    graph.push(frame)
    return graph.pull()
