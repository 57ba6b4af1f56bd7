"""Chunks of a PNG file: what it says beside its samples."""

import struct
import zlib
from collections.abc import Iterator

SIGNATURE = b"\x89PNG\r\n\x1a\n"
# The signature and the header chunk, which comes first.
_HEADER_END = 8 + 12 + 13


def chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Kind and content of every chunk of a file, up to where it is cut short."""
    at = len(SIGNATURE)
    while at + 8 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        yield kind, data[at + 8 : at + 8 + size]
        at += size + 12


def is_animated(data: bytes) -> bool:
    """Whether a file, or its beginning, is a PNG with more than one frame."""
    if not data.startswith(SIGNATURE):
        return False
    for kind, content in chunks(data):
        if kind == b"acTL":
            return len(content) >= 4 and struct.unpack_from(">I", content)[0] > 1
        if kind == b"IDAT":
            return False
    return False


def with_chunk(data: bytes, kind: bytes, content: bytes) -> bytes:
    """A file with one more chunk, ahead of its samples."""
    chunk = struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
    return data[:_HEADER_END] + chunk + data[_HEADER_END:]


def with_code_points(data: bytes, primaries: int, transfer: int) -> bytes:
    """A file that says what its colours are by code points of ITU-T H.273. Source: PNG 3rd edition, 11.3.2.6."""
    return with_chunk(data, b"cICP", bytes([primaries, transfer, 0, 1]))


def with_profile(data: bytes, profile: bytes) -> bytes:
    """A file with an ICC profile."""
    return with_chunk(data, b"iCCP", b"ICC profile\0\0" + zlib.compress(profile))
