"""Frames of an image sequence."""

import math
import threading
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np

from any2bokeh.errors import InputError
from any2bokeh.video.frame import Frame
from any2bokeh.video.frame_numbers import frame_numbers
from any2bokeh.video.image import Image, read_image
from any2bokeh.video.info import VideoInfo
from any2bokeh.video.reading import Reading
from any2bokeh.video.source import VideoSource, check_range

_DEFAULT_FPS = Fraction(24)


class SequenceSource(VideoSource):
    """Images as the frames of a clip; see ``VideoSource``. EXR and other floats are scene-linear.

    Args:
        path: what the user named.
        images: the files, in order.
        fps: frames in a second; None = what the first file says, or 24.
        reading: see ``Reading``.
    """

    def __init__(
        self, path: Path, images: list[Path], *, fps: Fraction | None = None, reading: Reading | None = None
    ) -> None:
        super().__init__()
        reading = reading or Reading()
        self._path = path
        self._images = images
        self.layer = reading.layer
        self._closed = threading.Event()
        self.numbers = frame_numbers(images)
        gap = None if self.numbers is None else self.numbers.gap_remark()
        if gap is not None and reading.strict:
            raise InputError(f"{path}: {gap}; render them, or leave --strict out to go on without them")
        first = read_image(images[0], layer=self.layer)
        self._remarks = [*([f"{path}: {gap}; the result leaves the same gap"] if gap else []), *first.remarks]
        self.info = describe(path, images[0], first, count=len(images), fps=fps or first.fps or _DEFAULT_FPS)

    def frames(self, start: int = 0, stop: int | None = None) -> Iterator[Frame]:
        """See ``VideoSource.frames``."""
        info = self.info
        stop = info.frame_count if stop is None else stop
        check_range(self._path, start, stop, info.frame_count)
        for index in range(start, stop):
            if self._closed.is_set():
                return
            path = self._images[index]
            image = read_image(path, layer=self.layer)
            if (image.width, image.height) != (info.width, info.height):
                raise InputError(
                    f"{path} is {image.width}x{image.height} but {self._images[0].name} is {info.width}x{info.height}; "
                    f"all images of a sequence must have one size"
                )
            if image.is_float != info.is_float:
                raise InputError(f"of {path} and {self._images[0].name} only one is floating point; export them alike")
            yield Frame(image.pixels(), index, index / info.fps, image, 1 / info.fps, alpha=image.coverage())

    def index_at(self, time_s: float | Fraction) -> int:
        """See ``VideoSource.index_at``."""
        # Times given in decimals mean the frame that they round to, not the one after.
        index = math.ceil((Fraction(time_s) - Fraction(1, 10_000)) * self.info.fps)
        return min(max(index, 0), len(self._images))

    def close(self) -> None:
        """See ``VideoSource.close``."""
        self._closed.set()

    def _opening_remarks(self) -> list[str]:
        return list(self._remarks)


def describe(path: Path, file: Path, first: Image, *, count: int, fps: Fraction) -> VideoInfo:
    """What a clip is whose frames are images like ``first``, one every 1 / ``fps`` seconds."""
    return VideoInfo(
        path=path,
        width=first.width,
        height=first.height,
        fps=fps,
        frame_count=count,
        bit_depth=first.bit_depth,
        transfer=first.transfer,
        color=first.color,
        sample_aspect=first.sample_aspect,
        rotation_deg=first.rotation_deg,
        time_base=1 / fps,
        duration_s=count / fps,
        codec=file.suffix.lower()[1:],
        pixel_format=_pixel_format(first),
        is_sequence=True,
        is_float=first.is_float,
    )


def _pixel_format(image: Image) -> str:
    """FFmpeg's name where there is alpha, by which results know of it."""
    if image.alpha is None:
        return f"rgb {image.samples.dtype}"
    return "rgba" if image.samples.dtype == np.uint8 else "rgba64le"
