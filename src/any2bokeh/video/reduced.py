"""A clip at a small size, for what looks at it without rendering it."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from any2bokeh.video.frame import Frame
from any2bokeh.video.info import VideoInfo
from any2bokeh.video.source import VideoSource


class ReducedPictures:
    """Pictures of a source as 8-bit RGB with at most so many pixels on the longer side.

    Each call of ``frames`` reads the source anew.

    Args:
        source: the clip.
        long_side_px: longer side of the pictures; a smaller clip keeps its size.
        first: frame of the source that is counted as 0.
    """

    def __init__(self, source: VideoSource, *, long_side_px: int, first: int = 0) -> None:
        self._source = source
        self._first = first
        self._size = reduced_size(source.info, long_side_px)

    def frames(self, start: int = 0, stop: int | None = None) -> Iterator[NDArray[np.uint8]]:
        """Pictures ``start`` to ``stop`` (exclusive; the end where None), ``(h, w, 3)`` uint8 RGB each."""
        end = None if stop is None else stop + self._first
        for frame in self._source.frames(start + self._first, end):
            yield self._reduced(frame)

    def _reduced(self, frame: Frame) -> NDArray[np.uint8]:
        import cv2

        planes = [cv2.resize(plane, self._size, interpolation=cv2.INTER_AREA) for plane in frame.pixels]
        pixels = np.stack(planes, axis=-1)
        if self._source.info.transfer == "linear":
            from any2bokeh.optics.transfer import srgb_encode

            pixels = srgb_encode(np.asarray(pixels, np.float32))
        return np.rint(np.clip(pixels, 0, 1) * 255).astype(np.uint8)


def reduced_size(info: VideoInfo, long_side_px: int) -> tuple[int, int]:
    """``(width, height)`` of a clip brought to at most so many pixels on its longer side."""
    scale = min(1.0, long_side_px / max(info.width, info.height))
    return max(1, round(info.width * scale)), max(1, round(info.height * scale))
