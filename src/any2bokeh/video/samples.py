"""Native samples of a decoder or encoder, to and from float RGB planes."""

import av
import cv2
import numpy as np
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter
from numpy.typing import NDArray

from any2bokeh.video.color import YuvCoding

_SWS_MATRIX = {1: Colorspace.ITU709, 4: Colorspace.FCC, 5: Colorspace.ITU601, 6: Colorspace.ITU601, 7: Colorspace.SMPTE240M, 9: Colorspace.BT2020, 10: Colorspace.BT2020}
_FLAGS = Interpolation.BILINEAR | Interpolation.ACCURATE_RND


def to_pixels(native: av.VideoFrame, coding: YuvCoding, reformatter: VideoReformatter) -> NDArray[np.float32]:
    deep = max(component.bits for component in native.format.components) > 8
    matrix = _SWS_MATRIX.get(coding.matrix, Colorspace.ITU709)
    planar = reformatter.reformat(
        native,
        format="gbrp16le" if deep else "gbrp",
        src_colorspace=matrix,
        dst_colorspace=matrix,
        src_color_range=ColorRange.JPEG if coding.full_range else ColorRange.MPEG,
        dst_color_range=ColorRange.JPEG,
        interpolation=_FLAGS,
        threads=1,
    )
    pixels = np.empty((3, native.height, native.width), np.float32)
    for channel, plane in zip((1, 2, 0), range(3), strict=True):  # planes lie in the order G, B, R
        samples = plane_view(planar, plane)
        cv2.multiply(samples, 1.0 / (65535 if deep else 255), dst=pixels[channel], dtype=cv2.CV_32F)
    return pixels


def from_pixels(pixels: NDArray[np.float32], pixel_format: str, coding: YuvCoding, reformatter: VideoReformatter) -> av.VideoFrame:
    height, width = pixels.shape[1:]
    deep = max(c.bits for c in av.VideoFormat(pixel_format).components) > 8
    planar = av.VideoFrame(width, height, "gbrp16le" if deep else "gbrp")
    for channel, plane in zip((1, 2, 0), range(3), strict=True):
        samples = plane_view(planar, plane)
        if deep:
            np.rint(np.clip(pixels[channel], 0, 1) * 65535, out=samples, casting="unsafe")
        else:
            samples[:] = cv2.convertScaleAbs(np.maximum(pixels[channel], 0), alpha=255.0)
    matrix = _SWS_MATRIX.get(coding.matrix, Colorspace.ITU709)
    return reformatter.reformat(
        planar,
        format=pixel_format,
        src_colorspace=matrix,
        dst_colorspace=matrix,
        src_color_range=ColorRange.JPEG,
        dst_color_range=ColorRange.JPEG if coding.full_range else ColorRange.MPEG,
        interpolation=_FLAGS,
        threads=1,
    )


def plane_view(frame: av.VideoFrame, index: int) -> NDArray[np.uint8] | NDArray[np.uint16]:
    plane = frame.planes[index]
    dtype = np.uint16 if frame.format.components[0].bits > 8 else np.uint8
    stride = plane.line_size // np.dtype(dtype).itemsize
    return np.frombuffer(plane, dtype)[: stride * plane.height].reshape(plane.height, stride)[:, : plane.width]
