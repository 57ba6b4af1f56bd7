"""Frames of an image sequence."""

import math
import threading
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

from any2bokeh.errors import InputError
from any2bokeh.video.frame import Frame
from any2bokeh.video.image import read_image
from any2bokeh.video.info import VideoInfo
from any2bokeh.video.source import VideoSource, check_range


class SequenceSource(VideoSource):
    """Images as the frames of a clip; see ``VideoSource``. EXR and other floats are scene-linear."""

    def __init__(self, path: Path, images: list[Path], *, fps: Fraction) -> None:
        super().__init__()
        self._path = path
        self._images = images
        self._closed = threading.Event()
        first = read_image(images[0])
        self.info = VideoInfo(
            path=path,
            width=first.width,
            height=first.height,
            fps=fps,
            frame_count=len(images),
            bit_depth=first.bit_depth,
            transfer="linear" if first.is_float else "srgb",
            time_base=1 / fps,
            duration_s=len(images) / fps,
            codec=images[0].suffix.lower()[1:],
            pixel_format=f"rgb {first.samples.dtype}",
            is_sequence=True,
            is_float=first.is_float,
        )

    def frames(self, start: int = 0, stop: int | None = None) -> Iterator[Frame]:
        """See ``VideoSource.frames``."""
        info = self.info
        stop = info.frame_count if stop is None else stop
        check_range(self._path, start, stop, info.frame_count)
        for index in range(start, stop):
            if self._closed.is_set():
                return
            path = self._images[index]
            image = read_image(path)
            if (image.width, image.height) != (info.width, info.height):
                raise InputError(
                    f"{path} is {image.width}x{image.height} but {self._images[0].name} is {info.width}x{info.height}; "
                    f"all images of a sequence must have one size"
                )
            if image.is_float != info.is_float:
                raise InputError(f"of {path} and {self._images[0].name} only one is floating point; export them alike")
            yield Frame(image.pixels(), index, index / info.fps, image, 1 / info.fps)

    def index_at(self, time_s: float | Fraction) -> int:
        """See ``VideoSource.index_at``."""
        # Times given in decimals mean the frame that they round to, not the one after.
        index = math.ceil((Fraction(time_s) - Fraction(1, 10_000)) * self.info.fps)
        return min(max(index, 0), len(self._images))

    def close(self) -> None:
        """See ``VideoSource.close``."""
        self._closed.set()
