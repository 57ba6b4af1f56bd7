"""HEIC and AVIF: every tile in its place, turned and cropped as the file asks for."""

import struct
from pathlib import Path

import cv2
import numpy as np
import pytest

from any2bokeh.errors import InputError
from any2bokeh.video import open_source
from any2bokeh.video.image import read_image
from tests.video.heif_files import TILE_PX, box, coded, full_box, upright, write_heif

# Neutral colours, so that red is luma.
GREYS = [(40, 128, 128), (90, 128, 128), (150, 128, 128), (220, 128, 128)]


@pytest.fixture(scope="module")
def tiles(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, list[bytes]]:
    return coded(tmp_path_factory.mktemp("heif") / "tiles.mp4", [*GREYS, (128, 128, 128)])


def test_grid(tmp_path: Path, tiles: tuple[bytes, list[bytes]]) -> None:
    path = write_heif(tmp_path / "a.heic", tiles[0], tiles[1][:4], grid=(2, 2, 128, 128))
    with open_source(path) as source:
        frame = next(source.frames())
        assert (source.info.width, source.info.height, source.info.bit_depth) == (128, 128, 8)
    assert upright(frame.pixels) == [[40, 90], [150, 220]]
    assert np.unique(frame.pixels).size == 4


def test_grid_that_is_smaller_than_its_tiles(tmp_path: Path, tiles: tuple[bytes, list[bytes]]) -> None:
    path = write_heif(tmp_path / "a.heic", tiles[0], tiles[1][:4], grid=(2, 2, 100, 90))
    samples = read_image(path).samples
    assert samples.shape == (90, 100, 3)
    assert samples[63:65, 63:65, 0].tolist() == [[40, 90], [150, 220]]


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        ([box(b"irot", b"\1")], [[90, 220], [40, 150]]),  # a quarter turn anticlockwise
        ([box(b"irot", b"\2")], [[220, 150], [90, 40]]),
        ([box(b"imir", b"\0")], [[150, 220], [40, 90]]),
        ([box(b"imir", b"\1")], [[90, 40], [220, 150]]),
        ([box(b"irot", b"\3"), box(b"imir", b"\1")], [[40, 150], [90, 220]]),
    ],
)
def test_turned_and_mirrored(
    tmp_path: Path, tiles: tuple[bytes, list[bytes]], properties: list[bytes], expected: list[list[int]]
) -> None:
    path = write_heif(tmp_path / "a.heic", tiles[0], tiles[1][:4], grid=(2, 2, 128, 128), properties=properties)
    assert upright(read_image(path).pixels()) == expected


def test_cropped(tmp_path: Path, tiles: tuple[bytes, list[bytes]]) -> None:
    # 64x32 px, whose middle lies 32 px right of and 16 px above that of the picture.
    clap = box(b"clap", struct.pack(">IIIIiIiI", 64, 1, 32, 1, 32, 1, -16, 1))
    path = write_heif(tmp_path / "a.heic", tiles[0], tiles[1][:4], grid=(2, 2, 128, 128), properties=[clap])
    samples = read_image(path).samples
    assert samples.shape == (32, 64, 3)
    assert np.unique(samples).tolist() == [90]


def test_one_picture_with_alpha(tmp_path: Path, tiles: tuple[bytes, list[bytes]]) -> None:
    image = read_image(write_heif(tmp_path / "a.heic", tiles[0], [tiles[1][3], tiles[1][4]], alpha=True))
    assert np.unique(image.samples).tolist() == [220]
    assert image.alpha is not None
    assert np.unique(image.alpha).tolist() == [128]
    assert image.alpha.shape == (TILE_PX, TILE_PX)


def test_matrix_of_the_file_wins(tmp_path: Path) -> None:
    set_up, pictures = coded(tmp_path / "tiles.mp4", [(100, 128, 200)])
    # Red of BT.601: y + 1.402 (cr - 128); of BT.709: 1.5748.
    for matrix, red in ((6, 201), (1, 213)):
        tags = box(b"colr", b"nclx", struct.pack(">HHHB", 1, 13, matrix, 0x80))
        samples = read_image(write_heif(tmp_path / "a.heic", set_up, pictures, properties=[tags])).samples
        assert abs(int(samples[20, 20, 0]) - red) <= 1, matrix


def test_damaged(tmp_path: Path, tiles: tuple[bytes, list[bytes]]) -> None:
    path = write_heif(tmp_path / "a.heic", tiles[0], tiles[1][:4], grid=(2, 2, 128, 128))
    data = path.read_bytes()
    for end in (30, 200, 500, len(data) - 40):
        path.write_bytes(data[:end])
        with pytest.raises(InputError, match=r"a\.heic (is damaged|cannot be read)"):
            read_image(path)
    wrong = write_heif(tmp_path / "b.heic", tiles[0], tiles[1][:3], grid=(2, 2, 128, 128))
    with pytest.raises(InputError, match=r"b\.heic is damaged"):
        read_image(wrong)


def test_no_picture_in_it(tmp_path: Path) -> None:
    (tmp_path / "a.heic").write_bytes(box(b"ftyp", b"heic", bytes(4), b"mif1") + full_box(b"free", 0))
    with pytest.raises(InputError, match="it holds no still picture"):
        read_image(tmp_path / "a.heic")


def test_avif(tmp_path: Path) -> None:
    y, x = np.mgrid[:48, :64]
    colours = np.dstack([x * 4, y * 5, np.full_like(x, 90), x * 3]).astype(np.uint8)
    try:
        written = cv2.imwrite(str(tmp_path / "a.avif"), colours, [cv2.IMWRITE_AVIF_QUALITY, 95])
    except cv2.error:
        written = False
    if not written:
        pytest.skip("this OpenCV writes no AVIF")
    image = read_image(tmp_path / "a.avif")
    # Lossy: worst seen 4 codes, at the corners.
    assert np.abs(image.samples.astype(int) - colours[:, :, 2::-1]).max() <= 8
    assert image.alpha is not None
    assert np.abs(image.alpha.astype(int) - colours[:, :, 3]).max() <= 4
