"""Whether a packet of H.264 is a frame or a single field, from the first bits of its first slice.

Source: ITU-T H.264, 7.3.2.1 (sequence), 7.3.2.2 (picture) and 7.3.3 (slice header).
"""

from collections.abc import Iterator
from dataclasses import dataclass

Data = bytes | memoryview

_SLICES, _SEQUENCE, _PICTURE = (1, 5), 7, 8
# Profiles whose sequence parameters tell the chroma format.
_HIGH_PROFILES = frozenset({44, 83, 86, 100, 110, 118, 122, 128, 134, 135, 138, 139, 144, 244})
_START = b"\0\0\1"
# More than a slice header takes up to where it says field or frame.
_HEADER_BYTES = 48


class FieldCounter:
    """Counts the pictures of packets: 1 for a frame; None for a field or what is not understood.

    Args:
        extradata: of the stream, with start codes or as in MP4.

    Attributes:
        may_hold_fields: whether there is need to look at packets at all.
    """

    def __init__(self, extradata: bytes | None) -> None:
        self._sequences: dict[int, _Sequence] = {}
        self._sequence_of: dict[int, int] = {}
        self._length_bytes = 0
        for unit in self._sets(extradata or b""):
            self._note(unit)
        self.may_hold_fields = not self._sequences or any(not each.is_frames_only for each in self._sequences.values())

    def __call__(self, packet: Data) -> int | None:
        try:
            for unit in self._units(bytes(packet)):
                if unit[0] & 31 in _SLICES:
                    return None if self._is_field(unit) else 1
                self._note(unit)
        except (IndexError, KeyError):
            pass
        return None

    def _sets(self, extradata: bytes) -> Iterator[bytes]:
        if extradata[:1] != b"\1" or len(extradata) < 7:
            yield from _annex_b_units(extradata)
            return
        self._length_bytes = (extradata[4] & 3) + 1
        at = 5
        for mask in (31, 255):  # sequences, then pictures
            if at >= len(extradata):
                return
            count, at = extradata[at] & mask, at + 1
            for _ in range(count):
                length = int.from_bytes(extradata[at : at + 2])
                yield extradata[at + 2 : at + 2 + length]
                at += 2 + length

    def _units(self, packet: bytes) -> Iterator[bytes]:
        if not self._length_bytes:
            yield from _annex_b_units(packet)
            return
        at = 0
        while at + self._length_bytes < len(packet):
            length = int.from_bytes(packet[at : at + self._length_bytes])
            at += self._length_bytes
            yield packet[at : at + length]
            at += length

    def _note(self, unit: bytes) -> None:
        """Remember the parameters that slices refer to."""
        kind = unit[0] & 31 if unit else 0
        if kind == _SEQUENCE:
            number, sequence = _sequence(_Bits(unit[1:]))
            self._sequences[number] = sequence
        elif kind == _PICTURE:
            bits = _Bits(unit[1:_HEADER_BYTES])
            number = bits.golomb()
            self._sequence_of[number] = bits.golomb()

    def _is_field(self, unit: bytes) -> bool:
        bits = _Bits(unit[1:_HEADER_BYTES])
        bits.golomb()  # first macroblock
        bits.golomb()  # slice type
        sequence = self._sequences[self._sequence_of[bits.golomb()]]
        if sequence.is_frames_only:
            return False
        bits.number(sequence.frame_number_bits + (2 if sequence.has_separate_planes else 0))
        return bits.number(1) == 1


@dataclass(frozen=True, slots=True)
class _Sequence:
    is_frames_only: bool
    frame_number_bits: int
    has_separate_planes: bool


def _sequence(bits: "_Bits") -> tuple[int, _Sequence]:
    profile = bits.number(8)
    bits.number(16)
    number = bits.golomb()
    chroma, has_separate_planes = 1, False
    if profile in _HIGH_PROFILES:
        chroma = bits.golomb()
        has_separate_planes = chroma == 3 and bits.number(1) == 1
        bits.golomb()
        bits.golomb()
        bits.number(1)
        if bits.number(1):
            for index in range(12 if chroma == 3 else 8):
                if bits.number(1):
                    _skip_scaling_list(bits, 16 if index < 6 else 64)
    frame_number_bits = bits.golomb() + 4
    order_type = bits.golomb()
    if order_type == 0:
        bits.golomb()
    elif order_type == 1:
        bits.number(1)
        for _ in range(2):
            bits.golomb()
        for _ in range(bits.golomb()):
            bits.golomb()
    bits.golomb()
    bits.number(1)
    for _ in range(2):  # width and height
        bits.golomb()
    return number, _Sequence(bits.number(1) == 1, frame_number_bits, has_separate_planes)


def _skip_scaling_list(bits: "_Bits", size: int) -> None:
    last = following = 8
    for _ in range(size):
        if following:
            code = bits.golomb()
            following = (last + ((code + 1) // 2 if code & 1 else -(code // 2))) % 256
        last = following or last


def _annex_b_units(data: bytes) -> Iterator[bytes]:
    begin = data.find(_START)
    while begin >= 0:
        begin += len(_START)
        if begin < len(data) and data[begin] & 31 in _SLICES:
            yield data[begin : begin + _HEADER_BYTES]  # nobody asks for more
            return
        end = data.find(_START, begin)
        yield data[begin : end if end >= 0 else len(data)]
        begin = end


class _Bits:
    """Bits of a unit, without the bytes that keep start codes out of it."""

    def __init__(self, data: bytes) -> None:
        plain = data.replace(b"\0\0\3", b"\0\0")
        self._value, self._left = int.from_bytes(plain), 8 * len(plain)

    def number(self, count: int) -> int:
        if count > self._left:
            raise IndexError
        self._left -= count
        return self._value >> self._left & ((1 << count) - 1)

    def golomb(self) -> int:
        """An unsigned Exp-Golomb code."""
        zeros = 0
        while not self.number(1):
            zeros += 1
        return (1 << zeros) - 1 + self.number(zeros)
