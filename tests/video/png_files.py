"""PNG files of every kind, made chunk by chunk."""

import struct
import zlib
from pathlib import Path

from any2bokeh.video.png import SIGNATURE


def chunk(kind: bytes, content: bytes) -> bytes:
    """One chunk with its checksum."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def write_png_chunks(
    path: Path, size: tuple[int, int], depth: int, colour: int, rows: list[bytes], *extra: tuple[bytes, bytes]
) -> Path:
    """Write packed rows; size is width, height, ``colour`` 0 grey, 2 RGB, 3 palette, 4 grey with alpha, 6 RGBA."""
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", *size, depth, colour, 0, 0, 0))
    body = chunk(b"IDAT", zlib.compress(b"".join(b"\0" + row for row in rows)))
    path.write_bytes(SIGNATURE + head + b"".join(chunk(*each) for each in extra) + body + chunk(b"IEND", b""))
    return path


def exif(orientation: int) -> tuple[bytes, bytes]:
    """An eXIf chunk."""
    return b"eXIf", b"MM\0*\0\0\0\x08\0\1" + struct.pack(">HHIHH", 0x112, 3, 1, orientation, 0) + bytes(4)
