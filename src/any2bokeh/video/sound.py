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

from any2bokeh.video.clock import JUMPING_FORMATS, PRIMING_S, ContinuousClock
from any2bokeh.video.encoding import SoundPolicy
from any2bokeh.video.media_file import open_container
from any2bokeh.video.sound_converter import SoundConverter
from any2bokeh.video.sound_plan import plan_sound

# So many faults in a row, and what follows is taken for lost.
_MOST_FAULTS = 50

# Clocks are coarse: what ends less than this after the beginning, ends before it.
_ROUNDING_S = Fraction(1, 1000)


@dataclass(slots=True)
class _Track:
    source: Any
    result: Any
    converter: SoundConverter | None
    clock: ContinuousClock | None = None
    end_s: Fraction | None = None


@dataclass(slots=True)
class SoundTracks:
    """Copies the sound of ``path`` into ``container``, a little ahead of the pictures.

    Packets are copied bit for bit where the container holds them. Of a trimmed range, those are kept that begin in it:
    at its ends the sound may lack, or reach over, by less than one packet (21 ms of AAC).

    Attributes:
        remarks: what is to be told: after ``add_tracks`` what is converted or left out, after ``finish`` what was
            damaged.
    """

    container: OutputContainer
    path: Path
    policy: SoundPolicy = "auto"
    trimmed: bool = False
    clock_shifts_s: Sequence[Fraction] = ()
    remarks: list[str] = field(default_factory=list)
    _input: InputContainer | None = None
    _tracks: dict[int, _Track] = field(default_factory=dict)
    _packets: Iterator[Packet] | None = None
    _ahead: Packet | None = None
    _begin_s: Fraction = Fraction(0)
    _unheard_s: Fraction = Fraction(0)
    _faults: int = 0
    _faults_in_a_row: int = 0
    _reached_s: Fraction = Fraction(0)

    def add_tracks(self) -> bool:
        """Make a track in the result for each of the source that has sound; False if there are none.

        Raises:
            InputError: if a track does not fit and ``policy`` is ``copy``, or if it cannot be converted.
        """
        plan = plan_sound(self.path, self.container.format.name, self.policy)
        self.remarks += plan.remarks
        if not plan.tracks:
            return False
        self._input = open_container(self.path)
        # Files other than broadcasts tell how much at the beginning a decoder needs but does not play.
        self._unheard_s = Fraction(0) if self._input.format.name in JUMPING_FORMATS else PRIMING_S
        for track in plan.tracks:
            source: Any = self._input.streams[track.index]
            if track.target is None:
                result: Any = self.container.add_stream_from_template(source)
                converter = None
            else:
                result = track.target.add_to(self.container)
                converter = SoundConverter(source, result, track.target)
            keep_labels(source, result)
            clock = ContinuousClock(self.clock_shifts_s) if self.clock_shifts_s else None
            self._tracks[track.index] = _Track(source, result, converter, clock)
        return True

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
                if track.converter is not None and packet.pts is None and packet.dts is None:
                    # The end of the track: what its decoder still holds.
                    self.container.mux(track.converter.converted(packet, self._begin_s))
                continue
            time = _begin_of(packet)
            if time is not None and time_s is not None and time >= time_s:
                return
            self._ahead = None
            if self.trimmed and (time is None or time < self._begin_s):
                continue
            if time is not None and time + _length_of(packet) < self._begin_s - self._unheard_s + _ROUNDING_S:
                continue
            self._reached_s = self._reached_s if time is None else time - self._begin_s
            if track.converter is not None:
                self.container.mux(track.converter.converted(packet, self._begin_s))
            else:
                self._copy(track, packet)

    def finish(self) -> None:
        """Write what encoders still hold, and say what was damaged."""
        for track in self._tracks.values():
            if track.converter is not None:
                self.container.mux(track.converter.rest())
                self._tell_damage(track.converter)
        if self._faults:
            self.remarks.append(
                f"the sound of {self.path} is damaged in {self._faults} places, the last near "
                f"{_clock(self._reached_s)}; what could be read is kept"
            )

    def close(self) -> None:
        """Let go of the source; may be called twice."""
        if self._input is not None:
            self._input.close()
            self._input = None

    def _next(self) -> Packet | None:
        while self._ahead is None and self._packets is not None:
            try:
                self._ahead = self._on_one_clock(next(self._packets, None))
            except av.error.FFmpegError:
                self._faults += 1
                self._faults_in_a_row += 1
                if self._faults_in_a_row > _MOST_FAULTS or self._input is None:
                    self._packets = None
                    break
                # A demuxer goes on behind what it stumbled over, but its iterator does not.
                self._packets = self._input.demux(*(track.source for track in self._tracks.values()))
            else:
                self._faults_in_a_row = 0
                return self._ahead
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

    def _tell_damage(self, converter: SoundConverter) -> None:
        if converter.damaged:
            since = "" if converter.first_damage_s is None else f", the first at {_clock(converter.first_damage_s)}"
            self.remarks.append(
                f"{converter.damaged} sound packets of {self.path} are damaged{since}; silence stands in for them"
            )

    def _copy(self, track: _Track, packet: Packet) -> None:
        shift = round(self._begin_s / packet.time_base)
        if packet.pts is not None:
            packet.pts -= shift
        if packet.dts is not None:
            packet.dts -= shift
        packet.stream = track.result
        self.container.mux(packet)


def keep_labels(source: Any, result: Any) -> None:
    """Give a track of the result the language, the title and the role (default, forced..) of the source's."""
    for key in ("language", "title"):
        if key in source.metadata:
            result.metadata[key] = source.metadata[key]
    result.disposition = source.disposition


def _begin_of(packet: Packet) -> Fraction | None:
    stamp = packet.pts if packet.pts is not None else packet.dts
    return None if stamp is None else stamp * packet.time_base


def _length_of(packet: Packet) -> Fraction:
    return (packet.duration or 0) * Fraction(packet.time_base)


def _clock(time_s: Fraction) -> str:
    return f"{float(time_s):.2f} s"
