"""Subtitles, carried from the source to the result, in the kind of text that its container holds."""

import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.error
from av.container import InputContainer, OutputContainer
from av.packet import Packet

from any2bokeh.video.media_file import open_container
from any2bokeh.video.part import Part
from any2bokeh.video.sound import keep_labels

# What text becomes where it cannot stay as it is, by FFmpeg's name of the container.
_TEXT = {"mp4": "mov_text", "mov": "mov_text", "matroska": "subrip", "webm": "webvtt"}
_TEXT_CODECS = ("mov_text", "subrip", "srt", "ass", "ssa", "webvtt", "text")
# What fills the gaps of a text track of MP4; the muxer makes its own.
_NO_TEXT = b"\0\0"
# So long a line may be shown that began before a part.
_LONGEST_S = 60
_TICKS = 1000


@dataclass(slots=True)
class _Track:
    source: Any
    result: Any
    is_copied: bool


@dataclass(slots=True)
class Subtitles:
    """Copies the subtitles of ``path`` into ``container``, those of a part clipped to it.

    Attributes:
        remarks: what is to be told of tracks that are converted or left out.
    """

    container: OutputContainer
    path: Path
    part: Part
    remarks: list[str] = field(default_factory=list)
    _input: InputContainer | None = None
    _tracks: dict[int, _Track] = field(default_factory=dict)
    _packets: Iterator[Packet] | None = None
    _ahead: Packet | None = None

    def add_tracks(self) -> None:
        """Make a track in the result for each of the source that its container can hold."""
        container = open_container(self.path)
        for number, source in enumerate(container.streams.subtitles, 1):
            if _is_chapter_track(container, source, self.path):
                continue
            track = self._copied(source) or self._converted(source, number)
            if track is not None:
                keep_labels(source, track.result)
                self._tracks[source.index] = track
        self._input = container
        if not self._tracks:
            self.close()

    def begin(self) -> None:
        """Start reading, early enough for what is still shown when the part begins."""
        if self._input is None:
            return
        if not self.part.is_whole:
            early_s = max(Fraction(0), self.part.begin_s - _LONGEST_S)
            self._input.seek(int(early_s * av.time_base), backward=True)
        self._packets = self._input.demux(*(track.source for track in self._tracks.values()))

    def write_until(self, time_s: Fraction | None) -> None:
        """Write what begins before ``time_s`` of the source's clock; None = everything that is left."""
        while (packet := self._next()) is not None:
            time = None if packet.pts is None else packet.pts * packet.time_base
            if time is not None and time_s is not None and time >= time_s:
                return
            self._ahead = None
            if time is not None and packet.size and bytes(packet) != _NO_TEXT:
                self._write(self._tracks[packet.stream.index], packet, time)

    def close(self) -> None:
        """Let go of the source; may be called twice."""
        if self._input is not None:
            self._input.close()
            self._input = None

    def _next(self) -> Packet | None:
        if self._ahead is None and self._packets is not None:
            try:
                self._ahead = next(self._packets, None)
            except av.error.FFmpegError:
                self.remarks.append(f"the subtitles of {self.path} are damaged; what could be read is kept")
                self._packets = None
        return self._ahead

    def _copied(self, source: Any) -> _Track | None:
        if source.codec_context is None or not _can_be_copied(source, self.container.format.name):
            return None
        return _Track(source, self.container.add_stream_from_template(source), is_copied=True)

    def _converted(self, source: Any, number: int) -> _Track | None:
        format_name = self.container.format.name
        codec = "unknown" if source.codec_context is None else source.codec_context.name
        if codec not in _TEXT_CODECS:
            self.remarks.append(
                f"subtitle track {number} ({codec}) of {self.path} is left out, as {self.path_kind} cannot hold it"
            )
            return None
        header = _style_header(source)
        result: Any = self.container.add_stream(_TEXT[format_name])
        result.codec_context.subtitle_header = header
        result.codec_context.time_base = Fraction(1, _TICKS)
        self.remarks.append(
            f"subtitle track {number} ({codec}) of {self.path} is converted to {_TEXT[format_name]}, "
            f"as {self.path_kind} cannot hold it"
        )
        return _Track(source, result, is_copied=False)

    @property
    def path_kind(self) -> str:
        """The extension of the result."""
        return {"matroska": ".mkv"}.get(self.container.format.name, f".{self.container.format.name}")

    def _write(self, track: _Track, packet: Packet, time_s: Fraction) -> None:
        end_s = time_s + (packet.duration or 0) * packet.time_base
        if not self.part.is_whole:
            if time_s >= self.part.end_s or end_s <= self.part.begin_s:
                return
            time_s, end_s = max(time_s, self.part.begin_s), min(end_s, self.part.end_s)
        if track.is_copied:
            written = av.Packet(bytes(packet))
        else:
            written = _encoded(track, packet)
            if written is None:
                return
        written.time_base = Fraction(1, _TICKS)
        written.pts = written.dts = round((time_s - self.part.origin_s) * _TICKS)
        written.duration = round((end_s - time_s) * _TICKS)
        written.is_keyframe = True
        written.stream = track.result
        self.container.mux(written)


def _encoded(track: _Track, packet: Packet) -> Packet | None:
    try:
        decoded = track.source.codec_context.decode2(packet)
        if decoded is None or not len(decoded):
            return None
        return track.result.codec_context.encode_subtitle(decoded)
    except av.error.FFmpegError:
        # One line that is no text: the others are still good.
        return None


def _can_be_copied(source: Any, format_name: str) -> bool:
    try:
        with av.open(io.BytesIO(), "w", format=format_name) as trial:
            trial.add_stream_from_template(source)
            trial.start_encoding()
    except (ValueError, av.error.FFmpegError):
        return False
    return True


def _style_header(source: Any) -> bytes:
    """The styles that a decoder gives to its text, in ASS, which encoders want before the first line."""
    context = av.CodecContext.create(source.codec_context.codec.name, "r")
    context.extradata = source.codec_context.extradata
    context.open()
    return context.subtitle_header or b""


def _is_chapter_track(container: Any, source: Any, path: Path) -> bool:
    """Whether a text track holds the titles of chapters, which MP4 files have for players of Apple's."""
    if "mp4" not in container.format.name or source.codec_context is None or source.codec_context.name != "mov_text":
        return False
    titles = [chapter["metadata"].get("title", "") for chapter in container.chapters()]
    if not titles or source.frames != len(titles):
        return False
    with open_container(path) as twin:
        for packet in twin.demux(twin.streams[source.index]):
            text = bytes(packet)
            if packet.size > 2:
                return text[2 : 2 + int.from_bytes(text[:2], "big")].decode(errors="replace") == titles[0]
    return False
