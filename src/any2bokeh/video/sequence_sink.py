"""Numbered images in a folder."""

import re
from pathlib import Path
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from any2bokeh.errors import InputError
from any2bokeh.video.codes import quantised
from any2bokeh.video.encoding import Encoding
from any2bokeh.video.frame import Frame
from any2bokeh.video.image import Image, write_exr, write_png
from any2bokeh.video.info import VideoInfo
from any2bokeh.video.pending_output import PendingOutput, check_target, write_failure
from any2bokeh.video.sequence import is_image, natural_sorted
from any2bokeh.video.sink import VideoSink


class SequenceSink(VideoSink):
    """Writes ``00000.png`` and on, or ``.exr``; see ``VideoSink``. PNG has 16 bits where the source has more than 8."""

    def __init__(
        self, path: Path, info: VideoInfo, encoding: Encoding, *, start: int, stop: int | None, overwrite: bool
    ) -> None:
        self._extension = _extension(path, info, encoding)
        self._count = (info.frame_count if stop is None else stop) - start
        check_target(path, info.path, overwrite=overwrite)
        _check_sources_folder(path, info)
        if path.is_dir():
            self._check_strangers(path)
        self.path = path
        self._info = info
        self._written = 0
        self._pending = PendingOutput.folder(path)

    def write(self, frame: Frame, pixels: NDArray[np.float32]) -> None:
        """See ``VideoSink.write``."""
        target = self._pending.temporary / f"{self._written:05d}.{self._extension}"
        native = frame.native if isinstance(frame.native, Image) and pixels is frame.pixels else None
        try:
            if self._extension == "exr":
                self._write_exr(target, pixels)
            elif native is not None and not native.is_float:
                write_png(target, native.samples)
            else:
                self._write_png(target, pixels)
        except OSError as error:
            raise write_failure(self.path, error) from None
        self._written += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """See ``VideoSink``."""
        try:
            if kind is None:
                self._pending.publish()
        finally:
            self._pending.discard()

    def _write_exr(self, target: Path, pixels: NDArray[np.float32]) -> None:
        from any2bokeh.optics.transfer import srgb_decode

        linear = pixels if self._info.transfer == "linear" else srgb_decode(pixels)
        write_exr(target, np.ascontiguousarray(np.moveaxis(linear, 0, 2)))

    def _write_png(self, target: Path, pixels: NDArray[np.float32]) -> None:
        from any2bokeh.optics.transfer import srgb_encode

        codes = srgb_encode(pixels) if self._info.transfer == "linear" else pixels
        bits = 8 if self._info.bit_depth <= 8 else 16
        write_png(target, np.stack([quantised(plane, bits) for plane in codes], axis=2))

    def _check_strangers(self, path: Path) -> None:
        """Images that the result would not replace would be read as part of it; and they are not ours to delete."""
        own = re.compile(rf"(\d{{5,}})\.{self._extension}")
        strangers = []
        for image in path.iterdir():
            match = own.fullmatch(image.name)
            if is_image(image) and not (match and int(match[1]) < self._count):
                strangers.append(image)
        if strangers:
            first = natural_sorted(strangers)[0].name
            raise InputError(
                f"folder {path} holds {len(strangers)} images that are not replaced by the {self._count} of the result "
                f"(first: {first}); remove them or choose another folder"
            )


def _extension(path: Path, info: VideoInfo, encoding: Encoding) -> str:
    codec = encoding.codec
    if codec == "auto":
        codec = "exr" if info.is_float else "png"
    if codec not in ("png", "exr"):
        raise InputError(f"a folder holds png or exr images, not codec {codec}; give a file name such as {path}.mp4")
    if codec == "exr" and info.transfer in ("pq", "hlg"):
        raise InputError(
            f"{info.path} is {info.transfer.upper()}, which EXR output does not cover; write png, .mp4 or .mov"
        )
    return codec


def _check_sources_folder(path: Path, info: VideoInfo) -> None:
    # A glob names no folder that exists, but its images may lie in the one that is to be written.
    if info.is_sequence and path.is_dir() and info.path.parent.exists() and path.samefile(info.path.parent):
        raise InputError(f"output folder {path} holds the input itself; choose another folder")
