"""Frames of a clip in any order, small enough for a screen, a few of them kept."""

import threading
from collections import OrderedDict
from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from any2bokeh.video import Frame, VideoSource
from any2bokeh.video.reduced import reduced_size

LONG_SIDE_PX = 960
"""Longer side of a picture on the page."""

_KEPT = 12  # 37 MB at 960x540
# Going back decodes from the key frame before in any case: begin a little earlier, for the next step back. To go on
# decoding is cheaper than to seek up to so many frames ahead.
_LOOK_BACK, _READ_ON = 8, 24
# Of a small copy with many key frames.
_LOOK_BACK_IN_COPY, _READ_ON_IN_COPY = 0, 4


class FrameReader:
    """Pictures of a source, decoded when they are asked for; memory does not grow with the clip.

    Args:
        source: the clip.
        long_side_px: longer side of the pictures; a smaller clip keeps its size.
        kept: how many pictures are remembered.
    """

    def __init__(self, source: VideoSource, *, long_side_px: int = LONG_SIDE_PX, kept: int = _KEPT) -> None:
        self._source = source
        self.size = reduced_size(source.info, long_side_px)
        self._kept = kept
        self._pictures: OrderedDict[int, NDArray[np.float16]] = OrderedDict()
        self._running: Iterator[Frame] | None = None
        self._next = 0
        self._look_back, self._read_on = _LOOK_BACK, _READ_ON
        self._lock = threading.Lock()

    def at(self, index: int) -> NDArray[np.float32]:
        """One picture, ``(3, h, w)``, with the values of ``Frame.pixels`` rounded to 11 bits.

        Raises:
            InputError: no such frame, or a damaged clip.
        """
        with self._lock:
            if index not in self._pictures:
                self._read(index)
            self._pictures.move_to_end(index)
            return self._pictures[index].astype(np.float32)

    def read_copy(self, copy: VideoSource) -> None:
        """From now on, read a small copy of the clip that has a key frame every few frames; it stays open."""
        with self._lock:
            if self._source is not copy:
                self._source, self._running = copy, None
                self._look_back, self._read_on = _LOOK_BACK_IN_COPY, _READ_ON_IN_COPY

    def close(self) -> None:
        """Stop reading, and forget the pictures."""
        with self._lock:
            self._running = None
            self._pictures.clear()

    def _read(self, index: int) -> None:
        if self._running is None or not self._next <= index <= self._next + self._read_on:
            goes_back = any(kept > index for kept in self._pictures)
            self._next = max(0, index - self._look_back) if goes_back else index
            self._running = self._source.frames(self._next)
        try:
            for frame in self._running:
                self._next = frame.index + 1
                self._keep(frame)
                if frame.index == index:
                    return
        except BaseException:
            self._running = None
            raise
        self._running = None
        raise IndexError(f"frame {index} of {self._source.info.frame_count}")

    def _keep(self, frame: Frame) -> None:
        pixels = frame.pixels
        if pixels.shape[1:] != self.size[::-1]:
            planes = [cv2.resize(plane, self.size, interpolation=cv2.INTER_AREA) for plane in pixels]
            pixels = np.stack(planes)
        self._pictures[frame.index] = pixels.astype(np.float16)
        while len(self._pictures) > self._kept:
            self._pictures.popitem(last=False)
