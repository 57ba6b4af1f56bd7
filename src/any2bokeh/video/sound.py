"""Sound tracks, carried from the source to the result beside the pictures."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.error
from av.container import InputContainer, OutputContainer
from av.packet import Packet

from any2bokeh.errors import InputError
from any2bokeh.video.clock import JUMPING_FORMATS, PRIMING_S, ContinuousClock
from any2bokeh.video.encoding import AudioPolicy
from any2bokeh.video.opening import open_container

# What a container without the source's codec gets: its usual one, at a rate where nobody hears a difference.
_SUBSTITUTES = {"webm": ("libopus", 192_000)}
_USUAL_SUBSTITUTE = ("aac", 256_000)

# Clocks are coarse: what ends less than this after the beginning, ends before it.
_ROUNDING_S = Fraction(1, 1000)


@dataclass(slots=True)
class _Track:
    source: Any
    result: Any
    recoded: bool
    resampler: Any = None
    clock: ContinuousClock | None = None
    end_s: Fraction | None = None


@dataclass(slots=True)
class SoundTracks:
    """Copies the sound of ``path`` into ``container``, a little ahead of the pictures.

    Packets are copied bit for bit. Of a trimmed range, those are kept that begin in it: at its ends the sound may
    lack, or reach over, by less than one packet (21 ms of AAC).
    """

    container: OutputContainer
    path: Path
    policy: AudioPolicy = "auto"
    trimmed: bool = False
    clock_shifts_s: Sequence[Fraction] = ()
    _input: InputContainer | None = None
    _tracks: dict[int, _Track] = field(default_factory=dict)
    _packets: Iterator[Packet] | None = None
    _ahead: Packet | None = None
    _begin_s: Fraction = Fraction(0)
    _unheard_s: Fraction = Fraction(0)

    def add_tracks(self, *, recode: bool = False) -> bool:
        """Make a track in the result for each of the source; False if there are none.

        Args:
            recode: re-encode every track, for containers that refuse a codec only when the header is written.

        Raises:
            InputError: if a codec does not fit and ``policy`` is ``copy``.
        """
        if self.policy == "none":
            return False
        self._input = open_container(self.path)
        # Files other than broadcasts tell how much at the beginning a decoder needs but does not play.
        self._unheard_s = Fraction(0) if self._input.format.name in JUMPING_FORMATS else PRIMING_S
        for source in self._input.streams.audio:
            if source.codec_context is None:
                continue
            track = self._recoded(source) if recode else self._copied(source) or self._recoded(source)
            for key in ("language", "title"):
                if key in source.metadata:
                    track.result.metadata[key] = source.metadata[key]
            if self.clock_shifts_s:
                track.clock = ContinuousClock(self.clock_shifts_s)
            self._tracks[source.index] = track
        if not self._tracks:
            self.close()
        return bool(self._tracks)

    def begin(self, time_s: Fraction) -> None:
        """Start at ``time_s`` of the source's clock, which becomes 0 of the result."""
        if self._input is None:
            return
        self._begin_s = time_s
        # A clock that jumps cannot be sought in.
        if self.trimmed and not self.clock_shifts_s:
            # A second early, as containers seek coarsely; what lies before is left out below.
            first = min(0, self._input.start_time or 0)
            self._input.seek(max(first, int((time_s - 1) * av.time_base)), backward=True)
        self._packets = self._input.demux(*(track.source for track in self._tracks.values()))

    def write_until(self, time_s: Fraction | None) -> None:
        """Write what begins before ``time_s`` of the source's clock; None = everything that is left."""
        while (packet := self._next()) is not None:
            track = self._tracks[packet.stream.index]
            if packet.size == 0:
                self._ahead = None
                continue
            time = _begin_of(packet)
            if time is not None and time_s is not None and time >= time_s:
                return
            self._ahead = None
            if self.trimmed and (time is None or time < self._begin_s):
                continue
            if time is not None and time + _length_of(packet) < self._begin_s - self._unheard_s + _ROUNDING_S:
                continue
            if track.recoded:
                self._recode(track, packet)
            else:
                self._copy(track, packet)

    def finish(self) -> None:
        """Write what encoders still hold."""
        for track in self._tracks.values():
            if track.recoded:
                for frame in track.resampler.resample(None):
                    self.container.mux(track.result.encode(frame))
                self.container.mux(track.result.encode(None))

    def close(self) -> None:
        """Let go of the source; may be called twice."""
        if self._input is not None:
            self._input.close()
            self._input = None

    def _next(self) -> Packet | None:
        if self._ahead is None and self._packets is not None:
            try:
                self._ahead = self._on_one_clock(next(self._packets, None))
            except av.error.FFmpegError as error:
                raise InputError(
                    f"the sound of {self.path} is damaged ({error.strerror}); repair it or leave it out"
                ) from None
        return self._ahead

    def _on_one_clock(self, packet: Packet | None) -> Packet | None:
        """A packet with the jumps of its clock taken out; of two recordings that overlap there, the first is heard."""
        track = None if packet is None or packet.size == 0 else self._tracks[packet.stream.index]
        if packet is None or track is None or track.clock is None or (begin := _begin_of(packet)) is None:
            return packet
        lasts = _length_of(packet)
        shift = round(track.clock.shift_s(begin, lasts) / packet.time_base)
        packet.pts = None if packet.pts is None else packet.pts - shift
        packet.dts = None if packet.dts is None else packet.dts - shift
        begin -= shift * packet.time_base
        if track.end_s is not None and begin < track.end_s - lasts / 2:
            return self._on_one_clock(next(self._packets or iter(()), None))
        track.end_s = begin + lasts
        return packet

    def _copied(self, source: Any) -> _Track | None:
        try:
            return _Track(source, self.container.add_stream_from_template(source), recoded=False)
        except ValueError:
            if self.policy == "copy":
                raise InputError(
                    f"{self.container.format.name} cannot hold the {source.codec_context.name} sound of {self.path}; "
                    f"write .mkv, or let the sound be re-encoded"
                ) from None
            return None

    def _recoded(self, source: Any) -> _Track:
        encoder, bit_rate = _SUBSTITUTES.get(self.container.format.name, _USUAL_SUBSTITUTE)
        context = source.codec_context
        rate = 48_000 if encoder == "libopus" else context.sample_rate
        result: Any = self.container.add_stream(encoder, rate=rate)
        result.bit_rate = bit_rate * max(1, context.channels) // 2
        result.layout = context.layout
        resampler = av.AudioResampler(format=result.format, layout=result.layout, rate=rate)
        return _Track(source, result, recoded=True, resampler=resampler)

    def _copy(self, track: _Track, packet: Packet) -> None:
        shift = round(self._begin_s / packet.time_base)
        if packet.pts is not None:
            packet.pts -= shift
        if packet.dts is not None:
            packet.dts -= shift
        packet.stream = track.result
        self.container.mux(packet)

    def _recode(self, track: _Track, packet: Packet) -> None:
        for decoded in packet.decode():
            if decoded.pts is not None and decoded.time_base is not None:
                decoded.pts -= round(self._begin_s / decoded.time_base)
            for frame in track.resampler.resample(decoded):
                self.container.mux(track.result.encode(frame))


def _begin_of(packet: Packet) -> Fraction | None:
    stamp = packet.pts if packet.pts is not None else packet.dts
    return None if stamp is None else stamp * packet.time_base


def _length_of(packet: Packet) -> Fraction:
    return (packet.duration or 0) * Fraction(packet.time_base)
