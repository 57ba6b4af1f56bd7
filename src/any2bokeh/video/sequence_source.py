"""Frames of an image sequence."""

import math
import threading
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Self

from any2bokeh.errors import InputError
from any2bokeh.video.frame import Frame
from any2bokeh.video.image import read_image
from any2bokeh.video.info import VideoInfo


class SequenceSource:
    def __init__(self, path: Path, images: list[Path], *, fps: Fraction) -> None:
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
            is_sequence=True,
            is_float=first.is_float,
        )

    def index_at(self, time_s: float | Fraction) -> int:
        return min(max(math.ceil(Fraction(time_s) * self.info.fps), 0), len(self._images))

    def frames(self, start: int = 0, stop: int | None = None) -> Iterator[Frame]:
        for index in range(start, self.info.frame_count if stop is None else stop):
            if self._closed.is_set():
                return
            image = read_image(self._images[index])
            if (image.width, image.height) != (self.info.width, self.info.height):
                raise InputError(
                    f"{self._images[index]} is {image.width}x{image.height} but the first image is "
                    f"{self.info.width}x{self.info.height}; all must have one size"
                )
            yield Frame(image.pixels(), index, index / self.info.fps, image, 1 / self.info.fps)

    def close(self) -> None:
        self._closed.set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
