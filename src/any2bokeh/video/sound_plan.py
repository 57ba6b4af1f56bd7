"""What becomes of each sound track: copied, converted, or left out; found out before the first frame."""

import io
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.error
from av.packet import Packet

from any2bokeh.errors import InputError
from any2bokeh.video.encoding import SoundPolicy
from any2bokeh.video.media_file import open_container
from any2bokeh.video.sound_converter import SoundConverter, Target, target_of

# FFmpeg writes PCM into MP4 (ISO/IEC 23003-5), but few players read it, and FFmpeg 5 plays 24 bits as noise.
_UNPLAYABLE = {"mp4": ("pcm_",)}
_EXTENSIONS = {"mp4": ".mp4", "mov": ".mov", "matroska": ".mkv", "webm": ".webm"}
# So many packets of a track are tried, and so many of the whole file are read to find them.
_TRIED_PACKETS = 4
_SOUGHT_PACKETS = 3000


@dataclass(frozen=True, slots=True)
class TrackPlan:
    """One track of the result: the stream of the source that it comes from, and what it becomes; None = copied."""

    index: int
    target: Target | None


@dataclass(slots=True)
class SoundPlan:
    """The tracks of the result, and what is told about them."""

    tracks: list[TrackPlan] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


def plan_sound(path: Path, format_name: str, policy: SoundPolicy) -> SoundPlan:
    """Decide over every sound track of ``path``, by trying: a copy is muxed, a conversion is encoded, in memory.

    Args:
        path: the source.
        format_name: FFmpeg's name of the result's container.
        policy: see ``Encoding.sound``.

    Raises:
        InputError: if ``policy`` is ``copy`` and a track cannot be copied, or a track cannot be converted at all.
    """
    plan = SoundPlan()
    if policy == "none":
        return plan
    converted: dict[tuple[str, str], list[str]] = {}
    with open_container(path) as container:
        found, is_complete = _first_packets(container)
        for number, stream in enumerate(container.streams.audio, 1):
            packets = found.get(stream.index, [])
            name = _named(stream, number, len(container.streams.audio))
            missing = _missing(container, stream, packets, is_complete)
            if missing:
                plan.remarks.append(f"the {name} of {path} {missing}; it is left out")
                continue
            target = _target(path, format_name, policy, stream, packets, name)
            plan.tracks.append(TrackPlan(stream.index, target))
            if target is not None:
                holders = "" if policy == "aac" else _holders(stream, packets, format_name)
                converted.setdefault((_change(stream, target), holders), []).append(name)
    reason = "as asked" if policy == "aac" else f"as {_EXTENSIONS[format_name]} cannot hold it"
    for (change, holders), names in converted.items():
        verb = "is" if len(names) == 1 else "are"
        plan.remarks.append(f"the {' and the '.join(names)} of {path} {verb} converted to {change}, {reason}{holders}")
    return plan


def _holders(stream: Any, packets: list[Packet], format_name: str) -> str:
    """Which other containers hold a track as it is, as the end of a remark."""
    held = [
        _EXTENSIONS[other]
        for other in ("mov", "matroska")
        if other != format_name and _can_be_copied(stream, packets, other)
    ]
    return f"; {' or '.join(held)} can" if held else ""


def _named(stream: Any, number: int, count: int) -> str:
    codec = "unknown" if stream.codec_context is None else stream.codec_context.name
    return f"{codec} sound" if count == 1 else f"{codec} sound of track {number}"


def _missing(container: Any, stream: Any, packets: list[Packet], is_complete: bool) -> str | None:
    """Why nothing can be made of a track; None where something can."""
    if stream.codec_context is None:
        return "is of a codec that FFmpeg does not know"
    has_index = "mp4" in container.format.name
    if not packets and (is_complete or (has_index and not stream.frames)):
        return "has no samples"
    return None


def _target(
    path: Path, format_name: str, policy: SoundPolicy, stream: Any, packets: list[Packet], name: str
) -> Target | None:
    target = target_of(stream.codec_context, format_name)
    if policy == "aac":
        is_that = stream.codec_context.codec.canonical_name == target.codec
        copied = is_that and _can_be_copied(stream, packets, format_name)
    else:
        copied = _can_be_copied(stream, packets, format_name)
    if copied:
        return None
    if policy == "copy":
        holders = _holders(stream, packets, format_name).replace("; ", "").replace(" can", "")
        write = f"write {holders}, or " if holders else ""
        raise InputError(
            f"{_EXTENSIONS[format_name]} cannot hold the {name} of {path}; {write}let it be converted (--sound auto)"
        )
    _try_conversion(path, stream, packets, name, target)
    return target


def _change(stream: Any, target: Target) -> str:
    layout = stream.codec_context.layout
    change = f"{target.label} {target.layout}, {target.rate_hz / 1000:g} kHz, {target.bit_rate // 1000} kb/s"
    if layout.nb_channels > target.source_channels:
        return f"{change}, of its first {target.source_channels} channels of {layout.nb_channels}"
    if layout.nb_channels > 2 and layout.name == f"{layout.nb_channels} channels":
        return f"{change} (which of its channels is which is not told)"
    return change


def _first_packets(container: Any) -> tuple[dict[int, list[Packet]], bool]:
    """The first packets of every sound track, and whether the file was read to its end for them."""
    found: dict[int, list[Packet]] = {stream.index: [] for stream in container.streams.audio}
    try:
        for count, packet in enumerate(container.demux()):
            packets = found.get(packet.stream_index)
            if packets is not None and packet.size and len(packets) < _TRIED_PACKETS:
                packets.append(packet)
            if count >= _SOUGHT_PACKETS or all(len(each) == _TRIED_PACKETS for each in found.values()):
                return found, False
    except av.error.FFmpegError:
        return found, False
    return found, True


def _can_be_copied(stream: Any, packets: list[Packet], format_name: str) -> bool:
    codec = stream.codec_context.name
    if any(codec.startswith(kind) for kind in _UNPLAYABLE.get(format_name, ())):
        return False
    try:
        with av.open(io.BytesIO(), "w", format=format_name) as trial:
            track = trial.add_stream_from_template(stream)
            trial.start_encoding()
            for packet in packets:
                trial.mux(_twin(packet, track))
    except (ValueError, av.error.FFmpegError):
        return False
    return True


def _twin(packet: Packet, track: Any) -> Packet:
    twin = av.Packet(bytes(packet))
    twin.pts, twin.dts, twin.time_base = packet.pts, packet.dts, packet.time_base
    twin.duration, twin.is_keyframe, twin.stream = packet.duration or 0, packet.is_keyframe, track
    return twin


def _try_conversion(path: Path, stream: Any, packets: list[Packet], name: str, target: Target) -> None:
    try:
        with av.open(io.BytesIO(), "w", format="nut" if target.codec == "aac" else "ogg") as trial:
            converter = SoundConverter(stream, target.add_to(trial), target)
            for packet in packets:
                trial.mux(converter.converted(packet, Fraction(0)))
            trial.mux(converter.silence(target.rate_hz // 4))
            trial.mux(converter.rest())
    except (ValueError, av.error.FFmpegError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(
            f"the {name} of {path} cannot be converted to {target.label} ({reason}); leave it out with --sound none"
        ) from None
