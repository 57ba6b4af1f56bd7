"""YUV to RGB and back: against the slow twin, known colours, and what must come back exactly."""

import numpy as np
import pytest
from numpy.typing import NDArray

from any2bokeh.video.color import YuvCoding, decode_matrix, encode_matrix
from any2bokeh.video.yuv import decode_yuv, encode_yuv
from tests.video import yuv_reference

SUBSAMPLINGS = {"420": (1, 1), "422": (0, 1), "440": (1, 0), "444": (0, 0)}
SIZES = [(8, 12), (7, 11), (1, 1)]


def random_planes(size: tuple[int, int], steps: tuple[int, int], bits: int, seed: int = 0) -> list[NDArray]:
    random = np.random.default_rng(seed)
    height, width = size
    chroma = (-(-height // (1 << steps[0])), -(-width // (1 << steps[1])))
    dtype = np.uint8 if bits == 8 else np.uint16
    return [random.integers(0, 1 << bits, shape).astype(dtype) for shape in (size, chroma, chroma)]


def empty_planes(planes: list[NDArray]) -> tuple[NDArray, NDArray, NDArray]:
    first, second, third = (np.zeros_like(plane) for plane in planes)
    return first, second, third


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("bits", [8, 10])
@pytest.mark.parametrize("chroma", SUBSAMPLINGS)
def test_decode_matches_reference(chroma: str, bits: int, size: tuple[int, int]) -> None:
    steps = SUBSAMPLINGS[chroma]
    planes = random_planes(size, steps, bits)
    matrix, offset = decode_matrix(YuvCoding(1, False), bits)
    found = decode_yuv((planes[0], planes[1], planes[2]), size, steps, matrix, offset)
    expected = yuv_reference.decode(planes, size, steps, matrix, offset)
    # Worst seen 2e-7: float32 against float64.
    assert np.abs(found - expected).max() < 2e-6


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("bits", [8, 10])
@pytest.mark.parametrize("chroma", SUBSAMPLINGS)
def test_encode_matches_reference(chroma: str, bits: int, size: tuple[int, int]) -> None:
    steps = SUBSAMPLINGS[chroma]
    pixels = np.random.default_rng(1).uniform(-0.2, 1.2, (3, *size)).astype(np.float32)
    matrix, offset = encode_matrix(YuvCoding(6, True), bits)
    found = empty_planes(random_planes(size, steps, bits))
    encode_yuv(pixels, found, steps, matrix, offset, bits)
    for plane, expected in zip(found, yuv_reference.encode(pixels, steps, matrix, offset, bits), strict=True):
        # Half a code value is rounding; none beyond it was seen, but float32 may round a tie the other way.
        assert np.abs(plane - expected).max() < 0.5 + 1e-3


# Full red as tables of test signals give it, e.g. ITU-R BT.709-6 and BT.601-7 at 8 bits.
@pytest.mark.parametrize(
    ("coding", "bits", "expected"),
    [
        (YuvCoding(1, False), 8, (63, 102, 240)),
        (YuvCoding(6, False), 8, (81, 90, 240)),
        (YuvCoding(9, False), 10, (294, 387, 960)),
        (YuvCoding(6, True), 8, (76, 85, 255)),
    ],
)
def test_red_has_the_code_values_of_the_standards(coding: YuvCoding, bits: int, expected: tuple[int, int, int]) -> None:
    red = np.zeros((3, 2, 2), np.float32)
    red[0] = 1
    planes = empty_planes(random_planes((2, 2), (0, 0), bits))
    encode_yuv(red, planes, (0, 0), *encode_matrix(coding, bits), bits)
    assert tuple(int(plane[0, 0]) for plane in planes) == expected


@pytest.mark.parametrize("matrix", [1, 4, 5, 6, 7, 8, 9, 10])
def test_decode_undoes_encode_for_every_matrix(matrix: int) -> None:
    coding = YuvCoding(matrix, False)
    pixels = np.random.default_rng(2).random((3, 6, 8)).astype(np.float32)
    planes = empty_planes(random_planes((6, 8), (0, 0), 16))
    encode_yuv(pixels, planes, (0, 0), *encode_matrix(coding, 16), 16)
    back = decode_yuv(planes, (6, 8), (0, 0), *decode_matrix(coding, 16))
    # Rounding to 16 bits; worst seen 2.5e-5.
    assert np.abs(back - pixels).max() < 3e-5


@pytest.mark.parametrize("chroma", SUBSAMPLINGS)
def test_samples_of_untouched_pixels_are_kept(chroma: str) -> None:
    steps, size = SUBSAMPLINGS[chroma], (9, 14)
    old = random_planes(size, steps, 8)
    old_planes = (old[0], old[1], old[2])
    before = decode_yuv(old_planes, size, steps, *decode_matrix(YuvCoding(1, False), 8))
    after = before.copy()
    after[:, :, 8:] = 0.5
    new = empty_planes(old)
    encode_yuv(after, new, steps, *encode_matrix(YuvCoding(1, False), 8), 8, (before, old_planes))
    for index, plane in enumerate(new):
        edge = 8 >> (steps[1] if index else 0)
        assert np.array_equal(plane[:, :edge], old[index][:, :edge])
        assert (plane[:, edge + 1 :] == (126 if index == 0 else 128)).all()


def test_undefined_values_become_black_and_bright_ones_white() -> None:
    pixels = np.full((3, 2, 4), np.nan, np.float32)
    pixels[:, :, 2:] = np.inf
    planes = empty_planes(random_planes((2, 4), (0, 0), 8))
    encode_yuv(pixels, planes, (0, 0), *encode_matrix(YuvCoding(1, False), 8), 8)
    assert planes[0].tolist() == [[16, 16, 235, 235]] * 2
    assert (planes[1] == 128).all()
