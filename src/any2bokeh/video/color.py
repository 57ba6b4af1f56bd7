"""What the samples of a video mean: YUV matrix, range and transfer."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from any2bokeh.video.info import ColorTags, Transfer, VideoInfo
from any2bokeh.video.pixel_layout import Family

# Code points of ITU-T H.273.
UNSPECIFIED = 2
PRIMARIES_BT709, PRIMARIES_BT2020 = 1, 9
MATRIX_RGB, MATRIX_BT709, MATRIX_BT601, MATRIX_YCGCO, MATRIX_BT2020 = 0, 1, 6, 8, 9
TRANSFER_LINEAR, TRANSFER_SRGB, TRANSFER_PQ, TRANSFER_HLG = 8, 13, 16, 18

# Weights of red and blue in luma. Source: ITU-T H.273, table 4. 10 and 14 (constant luminance, ICtCp) are not
# matrices of code values; BT.2020's is the nearest that is.
_LUMA_WEIGHTS = {
    1: (0.2126, 0.0722),
    4: (0.30, 0.11),
    5: (0.299, 0.114),
    6: (0.299, 0.114),
    7: (0.212, 0.087),
    9: (0.2627, 0.0593),
    10: (0.2627, 0.0593),
    14: (0.2627, 0.0593),
}


@dataclass(frozen=True, slots=True)
class YuvCoding:
    """How RGB becomes YUV: matrix in H.273 code points, and whether the samples use the full range."""

    matrix: int
    full_range: bool


def source_coding(info: VideoInfo) -> YuvCoding:
    """The coding that the tags of a source say or, untagged, the one that players assume."""
    full_range = info.color.full_range
    if full_range is None:
        # Grey and RGB have no limited range of their own; grey H.264 and HEVC are YUV whose chroma is left out.
        full_range = not info.pixel_format.startswith("yuv") and info.codec not in ("h264", "hevc")
    return YuvCoding(_yuv_matrix(info), full_range)


def result_coding(info: VideoInfo, family: Family, *, is_limited: bool = False) -> tuple[YuvCoding, ColorTags]:
    """Coding and tags of a result that is encoded as ``family``: the source's own wherever it has them.

    ``is_limited`` says that the codec knows no full range.

    An untagged video stays untagged, so that every player shows the result as it shows the source. A source that
    says nothing because it is RGB (images) is encoded as BT.709 of limited range with the sRGB curve, and says so.
    """
    tags = info.color
    if info.is_sequence and tags == ColorTags():
        tags = ColorTags(PRIMARIES_BT709, TRANSFER_SRGB, UNSPECIFIED, None)
    if family == "rgb":
        return YuvCoding(MATRIX_BT709, True), replace(tags, matrix=MATRIX_RGB, full_range=True)
    if info.is_sequence or info.pixel_format.startswith(("gbr", "rgb", "bgr", "pal", "argb", "abgr", "0rgb", "0bgr")):
        tags = replace(tags, matrix=MATRIX_BT709, full_range=family == "gray")
        return YuvCoding(MATRIX_BT709, family == "gray"), tags
    coding = source_coding(info)
    # Untagged grey uses the full range, untagged YUV the limited one.
    is_grey_made_yuv = family == "yuv" and not info.pixel_format.startswith("yuv") and tags.full_range is None
    if coding.full_range and (is_limited or is_grey_made_yuv):
        coding, tags = replace(coding, full_range=False), replace(tags, full_range=False)
    if tags.matrix == UNSPECIFIED and _assumed_matrix(info.width, info.height) != coding.matrix:
        # Turned upright, the picture would be taken for one of the other kind.
        tags = replace(tags, matrix=coding.matrix)
    return coding, tags


def _yuv_matrix(info: VideoInfo) -> int:
    matrix = info.color.matrix
    if matrix in _LUMA_WEIGHTS or matrix == MATRIX_YCGCO:
        return matrix
    if info.color.primaries == PRIMARIES_BT2020:
        return MATRIX_BT2020
    coded = (info.height, info.width) if info.rotation_deg % 180 else (info.width, info.height)
    return _assumed_matrix(*coded)


def _assumed_matrix(width: int, height: int) -> int:
    # What players such as mpv assume of an untagged video: BT.709 for HD, BT.601 below.
    return MATRIX_BT709 if width >= 1280 or height > 576 else MATRIX_BT601


def encode_matrix(coding: YuvCoding, bits: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """``(3, 3)`` and ``(3,)`` that take RGB in [0, 1] to code values of ``bits`` bits.

    Source: ITU-T H.273, eq. 11-13 and 38-43 (YCgCo: 66-68).
    """
    if coding.matrix == MATRIX_YCGCO:
        matrix = np.array([[0.25, 0.5, 0.25], [-0.25, 0.5, -0.25], [0.5, 0, -0.5]])
    else:
        red, blue = _LUMA_WEIGHTS[coding.matrix]
        luma = np.array([red, 1 - red - blue, blue])
        cb = (np.array([0, 0, 1]) - luma) / (2 * (1 - blue))
        cr = (np.array([1, 0, 0]) - luma) / (2 * (1 - red))
        matrix = np.stack([luma, cb, cr])
    unit = 1 << (bits - 8)
    top = (1 << bits) - 1
    scale = np.array([top, top, top]) if coding.full_range else np.array([219, 224, 224]) * unit
    offset = np.array([0 if coding.full_range else 16, 128, 128]) * unit
    return (matrix * scale[:, None]).astype(np.float32), offset.astype(np.float32)


def decode_matrix(coding: YuvCoding, bits: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """``(3, 3)`` and ``(3,)`` that take code values of ``bits`` bits to RGB in [0, 1]."""
    matrix, offset = encode_matrix(coding, bits)
    inverse = np.linalg.inv(matrix.astype(np.float64))
    return inverse.astype(np.float32), (-inverse @ offset).astype(np.float32)


def transfer_of(tags: ColorTags) -> Transfer:
    """Scene-linear, PQ and HLG are kept apart; every display-referred gamma curve counts as ``srgb``."""
    if tags.transfer == TRANSFER_LINEAR:
        return "linear"
    if tags.transfer == TRANSFER_PQ:
        return "pq"
    return "hlg" if tags.transfer == TRANSFER_HLG else "srgb"
