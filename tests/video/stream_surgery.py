"""Streams of the kinds that encoders here do not write, made from those that they do."""

import io
import struct
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray


def with_packets(
    source: Path, target: Path, change: Callable[[int, bytes], bytes | None], *, shift_s: Fraction = Fraction(0)
) -> Path:
    """The pictures of a clip with other bytes in their packets: ``change(number, bytes)``; None leaves one out."""
    with av.open(str(source)) as reader, av.open(str(target), "w") as writer:
        stream = reader.streams.video[0]
        twin = writer.add_stream_from_template(stream)
        for number, packet in enumerate(p for p in reader.demux(stream) if p.size):
            data = change(number, bytes(packet))
            if data is None:
                continue
            copy = av.Packet(data)
            copy.time_base = packet.time_base
            copy.pts = packet.pts + round(shift_s / packet.time_base)  # type: ignore[operator]
            copy.dts = packet.dts + round(shift_s / packet.time_base)  # type: ignore[operator]
            copy.is_keyframe, copy.stream = packet.is_keyframe, twin
            copy.duration = packet.duration
            writer.mux(copy)
    return target


def remuxed(source: Path, target: Path, *, shift_s: Fraction = Fraction(0)) -> Path:
    """Pictures and sound of a clip in another container, with later time stamps."""
    with av.open(str(source)) as reader, av.open(str(target), "w") as writer:
        twins: dict[int, Any] = {s.index: writer.add_stream_from_template(s) for s in reader.streams}
        for packet in reader.demux():
            if packet.size == 0:
                continue
            shift = round(shift_s / packet.time_base)
            packet.pts, packet.dts = packet.pts + shift, packet.dts + shift  # type: ignore[operator]
            packet.stream = twins[packet.stream_index]
            writer.mux(packet)
    return target


def with_dropped_frames(clip: Path, target: Path, dropped: Sequence[int]) -> Path:
    """An AVI whose index has frames of no bytes, as capture programs write them where they were too slow."""
    data = clip.read_bytes()
    movi = data.find(b"movi")
    end = movi - 4 + struct.unpack("<I", data[movi - 4 : movi])[0]
    out, index, at = bytearray(data[: movi + 4]), [], movi + 4
    while at < end:
        size = struct.unpack("<I", data[at + 4 : at + 8])[0]
        body = data[at + 8 : at + 8 + size]
        if data[at : at + 4] == b"00dc":
            body = b"" if len(index) in dropped else body
            index.append((len(out) - movi, len(body)))
            out += b"00dc" + struct.pack("<I", len(body)) + body + b"\0" * (len(body) & 1)
        else:
            out += data[at : at + 8 + size + (size & 1)]
        at += 8 + size + (size & 1)
    struct.pack_into("<I", out, movi - 4, len(out) - movi)
    out += b"idx1" + struct.pack("<I", 16 * len(index))
    out += b"".join(b"00dc" + struct.pack("<III", 16, place, size) for place, size in index)
    struct.pack_into("<I", out, 4, len(out) - 8)
    target.write_bytes(out)
    return target


def with_packed_b_frames(clip: Path, target: Path) -> Path:
    """MPEG-4 ASP as DivX 5 packed it into AVI: a B-frame in the packet of the frame before it, then a placeholder."""
    with av.open(str(clip)) as reader, av.open(str(target), "w") as writer:
        stream: Any = reader.streams.video[0]
        twin = writer.add_stream_from_template(stream)
        packets = [bytes(packet) for packet in reader.demux(stream) if packet.size]
        first = packets[0].index(b"\0\0\1\xb6")
        packets[0] = packets[0][:first] + b"\0\0\1\xb2DivX503b1393p\0" + packets[0][first:]
        is_b = [data[data.index(b"\0\0\1\xb6") + 4] >> 6 == 2 for data in packets]
        packed = []
        for number, data in enumerate(packets):
            if is_b[number]:
                packed.append(b"\0\0\1\xb6\x50\x00\x7f")  # a P-frame that is not coded
            else:
                packed.append(data + (packets[number + 1] if ([*is_b, False])[number + 1] else b""))
        for number, data in enumerate(packed):
            packet = av.Packet(data)
            packet.time_base = Fraction(1, 24)
            packet.pts = packet.dts = number
            packet.is_keyframe, packet.stream = number == 0, twin
            writer.mux(packet)
    return target


def field_coded(target: Path, frames: int, *, container_format: str | None = None) -> Path:
    """H.264 of 64x64 in which every field is a picture and a packet of its own (PAFF), as AVCHD camcorders record."""
    stream = _sequence_parameters() + _picture_parameters()
    for number in range(frames):
        picture = field_coded_picture(number)
        stream += b"".join(_field(np.ascontiguousarray(picture[parity::2]), number, parity) for parity in (0, 1))
    if target.suffix == ".h264":
        target.write_bytes(stream)
        return target
    with av.open(io.BytesIO(stream), "r", format="h264") as reader, av.open(str(target), "w") as writer:
        twin = writer.add_stream_from_template(reader.streams.video[0])
        for number, packet in enumerate(p for p in reader.demux(video=0) if p.size):
            packet.time_base = Fraction(1, 50)
            packet.pts = packet.dts = number
            packet.duration, packet.stream = 1, twin
            writer.mux(packet)
    return target


def field_coded_picture(number: int) -> NDArray[np.uint8]:
    """The luma that ``field_coded`` stores as it is."""
    luma = np.tile(40 + 2 * np.arange(64, dtype=np.uint8), (64, 1))
    luma[20:44, 4 + 2 * number : 20 + 2 * number] = 220
    return luma


class _Bits:
    def __init__(self, *codes: tuple[int, int] | int) -> None:
        """Fixed codes ``(value, bits)`` and Exp-Golomb codes."""
        self.text = ""
        for code in codes:
            if isinstance(code, tuple):
                self.text += f"{code[0]:0{code[1]}b}"
            else:
                digits = f"{code + 1:b}"
                self.text += "0" * (len(digits) - 1) + digits

    def padded(self, *, stop: bool = True) -> bytes:
        text = self.text + ("1" if stop else "")
        text += "0" * (-len(text) % 8)
        return bytes(int(text[at : at + 8], 2) for at in range(0, len(text), 8))


def _unit(kind: int, payload: bytes) -> bytes:
    out, zeros = bytearray(), 0
    for byte in payload:
        if zeros >= 2 and byte <= 3:
            out.append(3)
            zeros = 0
        out.append(byte)
        zeros = zeros + 1 if byte == 0 else 0
    return b"\0\0\0\1" + bytes([3 << 5 | kind]) + bytes(out)


def _sequence_parameters() -> bytes:
    # Main profile 2.1; 4-bit frame numbers, 8-bit picture order; 4 x 2 macroblock pairs; fields; 50 fields a second.
    size = ((0, 1), 3, 1, (0, 1), (0, 1), (1, 1), (0, 1))
    usability = ((1, 1), (0, 4), (1, 1), (1, 32), (50, 32), (1, 1), (0, 2), (0, 1), (0, 1))
    return _unit(7, _Bits((77, 8), (0, 8), (21, 8), 0, 0, 0, 4, 1, *size, *usability).padded())


def _picture_parameters() -> bytes:
    return _unit(8, _Bits(0, 0, (0, 1), (0, 1), 0, 0, 0, (0, 1), (0, 2), 0, 0, 0, (1, 1), (0, 1), (0, 1)).padded())


def _field(luma: NDArray[np.uint8], number: int, parity: int) -> bytes:
    """One field of macroblocks whose samples are stored as they are."""
    is_first = number == 0 and parity == 0
    order = ((2 * number + parity) % 256, 8)
    head = [0, 7, 0, (number % 16, 4), (1, 1), (parity, 1), *([0] if is_first else []), order]
    head += [*([(0, 2)] if is_first else [(0, 1)]), 0, 1]
    data = bytearray()
    for row in range(0, luma.shape[0], 16):
        for column in range(0, luma.shape[1], 16):
            kind = _Bits(*(head if not data else []), 25)
            data += kind.padded(stop=False) + luma[row : row + 16, column : column + 16].tobytes() + bytes([128] * 128)
    return b"\0\0\0\1\x09\x10" + _unit(5 if is_first else 1, bytes(data) + b"\x80")
