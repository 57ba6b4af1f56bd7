"""What the samples of a video mean: YUV matrix, range and transfer."""

from dataclasses import dataclass

from any2bokeh.video.info import ColorTags, Transfer

# Code points of ITU-T H.273.
UNSPECIFIED = 2
MATRIX_BT709, MATRIX_BT601, MATRIX_BT2020 = 1, 6, 9
TRANSFER_LINEAR, TRANSFER_SRGB, TRANSFER_PQ, TRANSFER_HLG = 8, 13, 16, 18


@dataclass(frozen=True, slots=True)
class YuvCoding:
    """How RGB becomes YUV: matrix in H.273 code points, and whether the samples use the full range."""

    matrix: int
    full_range: bool


def yuv_coding(tags: ColorTags, width: int, height: int, pixel_format: str) -> YuvCoding:
    """The coding that the tags say or, untagged, the one that players assume."""
    matrix = tags.matrix
    if matrix in (0, 3, UNSPECIFIED):
        if tags.primaries == 9:
            matrix = MATRIX_BT2020
        else:
            # The rule of players such as mpv: BT.709 for HD, BT.601 below. Displayed and coded size agree here,
            # as a turned frame is judged by its longer side.
            hd = max(width, height) >= 1280 or min(width, height) > 576
            matrix = MATRIX_BT709 if hd else MATRIX_BT601
    full_range = tags.full_range if tags.full_range is not None else pixel_format.startswith("yuvj")
    return YuvCoding(matrix, full_range)


def transfer_of(tags: ColorTags) -> Transfer:
    """Scene-linear, PQ and HLG are kept apart; every display-referred gamma curve counts as ``srgb``."""
    return {TRANSFER_LINEAR: "linear", TRANSFER_PQ: "pq", TRANSFER_HLG: "hlg"}.get(tags.transfer, "srgb")  # type: ignore[return-value]
