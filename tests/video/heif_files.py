"""HEIF files, as phones write them: pictures of HEVC, in a grid of tiles, turned and with alpha."""

import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

TILE_PX = 64


def box(kind: bytes, *parts: bytes) -> bytes:
    """A box of ISO/IEC 14496-12."""
    body = b"".join(parts)
    return struct.pack(">I", len(body) + 8) + kind + body


def full_box(kind: bytes, version: int, *parts: bytes) -> bytes:
    """A box with a version, and flags 0."""
    return box(kind, bytes([version, 0, 0, 0]), *parts)


def coded(path: Path, colours: Sequence[tuple[int, int, int]]) -> tuple[bytes, list[bytes]]:
    """One HEVC picture of each flat YUV colour (full range): their set-up (hvcC) and their bytes."""
    with av.open(str(path), "w", format="mp4") as container:
        options = {
            "x265-params": "log-level=none:keyint=1:asm=0:pools=1:frame-threads=1",
            "crf": "0",
            "preset": "ultrafast",
        }
        stream: Any = container.add_stream("libx265", rate=24, options=options)
        stream.width, stream.height, stream.pix_fmt = TILE_PX, TILE_PX, "yuv420p"
        stream.codec_context.color_range = 2
        for index, colour in enumerate(colours):
            frame = av.VideoFrame(TILE_PX, TILE_PX, "yuv420p")
            for plane, value in zip(frame.planes, colour, strict=True):
                np.frombuffer(plane, np.uint8)[:] = value  # type: ignore[call-overload]
            frame.pts = index
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with av.open(str(path)) as container:
        packets = [bytes(packet) for packet in container.demux(video=0) if packet.size]
        return bytes(container.streams.video[0].codec_context.extradata or b""), packets


def write_heif(
    path: Path,
    set_up: bytes,
    pictures: Sequence[bytes],
    *,
    grid: tuple[int, int, int, int] | None = None,
    properties: Sequence[bytes] = (),
    alpha: bool = False,
    brand: bytes = b"heic",
) -> Path:
    """Write the pictures as items 1, 2.. of a file.

    Args:
        set_up: of the decoder.
        pictures: the coded ones.
        grid: rows, columns, width and height of the primary picture that they are the tiles of; None = the first one
            is the primary picture.
        properties: boxes of the primary picture.
        alpha: the last picture is the alpha of the primary one.
    """
    numbers = list(range(1, len(pictures) + 1))
    tiles = numbers[:-1] if alpha else numbers
    primary = len(pictures) + 1 if grid else 1
    kinds = dict.fromkeys(numbers, b"hvc1") | ({primary: b"grid"} if grid else {})
    infe = [full_box(b"infe", 2, struct.pack(">HH", number, 0), kind, b"\0") for number, kind in kinds.items()]
    shared = [box(b"hvcC", set_up), full_box(b"ispe", 0, struct.pack(">II", TILE_PX, TILE_PX))]
    shared.append(full_box(b"auxC", 0, b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha\0"))
    own = {number: [1, 2] for number in numbers} | ({primary: []} if grid else {})
    own[primary] += [len(shared) + 1 + index for index in range(len(properties))]
    if alpha:
        own[numbers[-1]].append(3)
    ipma = [struct.pack(">HB", number, len(places)) + bytes(0x80 | p for p in places) for number, places in own.items()]
    references = []
    if grid:
        references.append(box(b"dimg", struct.pack(">HH", primary, len(tiles)), *(struct.pack(">H", t) for t in tiles)))
    if alpha:
        references.append(box(b"auxl", struct.pack(">HHH", numbers[-1], 1, primary)))
    layout = b"" if grid is None else bytes([0, 0, grid[0] - 1, grid[1] - 1]) + struct.pack(">HH", *grid[2:])

    def meta(begin: int) -> bytes:
        places, at = [], begin
        for number, picture in zip(numbers, pictures, strict=True):
            places.append(struct.pack(">HHHHII", number, 0, 0, 1, at, len(picture)))
            at += len(picture)
        if grid:
            places.append(struct.pack(">HHHHII", primary, 1, 0, 1, 0, len(layout)))
        return full_box(
            b"meta", 0,
            full_box(b"hdlr", 0, bytes(4), b"pict", bytes(13)),
            full_box(b"pitm", 0, struct.pack(">H", primary)),
            full_box(b"iinf", 0, struct.pack(">H", len(infe)), *infe),
            full_box(b"iloc", 1, b"\x44\0", struct.pack(">H", len(places)), *places),
            box(b"iprp", box(b"ipco", *shared, *properties), full_box(b"ipma", 0, struct.pack(">I", len(ipma)), *ipma)),
            box(b"idat", layout),
            full_box(b"iref", 0, *references),
        )  # fmt: skip

    head = box(b"ftyp", brand, bytes(4), b"mif1heic")
    begin = len(head) + len(meta(0)) + 8
    path.write_bytes(head + meta(begin) + box(b"mdat", *pictures))
    return path


def upright(pixels: NDArray[np.float32]) -> list[list[int]]:
    """Red, as codes, at the middle of every quarter of a picture."""
    height, width = pixels.shape[1:]
    rows, columns = (height // 4, 3 * height // 4), (width // 4, 3 * width // 4)
    return [[round(float(pixels[0, row, column]) * 255) for column in columns] for row in rows]
