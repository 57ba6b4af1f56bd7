"""Whether a file is shorter than its container says."""

import struct
from pathlib import Path
from typing import BinaryIO


def missing_bytes(path: Path) -> int:
    """How many bytes the outermost boxes of an MP4/MOV, Matroska/WebM or AVI file declare beyond its end; 0 if none.

    A copy or download that was cut off still opens and simply ends early, so the frames alone do not tell.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(12)
        if head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"):
            end = _mp4_end(file, size)
        elif head[:4] == b"\x1aE\xdf\xa3":
            end = _matroska_end(file)
        elif head[:4] == b"RIFF":
            end = 8 + struct.unpack("<I", head[4:8])[0]
        else:
            return 0
    return max(0, end - size)


def _mp4_end(file: BinaryIO, size: int) -> int:
    position = 0
    while position + 8 <= size:
        file.seek(position)
        header = file.read(16)
        length = struct.unpack(">I", header[:4])[0]
        if length == 1 and len(header) == 16:
            length = struct.unpack(">Q", header[8:])[0]
        if length == 0:  # to the end of the file
            return size
        if length < 8 or not header[4:8].isalnum():  # trailing junk, which players ignore
            return size
        position += length
    return position


def _matroska_end(file: BinaryIO) -> int:
    file.seek(4)
    header_length = _ebml_length(file)
    if header_length is None:
        return 0
    file.seek(header_length, 1)
    if file.read(4) != b"\x18S\x80g":  # Segment
        return 0
    length = _ebml_length(file)
    return 0 if length is None else file.tell() + length


def _ebml_length(file: BinaryIO) -> int | None:
    first = file.read(1)
    if not first or first[0] == 0:
        return None
    width = 9 - first[0].bit_length()
    value = first[0] & (0xFF >> width)
    for byte in file.read(width - 1):
        value = value << 8 | byte
    # All ones: a live recording whose length was not known.
    return None if value == (1 << 7 * width) - 1 else value
