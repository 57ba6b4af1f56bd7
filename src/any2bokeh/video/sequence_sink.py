"""Numbered images in a folder."""

from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from any2bokeh.errors import InputError
from any2bokeh.pending_output import PendingOutput, check_target, linked_into, write_failure, writing
from any2bokeh.video.alpha import alpha_bits
from any2bokeh.video.codes import quantised
from any2bokeh.video.dither import are_changed, dithered_codes, needs_dither
from any2bokeh.video.encoding import Encoding
from any2bokeh.video.frame import Frame
from any2bokeh.video.frame_numbers import NamePattern
from any2bokeh.video.image import Image, write_exr, write_png
from any2bokeh.video.info import VideoInfo
from any2bokeh.video.sequence import is_image, natural_sorted
from any2bokeh.video.sink import SegmentSink, VideoSink

Pixels = NDArray[np.float32]


class SequenceSink(VideoSink):
    """Writes numbered ``.png`` or ``.exr``; see ``VideoSink``.

    PNG has 16 bits where the source has more than 8, EXR half precision unless the source has 32 bits. Alpha comes
    through as it is: straight in PNG, in EXR with the colours multiplied by it.

    Args:
        path: the folder, or a pattern of the names in it.
        info: of the source.
        encoding: see ``Encoding``.
        stems: names of the files without extension, one for each frame that will be written.
        pattern: what ``path`` is, where it is a pattern.
        overwrite: replace what is there.
        notice: called with one-line remarks on what becomes of alpha.
    """

    def __init__(
        self,
        path: Path,
        info: VideoInfo,
        encoding: Encoding,
        *,
        stems: Sequence[str],
        pattern: NamePattern | None = None,
        overwrite: bool,
        notice: Callable[[str], None] | None = None,
    ) -> None:
        self._extension = _extension(path, info, encoding, pattern)
        self._names = [f"{stem}.{self._extension}" for stem in stems]
        self._pattern = pattern
        folder = path if pattern is None else pattern.folder
        # A pattern names its files; others may lie beside them.
        replaces = pattern is None or any((folder / name).exists() for name in self._names)
        check_target(folder, info.path, overwrite=overwrite or not replaces)
        _check_sources_folder(folder, info)
        if folder.is_dir():
            self._check_strangers(folder)
        self.path = path
        self._info = info
        self._written = 0
        self._pending = PendingOutput.folder(folder)
        if notice is not None and alpha_bits(info.pixel_format):
            notice(f"alpha of {info.path} is kept unchanged and is not blurred with the picture")

    def write(self, frame: Frame, pixels: Pixels) -> None:
        """See ``VideoSink.write``."""
        self.write_image(self.temporary, self._written, frame, pixels)
        self._written += 1

    def write_image(self, folder: Path, number: int, frame: Frame, pixels: Pixels) -> None:
        """Write one image of the result into a folder.

        Args:
            folder: where.
            number: which image of the result it is, from 0 on.
            frame, pixels: see ``write``.

        Raises:
            InputError: if the disk is full or went away.
        """
        target = folder / self._names[number]
        image = frame.native if isinstance(frame.native, Image) else None
        is_untouched = pixels is frame.pixels
        try:
            if self._extension == "exr":
                self._write_exr(target, frame, pixels, image, is_untouched)
            else:
                self._write_png(target, frame, pixels, image, is_untouched)
        except OSError as error:
            raise write_failure(self.path, error) from None

    @property
    def temporary(self) -> Path:
        """See ``VideoSink``."""
        return self._pending.temporary

    def segment(self, folder: Path, *, before: int, first_s: Fraction) -> SegmentSink:
        """See ``VideoSink.segment``."""
        return _ImageSegment(self, folder, before)

    def join(self, folders: Iterable[Path], *, first_s: Fraction) -> None:
        """See ``VideoSink.join``."""
        with writing(self.path):
            for folder in folders:
                linked_into(folder, self.temporary)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """See ``VideoSink``."""
        try:
            if kind is None:
                self._pending.publish()
        finally:
            self._pending.discard()

    def _write_exr(self, target: Path, frame: Frame, pixels: Pixels, image: Image | None, is_untouched: bool) -> None:
        alpha = None if frame.alpha is None else np.moveaxis(frame.alpha, 0, 2)
        is_exact = self._info.is_float and self._info.bit_depth == 32
        if image is not None and image.is_float and is_untouched:
            # As stored, with whatever is not finite.
            light = np.asarray(image.samples, np.float32)
            alpha = None if image.alpha is None else image.alpha[:, :, None]
        else:
            light = np.moveaxis(self._linear(pixels, image), 0, 2)
            if alpha is not None and not _is_associated(image):
                light = light * alpha
        samples: NDArray[Any] = light if alpha is None else np.concatenate([light, alpha], axis=2)
        if is_untouched and self._info.is_float and not is_exact:
            with np.errstate(over="ignore"):
                samples = samples.astype(np.float16)
        channels = "RGB" if alpha is None else "RGBA"
        write_exr(
            target,
            np.ascontiguousarray(samples),
            channels=tuple(channels),
            exact=tuple(channels) if is_exact else (),
            header=self._header(image),
            origin=(0, 0) if image is None else image.origin,
        )

    def _write_png(self, target: Path, frame: Frame, pixels: Pixels, image: Image | None, is_untouched: bool) -> None:
        profile, color = (None, None) if image is None else (image.profile, image.color)
        bits = 8 if self._info.bit_depth <= 8 else 16
        if (
            image is not None
            and not image.is_float
            and is_untouched
            and not (_has_alpha(image) and image.is_associated)
        ):
            write_png(target, image.samples, alpha=image.alpha, profile=profile, color=color)
            return
        alpha = frame.alpha
        changed = are_changed(pixels, frame.pixels) if needs_dither(bits) and not is_untouched else None
        if alpha is not None and image is not None:
            pixels = image.straight(pixels, alpha)  # as PNG has it
        codes = self._codes(pixels)
        planes = (
            dithered_codes(codes, changed, frame.index)
            if changed is not None
            else [quantised(plane, bits) for plane in codes]
        )
        del codes, changed
        write_png(
            target,
            cv2.merge(planes),
            alpha=None if alpha is None else quantised(alpha[0], bits),
            profile=profile,
            color=color,
        )

    def _linear(self, pixels: Pixels, image: Image | None) -> Pixels:
        from any2bokeh.optics.transfer import srgb_decode

        if image is not None:
            return image.linear_srgb(pixels)
        return pixels if self._info.transfer == "linear" else srgb_decode(pixels)

    def _codes(self, pixels: Pixels) -> Pixels:
        from any2bokeh.optics.transfer import srgb_encode

        return srgb_encode(pixels) if self._info.transfer == "linear" else pixels

    def _header(self, image: Image | None) -> dict[str, object]:
        rate = self._info.fps.limit_denominator(1 << 30)
        aspect = float(self._info.sample_aspect)
        own = {"FramesPerSecond": (rate.numerator, rate.denominator), "PixelAspectRatio": aspect}
        return own | dict({} if image is None else image.header)

    def _check_strangers(self, folder: Path) -> None:
        """Images that the result would not replace would be read as part of it; and they are not ours to delete."""
        own = set(self._names)
        strangers = [
            image
            for image in folder.iterdir()
            if is_image(image)
            and image.name not in own
            and (self._pattern is None or self._pattern.matches(image.name))
        ]
        if strangers:
            first = natural_sorted(strangers)[0].name
            raise InputError(
                f"folder {folder} holds {len(strangers)} images that are not replaced by the {len(own)} of the result "
                f"(first: {first}); remove them or choose another folder"
            )


class _ImageSegment(SegmentSink):
    """Images of one segment."""

    def __init__(self, sink: SequenceSink, folder: Path, before: int) -> None:
        self._sink = sink
        self._folder = folder
        self._number = before

    def write(self, frame: Frame, pixels: Pixels) -> None:
        """See ``VideoSink.write``."""
        self._sink.write_image(self._folder, self._number, frame, pixels)
        self._number += 1

    def finish(self) -> None:
        """See ``SegmentSink``."""

    def close(self) -> None:
        """See ``SegmentSink``."""


def _has_alpha(image: Image) -> bool:
    return image.alpha is not None


def _is_associated(image: Image | None) -> bool:
    return image is not None and image.is_associated


def _extension(path: Path, info: VideoInfo, encoding: Encoding, pattern: NamePattern | None) -> str:
    codec = encoding.codec
    asked = path.suffix.lower()[1:] if pattern is not None else ""
    if pattern is not None and asked not in ("png", "exr"):
        raise InputError(f"cannot write {path}: numbered images are written as .png or .exr; change its extension")
    if codec == "auto":
        codec = asked or ("exr" if info.is_float else "png")
    if codec not in ("png", "exr"):
        raise InputError(f"a folder holds png or exr images, not codec {codec}; give a file name such as {path}.mp4")
    if asked and codec != asked:
        raise InputError(f"output {path} and codec {codec} contradict each other; leave the codec out")
    if codec == "exr" and info.transfer in ("pq", "hlg"):
        raise InputError(
            f"{info.path} is {info.transfer.upper()}, which EXR output does not cover; write png, .mp4 or .mov"
        )
    return codec


def _check_sources_folder(path: Path, info: VideoInfo) -> None:
    # A glob names no folder that exists, but its images may lie in the one that is to be written.
    if info.is_sequence and path.is_dir() and info.path.parent.exists() and path.samefile(info.path.parent):
        raise InputError(f"output folder {path} holds the input itself; choose another folder")
