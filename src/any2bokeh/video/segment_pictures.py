"""Segments of a video file: pictures that are encoded by themselves, and joined without being encoded again."""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import av
import av.error
import numpy as np
from av.packet import Packet
from numpy.typing import NDArray

from any2bokeh.errors import InputError
from any2bokeh.pending_output import write_failure
from any2bokeh.video.alpha import alpha_bits
from any2bokeh.video.frame import Frame
from any2bokeh.video.media_file import file_url
from any2bokeh.video.picture_encoder import PictureEncoder
from any2bokeh.video.sink import SegmentSink

_PICTURES, _STAMPS = "pictures.packets", "stamps.json"


class PictureSegment(SegmentSink):
    """Writes the pictures of one segment into a folder; see ``ContainerSink.segment``.

    The container keeps packets as the encoder made them: NUT does, but knows no ProRes, for which it is QuickTime, and
    no alpha beside the pictures (VP9), for which it is Matroska. Time stamps stand in a file of their own, in the
    result's unit and counted on its clock, so that no container rounds them.

    Args:
        folder: an empty one.
        encoder: a new one, run as every other of the result.
        parameters: see ``PictureEncoder.add_to``.
        origin_s: what the result's clock calls 0, on the source's clock.
    """

    def __init__(
        self, folder: Path, encoder: PictureEncoder, parameters: Mapping[str, str], origin_s: Fraction
    ) -> None:
        self._folder = folder
        self._encoder = encoder
        self._origin_s = origin_s
        self._stamps: list[tuple[int, int]] = []
        self._decoded_at: list[int] = []
        path = folder / _PICTURES
        try:
            self._container = av.open(file_url(path), "w", format=_container_for(encoder))
            encoder.add_to(self._container, dict(parameters))
        except OSError as error:
            raise write_failure(encoder.path, error) from None

    def write(self, frame: Frame, pixels: NDArray[np.float32]) -> None:
        """See ``SegmentSink``."""
        self._mux(self._encoder.packets(frame, pixels, self._origin_s))

    def finish(self) -> None:
        """See ``SegmentSink``."""
        self._mux(self._encoder.rest())
        first = min(pts for pts, _ in self._stamps)
        told = {"delay": sum(dts < first for dts in self._decoded_at), "stamps": self._stamps}
        try:
            self._container.close()
            (self._folder / _STAMPS).write_text(json.dumps(told))
        except OSError as error:
            raise write_failure(self._encoder.path, error) from None

    def close(self) -> None:
        """See ``SegmentSink``."""
        with suppress(OSError, av.error.FFmpegError):  # the failure that led here is being reported
            self._container.close()

    def _mux(self, packets: list[Packet]) -> None:
        for packet in packets:
            assert packet.pts is not None
            self._stamps.append((packet.pts, packet.duration or 0))
            self._decoded_at.append(packet.pts if packet.dts is None else packet.dts)
            try:
                self._container.mux(packet)
            except OSError as error:
                raise write_failure(self._encoder.path, error) from None


class JoinedPacket(NamedTuple):
    """A packet of a result.

    Attributes:
        packet: with time stamps of the result; its stream is still that of its segment.
        shown_at, shown_until: of the picture that is shown when this one is decoded, in the same unit.
    """

    packet: Packet
    shown_at: int
    shown_until: int


def joined_packets(folders: Iterable[Path], time_base: Fraction, extradata: bytes | None) -> Iterator[JoinedPacket]:
    """The packets of segments one after another, in the order in which they are decoded.

    Decoding times are those that one encoder over all of it would have given: the times at which pictures are shown,
    by as many pictures earlier as it reorders. The segments are closed, so that holds over their borders.

    Args:
        folders: the segments, in order.
        time_base: the unit of time stamps, in seconds.
        extradata: what the result's header says of the codec.

    Raises:
        InputError: a segment is damaged, or its encoder was another.
    """
    before: list[int] = []  # times of the pictures that were shown last, as many as are reordered
    last: int | None = None
    for folder in folders:
        stamps, delay = _stamps(folder)
        own = sorted(pts for pts, _ in stamps)
        shown = _rising(own, last)
        place = {pts: rank for rank, pts in enumerate(own)}
        if last is None:
            before = _before(shown, delay)
        times = [*before, *shown]
        with _opened(folder) as container:
            stream = container.streams.video[0]
            if (stream.codec_context.extradata or None) != (extradata or None):
                raise InputError(
                    f"segment {folder} was encoded by another version of the encoder; begin anew with --overwrite"
                )
            count = 0
            for packet in container.demux(stream):
                if packet.size == 0:
                    continue
                if count == len(stamps):
                    raise _damaged(folder)
                pts, duration = stamps[count]
                packet.pts, packet.dts = shown[place[pts]], times[count]
                packet.duration, packet.time_base = duration, time_base
                yield JoinedPacket(packet, shown[count], shown[count] + duration)
                count += 1
        if count != len(stamps):
            raise _damaged(folder)
        before, last = times[len(shown) :], shown[-1]


def _container_for(encoder: PictureEncoder) -> str:
    if encoder.codec.name == "vp9" and alpha_bits(encoder.pixel_format):
        return "matroska"
    return "mov" if encoder.codec.name == "prores" else "nut"


def _stamps(folder: Path) -> tuple[list[tuple[int, int]], int]:
    """Time stamps and durations of a segment's packets, and by how many pictures they are reordered."""
    try:
        told: Any = json.loads((folder / _STAMPS).read_text())
        return [(int(pts), int(duration)) for pts, duration in told["stamps"]], int(told["delay"])
    except (OSError, ValueError, KeyError, TypeError):
        raise _damaged(folder) from None


def _opened(folder: Path) -> Any:
    try:
        return av.open(file_url(folder / _PICTURES))
    except (OSError, av.error.FFmpegError):
        raise _damaged(folder) from None


def _rising(shown: list[int], last: int | None) -> list[int]:
    """Times that rise over the border, as ``PictureEncoder`` makes them rise within a segment."""
    risen: list[int] = []
    for pts in shown:
        last = pts if last is None else max(pts, last + 1)
        risen.append(last)
    return risen


def _before(shown: list[int], delay: int) -> list[int]:
    """Decoding times of the first pictures, before the first one is shown."""
    if delay >= len(shown):
        return [shown[0] - delay + i for i in range(delay)]
    return [shown[i] - (shown[delay] - shown[0]) for i in range(delay)]


def _damaged(folder: Path) -> InputError:
    return InputError(f"segment {folder} is damaged; remove it, and render it again with --resume")
