"""Alpha of pictures: it goes past the blur as it is, into what can hold it."""

from dataclasses import dataclass
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from any2bokeh.video.codes import normalised
from any2bokeh.video.orientation import Orientation

# Where alpha lies among the samples of packed formats of grey.
_GREY_PACKED = {"ya8": np.dtype("u1"), "ya16le": np.dtype("<u2"), "ya16be": np.dtype(">u2")}


@dataclass(frozen=True, slots=True, eq=False)
class Alpha:
    """``(H, W)`` code values of ``bits`` bits; 0 = transparent."""

    codes: NDArray[Any]
    bits: int

    def scaled(self, bits: int) -> NDArray[Any]:
        """The code values at another depth, rounded to the nearest."""
        if bits == self.bits:
            return self.codes
        scaled = self.codes.astype(np.float64) * (((1 << bits) - 1) / ((1 << self.bits) - 1))
        return np.rint(scaled).astype(np.uint8 if bits == 8 else np.uint16)

    def coverage(self) -> NDArray[np.float32]:
        """``(1, H, W)`` float32 in [0, 1]."""
        coverage = np.empty((1, *self.codes.shape), np.float32)
        normalised(np.ascontiguousarray(self.codes), self.bits, coverage[0])
        return coverage

    def turned(self, orientation: Orientation) -> "Alpha":
        """As displayed."""
        return Alpha(orientation.apply(self.codes), self.bits)


def alpha_bits(pixel_format: str) -> int:
    """Bits of the alpha of one of FFmpeg's formats; 0 where it has none."""
    try:
        components = av.VideoFormat(pixel_format).components
    except ValueError:
        return 0
    return next((component.bits for component in components if component.is_alpha), 0)


def alpha_of(frame: av.VideoFrame) -> Alpha | None:
    """The alpha of a decoder's frame."""
    name, bits = frame.format.name, alpha_bits(frame.format.name)
    if not bits:
        return None
    if name in _GREY_PACKED:
        rows = _rows(frame, 0, _GREY_PACKED[name])
        return Alpha(rows[:, 1 : 2 * frame.width : 2].astype(_native(bits)), bits)
    if not name.startswith(("yuva4", "gbrap")) or name.endswith("be"):
        # Packed: bits are only moved.
        kind = "gbrap" if frame.format.is_rgb else "yuva444p"
        bits = 8 if bits <= 8 else 16
        frame = frame.reformat(format=kind if bits == 8 else f"{kind}16le", threads=1)
    # A copy: the decoder may take its memory back.
    return Alpha(_rows(frame, 3, _native(bits))[:, : frame.width].copy(), bits)


def put_alpha(frame: av.VideoFrame, alpha: Alpha | None) -> None:
    """Write alpha into a frame of an encoder, whose format has some; None = opaque."""
    name, bits = frame.format.name, alpha_bits(frame.format.name)
    if name in ("bgra", "rgba"):
        place = _rows(frame, 0, _native(8))[:, 3 : 4 * frame.width : 4]
    elif name == "ya8":
        place = _rows(frame, 0, _native(8))[:, 1 : 2 * frame.width : 2]
    else:
        place = _rows(frame, 3, _native(bits))[:, : frame.width]
    if alpha is None:
        place[:] = (1 << bits) - 1
        return
    codes = alpha.scaled(bits)
    height, width = codes.shape
    place[:height, :width] = codes
    # What was added to make the sides even continues the edge.
    place[height:, :width] = codes[-1]
    place[:, width:] = place[:, width - 1 : width]


def format_with_alpha(codec: str, pixel_format: str, offered: list[str], extension: str) -> str | None:
    """The format that holds what ``pixel_format`` does and alpha; None where codec or container cannot.

    Args:
        codec: our name of it.
        pixel_format: without alpha.
        offered: what the codec's encoder takes.
        extension: of the result.
    """
    if codec == "prores":
        return "yuva444p10le"
    if codec == "vp9":
        # The one that players of WebM know.
        return "yuva420p" if extension in (".webm", ".mkv") else None
    if codec != "ffv1":
        return None
    twins = {"gray": "ya8", "bgr0": "bgra"}
    twin = twins.get(pixel_format) or pixel_format.replace("yuv4", "yuva4").replace("gbrp", "gbrap")
    return twin if twin in offered and twin != pixel_format else None


def _rows(frame: av.VideoFrame, index: int, kind: np.dtype) -> NDArray[Any]:
    plane: Any = frame.planes[index]
    samples: Any = np.frombuffer(plane, kind)
    stride = plane.line_size // kind.itemsize
    return samples[: stride * plane.height].reshape(plane.height, stride)


def _native(bits: int) -> np.dtype:
    return np.dtype(np.uint8 if bits <= 8 else np.uint16)
