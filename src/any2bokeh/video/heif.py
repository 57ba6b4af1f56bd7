"""Still pictures in HEIF files: HEIC (HEVC) and AVIF (AV1), whole or in a grid of tiles.

FFmpeg reads such files, too, but hands out tiles as streams of their own and leaves it to its caller to lay them out.

Source: ISO/IEC 23008-12 (items, grids, properties), ISO/IEC 14496-12 (boxes), ISO/IEC 23000-22 (MIAF).
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.error
import numpy as np
from numpy.typing import NDArray

from any2bokeh.errors import InputError
from any2bokeh.video.color import MATRIX_BT601, UNSPECIFIED, YuvCoding
from any2bokeh.video.info import ColorTags
from any2bokeh.video.orientation import Orientation
from any2bokeh.video.samples import SampleReader, Samples, whole_plane

_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"mif1", b"mif2", b"avif", b"miaf"}
_SEQUENCE_BRANDS = {b"hevc", b"hevx", b"msf1", b"avis"}
_DECODERS = {b"hvc1": ("hevc", b"hvcC"), b"av01": ("libdav1d", b"av1C")}
_ALPHA = (b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha", b"urn:mpeg:hevc:2015:auxid:1")
# More is no picture but a damaged or hostile file.
_MOST_TILES, _MOST_PIXELS = 4096, 1 << 28

Pixels = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class HeifPicture:
    """The primary picture, turned and cropped as displayed.

    Attributes:
        pixels: ``(3, H, W)`` float32 code values in [0, 1].
        alpha: ``(1, H, W)``, None where there is none.
        is_associated: whether ``pixels`` are multiplied by ``alpha``.
        bit_depth: of the coded samples.
        profile: an ICC profile.
        color: tags of its colours, as containers have them.
        rotation_deg: clockwise turn that the file asked for; it is applied.
    """

    pixels: Pixels
    alpha: Pixels | None
    is_associated: bool
    bit_depth: int
    profile: bytes | None
    color: ColorTags
    rotation_deg: int


def is_heif(data: bytes) -> bool:
    """Whether a file begins as HEIF with a still picture does."""
    return data[4:8] == b"ftyp" and bool(_brands(data) & _BRANDS)


def is_heif_sequence(data: bytes) -> bool:
    """Whether it holds an animation; ``data`` is its beginning."""
    return data[4:8] == b"ftyp" and data[8:12] in _SEQUENCE_BRANDS


def read_heif(path: Path, data: bytes) -> HeifPicture:
    """Decode the primary picture.

    Raises:
        InputError: the file is damaged or holds a picture of another kind.
    """
    try:
        file = _File.parsed(data)
        picture = _decoded(file, file.primary)
        alpha = _alpha(file, picture)
        return HeifPicture(
            picture.pixels, alpha, file.has_reference(b"prem", file.primary), picture.bit_depth,
            picture.profile, picture.color, picture.rotation_deg,
        )  # fmt: skip
    except _Unreadable as error:
        raise InputError(f"{path} cannot be read ({error}); export it as JPEG, PNG or TIFF") from None
    except (struct.error, IndexError, KeyError, ValueError, av.error.FFmpegError, RecursionError, OverflowError):
        raise InputError(f"{path} is damaged; export it again or leave it out") from None


class _Unreadable(Exception):
    """A file that is in order but of a kind that is not read."""


@dataclass(slots=True)
class _Item:
    kind: bytes = b""
    extents: list[tuple[int, int]] = field(default_factory=list)
    in_idat: bool = False
    properties: list[tuple[bytes, bytes]] = field(default_factory=list)

    def property(self, kind: bytes) -> bytes | None:
        return next((body for name, body in self.properties if name == kind), None)


@dataclass(slots=True)
class _File:
    """The boxes that say which items there are."""

    data: bytes
    primary: int = 0
    idat: bytes = b""
    items: dict[int, _Item] = field(default_factory=dict)
    # kind, from, to
    references: list[tuple[bytes, int, list[int]]] = field(default_factory=list)

    @classmethod
    def parsed(cls, data: bytes) -> "_File":
        file = cls(data)
        meta = next((body for kind, body in _boxes(data) if kind == b"meta"), None)
        if meta is None:
            raise _Unreadable("it holds no still picture")
        boxes = dict(_boxes(meta[4:]))
        file.idat = boxes.get(b"idat", b"")
        wide = boxes[b"pitm"][0] > 0
        file.primary = struct.unpack_from(">I" if wide else ">H", boxes[b"pitm"], 4)[0]
        file._read_kinds(boxes[b"iinf"])
        file._read_places(boxes[b"iloc"])
        file._read_properties(boxes[b"iprp"])
        if b"iref" in boxes:
            file._read_references(boxes[b"iref"])
        return file

    def content(self, number: int) -> bytes:
        """The coded bytes of an item."""
        item = self.items[number]
        place = self.idat if item.in_idat else self.data
        return b"".join(place[offset : offset + size if size else len(place)] for offset, size in item.extents)

    def parts(self, kind: bytes, number: int) -> list[int]:
        """The items that an item refers to."""
        return next((to for name, origin, to in self.references if name == kind and origin == number), [])

    def has_reference(self, kind: bytes, number: int) -> bool:
        return any(name == kind and origin == number for name, origin, _ in self.references)

    def _item(self, number: int) -> _Item:
        return self.items.setdefault(number, _Item())

    def _read_kinds(self, body: bytes) -> None:
        for kind, entry in _boxes(body[6 if body[0] == 0 else 8 :]):
            if kind == b"infe" and entry[0] >= 2:
                wide = entry[0] > 2
                number = struct.unpack_from(">I" if wide else ">H", entry, 4)[0]
                at = 10 if wide else 8
                self._item(number).kind = entry[at : at + 4]

    def _read_places(self, body: bytes) -> None:
        reader = _Reader(body)
        version = reader.take(1)
        reader.take(3)
        sizes = reader.take(2)
        offset_size, length_size, base_size = sizes >> 12, sizes >> 8 & 15, sizes >> 4 & 15
        index_size = sizes & 15 if version else 0
        for _ in range(reader.take(2 if version < 2 else 4)):
            item = self._item(reader.take(2 if version < 2 else 4))
            item.in_idat = version > 0 and reader.take(2) & 15 == 1
            reader.take(2)  # data reference
            base = reader.take(base_size)
            for _ in range(reader.take(2)):
                reader.take(index_size)
                offset = reader.take(offset_size)
                item.extents.append((base + offset, reader.take(length_size)))

    def _read_properties(self, body: bytes) -> None:
        boxes = list(_boxes(body))
        known = list(_boxes(next(content for kind, content in boxes if kind == b"ipco")))
        for content in (content for kind, content in boxes if kind == b"ipma"):
            reader = _Reader(content)
            version, flags = reader.take(1), reader.take(3)
            for _ in range(reader.take(4)):
                item = self._item(reader.take(2 if version < 1 else 4))
                for _ in range(reader.take(1)):
                    index = reader.take(2) & 0x7FFF if flags & 1 else reader.take(1) & 0x7F
                    if index:
                        item.properties.append(known[index - 1])

    def _read_references(self, body: bytes) -> None:
        size = 2 if body[0] == 0 else 4
        for kind, content in _boxes(body[4:]):
            reader = _Reader(content)
            origin = reader.take(size)
            self.references.append((kind, origin, [reader.take(size) for _ in range(reader.take(2))]))


class _Reader:
    """Big-endian numbers, one after the other."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def take(self, size: int) -> int:
        if self._at + size > len(self._data):
            raise ValueError("cut short")
        self._at += size
        return int.from_bytes(self._data[self._at - size : self._at], "big")


@dataclass(frozen=True, slots=True, eq=False)
class _Decoded:
    pixels: Pixels
    bit_depth: int
    color: ColorTags
    profile: bytes | None
    rotation_deg: int = 0


def _decoded(file: _File, number: int) -> _Decoded:
    item = file.items[number]
    if item.kind == b"grid":
        samples = _assembled(file, number)
    elif item.kind == b"iden":
        parts = file.parts(b"dimg", number)
        return _transformed(_decoded(file, parts[0]), item)
    else:
        samples = _coded(file, number)
    return _transformed(_in_colour(samples, item), item)


def _coded(file: _File, number: int) -> Samples:
    """Decode one coded item: as a stream of one packet, whose set-up is a property of the item."""
    item = file.items[number]
    if item.kind not in _DECODERS:
        raise _Unreadable(f"its pictures are {item.kind.decode('ascii', 'replace')}, not HEVC or AV1")
    decoder, set_up = _DECODERS[item.kind]
    context: Any = av.CodecContext.create(decoder, "r")
    context.extradata = item.property(set_up) if decoder == "hevc" else (item.property(set_up) or b"")[4:] or None
    context.thread_count = 1
    packet = av.Packet(file.content(number))
    frames = [*context.decode(packet), *context.decode(None)]
    if not frames:
        raise ValueError("no picture")
    frame = frames[0]
    if frame.is_corrupt:
        raise ValueError("damaged picture")
    reader = SampleReader(YuvCoding(MATRIX_BT601, True), Orientation())
    return reader.samples(frame)


def _assembled(file: _File, number: int) -> Samples:
    """Tiles laid out row by row, cropped to the size of the grid. Source: ISO/IEC 23008-12, 6.6.2.3."""
    reader = _Reader(file.content(number))
    reader.take(1)
    size = 4 if reader.take(1) & 1 else 2
    rows, columns = reader.take(1) + 1, reader.take(1) + 1
    width, height = reader.take(size), reader.take(size)
    tiles = file.parts(b"dimg", number)
    if len(tiles) != rows * columns or len(tiles) > _MOST_TILES or not 0 < width * height <= _MOST_PIXELS:
        raise ValueError("not a grid")
    whole: Samples | None = None
    for place, tile in enumerate(tiles):
        part = _coded(file, tile)
        if whole is None:
            whole = Samples(_like(part.frame, width, height, part.layout.name), part.layout)
        if part.layout != whole.layout:
            raise _Unreadable("its tiles are of different kinds")
        row, column = divmod(place, columns)
        _lay(whole, part, row * part.frame.height, column * part.frame.width)
    assert whole is not None
    return whole


def _like(tile: av.VideoFrame, width: int, height: int, pixel_format: str) -> av.VideoFrame:
    frame = av.VideoFrame(width, height, pixel_format)
    frame.color_range, frame.colorspace = tile.color_range, tile.colorspace
    frame.color_primaries, frame.color_trc = tile.color_primaries, tile.color_trc
    return frame


def _lay(whole: Samples, part: Samples, top: int, left: int) -> None:
    for index in range(whole.layout.plane_count):
        down, across = whole.layout.subsampling if index in (1, 2) else (0, 0)
        target = whole_plane(whole.frame, index, whole.layout.bits)[:, : whole.frame.planes[index].width]
        tile = whole_plane(part.frame, index, part.layout.bits)[:, : part.frame.planes[index].width]
        place = target[top >> down :, left >> across :][: tile.shape[0], : tile.shape[1]]
        place[:] = tile[: place.shape[0], : place.shape[1]]


def _in_colour(samples: Samples, item: _Item) -> _Decoded:
    frame = samples.frame
    full = {1: False, 2: True}.get(int(frame.color_range))
    tags = ColorTags(int(frame.color_primaries), int(frame.color_trc), int(frame.colorspace), full)
    profile = None
    for kind, body in item.properties:
        if kind == b"colr" and body[:4] == b"nclx":
            primaries, transfer, matrix, flags = struct.unpack_from(">HHHB", body, 4)
            tags = ColorTags(primaries, transfer, matrix, bool(flags >> 7))
        elif kind == b"colr" and body[:4] in (b"prof", b"rICC"):
            profile = body[4:]
    # What is not said is BT.601 of full range, as sYCC has it. Source: ISO/IEC 23000-22, 7.3.6.4.
    matrix = MATRIX_BT601 if tags.matrix == UNSPECIFIED else tags.matrix
    full_range = True if tags.full_range is None else tags.full_range
    pixels = SampleReader(YuvCoding(_supported(matrix), full_range), Orientation()).pixels(samples)
    return _Decoded(pixels, samples.layout.bits, replace(tags, matrix=UNSPECIFIED, full_range=None), profile)


def _supported(matrix: int) -> int:
    return matrix if matrix in (1, 4, 5, 6, 7, 8, 9) else MATRIX_BT601


def _transformed(picture: _Decoded, item: _Item) -> _Decoded:
    """Crop, turn and mirror in the order of the file."""
    pixels, turned = picture.pixels, picture.rotation_deg
    for kind, body in item.properties:
        if kind == b"clap":
            pixels = _cropped(pixels, body)
        elif kind == b"irot":
            turns = body[0] & 3  # of 90 degrees, anticlockwise
            pixels = np.rot90(pixels, turns, axes=(1, 2))
            turned = (turned - 90 * turns) % 360
        elif kind == b"imir":
            # 0 exchanges top and bottom, 1 left and right.
            pixels = pixels[:, :, ::-1] if body[0] & 1 else pixels[:, ::-1]
    return replace(picture, pixels=np.ascontiguousarray(pixels), rotation_deg=turned)


def _cropped(pixels: Pixels, body: bytes) -> Pixels:
    """Clean aperture. Source: ISO/IEC 14496-12, 12.1.4."""
    numbers = struct.unpack(">IIIIiIiI", body[:32])
    width, height, off_x, off_y = (Fraction(numbers[i], numbers[i + 1]) for i in range(0, 8, 2))
    left = round(off_x + Fraction(pixels.shape[2] - 1, 2) - (width - 1) / 2)
    top = round(off_y + Fraction(pixels.shape[1] - 1, 2) - (height - 1) / 2)
    cropped = pixels[:, max(top, 0) : top + round(height), max(left, 0) : left + round(width)]
    if 0 in cropped.shape:
        raise ValueError("empty crop")
    return cropped


def _alpha(file: _File, picture: _Decoded) -> Pixels | None:
    for kind, origin, to in file.references:
        if kind == b"auxl" and file.primary in to:
            item = file.items[origin]
            urn = (item.property(b"auxC") or b"")[4:].partition(b"\0")[0]
            if urn in _ALPHA:
                alpha = _decoded(file, origin).pixels[:1]
                return alpha if alpha.shape[1:] == picture.pixels.shape[1:] else None
    return None


def _brands(data: bytes) -> set[bytes]:
    size = min(int.from_bytes(data[:4], "big"), 400)
    return {data[8:12], *(data[at : at + 4] for at in range(16, size - 3, 4))}


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    while at + 8 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        header = 8
        if size == 1:
            size, header = struct.unpack_from(">Q", data, at + 8)[0], 16
        elif size == 0:
            size = len(data) - at
        if size < header:
            raise ValueError("not a box")
        yield kind, data[at + header : at + size]
        at += size
