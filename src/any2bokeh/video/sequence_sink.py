"""Numbered images in a folder."""

import os
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from any2bokeh.errors import InputError
from any2bokeh.video.encoding import Encoding
from any2bokeh.video.frame import Frame
from any2bokeh.video.image import Image, write_exr, write_png
from any2bokeh.video.info import VideoInfo
from any2bokeh.video.pending_output import check_target, discard, pending_path, write_failure


class SequenceSink:
    def __init__(self, path: Path, info: VideoInfo, encoding: Encoding, *, start: int, stop: int | None, overwrite: bool) -> None:
        check_target(path, info.path, overwrite=overwrite)
        codec = ("exr" if info.is_float else "png") if encoding.codec == "auto" else encoding.codec
        if codec not in ("png", "exr"):
            raise InputError(f"a folder holds png or exr images, not {codec}; give a file name such as {path}.mp4")
        self.path = path
        self._extension = codec
        self._info = info
        self._pending = pending_path(path)
        self._pending.mkdir()
        self._count = 0

    def write(self, frame: Frame, pixels: NDArray[np.float32]) -> None:
        from any2bokeh.optics.transfer import srgb_decode, srgb_encode

        target = self._pending / f"{self._count:05d}.{self._extension}"
        linear = self._info.transfer == "linear"
        native = frame.native
        try:
            if self._extension == "exr":
                write_exr(target, np.moveaxis(pixels if linear else srgb_decode(pixels), 0, 2).copy())
            elif pixels is frame.pixels and isinstance(native, Image) and not native.is_float:
                write_png(target, native.samples)  # type: ignore[arg-type]
            else:
                top, dtype = (65535, np.uint16) if self._info.bit_depth > 8 else (255, np.uint8)
                codes = srgb_encode(pixels) if linear else pixels
                write_png(target, np.moveaxis(np.rint(np.clip(codes, 0, 1) * top).astype(dtype), 0, 2).copy())
        except OSError as error:
            raise write_failure(self.path, error) from None
        self._count += 1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            discard(self._pending)
            return
        if self.path.is_dir():
            for image in self._pending.iterdir():
                os.replace(image, self.path / image.name)
            self._pending.rmdir()
        else:
            os.replace(self._pending, self.path)
