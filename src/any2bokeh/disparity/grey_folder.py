"""A folder of grey pictures, one for each frame."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from any2bokeh.disparity.frame_names import first_missing, natural_key, numbers_of
from any2bokeh.disparity.grey_exr import MapContent, map_channels
from any2bokeh.errors import InputError

INTEGER_SUFFIXES = (".png", ".jpg", ".jpeg")
FLOAT_SUFFIXES = (".exr",)
SUFFIXES = INTEGER_SUFFIXES + FLOAT_SUFFIXES

# Channels of a grey JPEG differ by rounding of YCbCr alone; a colour map differs by a hundred.
_JPEG_CHANNEL_TOLERANCE = 3
# Pictures that are looked at before alpha is held to say nothing: a subject may enter late.
_ALPHA_LOOKS = 24


class GreyFolder:
    """Pictures of a folder in natural order (``frame2`` before ``frame10``), or one picture.

    Attributes:
        title: what messages call it, such as ``disparity folder``.
        frame_count: pictures in the folder.
        numbers: numbers in the names of the pictures; None where they are not numbered alike.
        normalised: True for integer files, whose values are divided by the full scale of their bit depth (255 or
            65535) and so lie in [0, 1]; False for EXR, whose values come as they are.
        full_scale: what integers were divided by; 1 for EXR.
        holds_depth: whether the name of the EXR's channel says that it is depth.
        is_cut_out: whether values are those of the alpha channel; of masks only.

    Args:
        path: the folder or picture.
        noun: what the pictures show, for messages.
        colour: what to do with pictures in colour.
        content: which channel of an EXR is looked for.

    Raises:
        InputError: no picture in the folder, more than one kind of file, an unreadable picture, a picture of another
            size than the first, an EXR in which more than one channel could be meant, or (with ``colour="refuse"``) a
            coloured one.
    """

    def __init__(
        self,
        path: Path,
        *,
        noun: str,
        colour: Literal["refuse", "brightest"] = "refuse",
        content: MapContent = "disparity",
    ) -> None:
        self.title = f"{noun} {'folder' if path.is_dir() else 'file'}"
        self._noun = noun
        self._colour = colour
        self._files = _pictures(path, self.title)
        self.frame_count = len(self._files)
        self.numbers = numbers_of([file.name for file in self._files])
        self.normalised = self._files[0].suffix.lower() in INTEGER_SUFFIXES
        self._channels = None if self.normalised else map_channels(self._files[0], content)
        self.holds_depth = self._channels is not None and self._channels.is_depth
        # What an EXR leaves out of the display window is as far as can be, and in no mask.
        self._fill = np.inf if self.holds_depth and content != "disparity" else 0.0
        self.full_scale = 1.0 if not self.normalised else float(np.iinfo(_read_integer(self._files[0]).dtype.name).max)
        self._shape: tuple[int, ...] | None = None
        self.is_cut_out = colour == "brightest" and self._alpha_says_something()

    def at(self, index: int) -> NDArray[np.float32]:
        """One picture, ``(h, w)`` float32; grey value over full scale, or the EXR's own value."""
        file = self._files[index]
        picture = self._grey(file)
        if self._shape is None:
            self._shape = picture.shape if index == 0 else self.at(0).shape
        if picture.shape != self._shape:
            raise InputError(
                f"{self._noun} {file.name} is {_size(picture.shape)} but {self._files[0].name} is "
                f"{_size(self._shape)}; export every frame at one size"
            )
        return picture

    def frames(self, start: int, stop: int) -> Iterator[NDArray[np.float32]]:
        """Pictures ``start`` to ``stop`` in order."""
        for index in range(start, stop):
            yield self.at(index)

    def label(self, index: int) -> str:
        """What messages call one frame."""
        return self._files[index].name

    def first_missing(self) -> tuple[int, str]:
        """Position and name of the first frame that the numbering lacks."""
        return first_missing([file.name for file in self._files])

    def close(self) -> None:
        """Nothing stays open between pictures."""

    def _grey(self, file: Path) -> NDArray[np.float32]:
        if self.is_cut_out:
            alpha = self._alpha(file)
            return np.zeros(self._samples(file).shape[:2], np.float32) if alpha is None else alpha
        picture = self._samples(file)
        full_scale = np.iinfo(picture.dtype.name).max if self.normalised else 1
        if picture.ndim == 3:
            colours = picture if picture.shape[2] == 3 else picture[..., : 3 if picture.shape[2] > 3 else 1]
            if colours.shape[2] == 3 and self._colour == "refuse":
                _require_equal_channels(colours, file, self._noun, is_jpeg=file.suffix.lower() in (".jpg", ".jpeg"))
            picture = colours.max(axis=2) if self._colour == "brightest" else colours[..., colours.shape[2] // 2]
        return np.divide(picture, np.float32(full_scale), dtype=np.float32)

    def _samples(self, file: Path) -> NDArray[np.generic]:
        if self._channels is None:
            return _read_integer(file)
        return self._channels.read(file, self._channels.names, fill=self._fill)

    def _alpha(self, file: Path) -> NDArray[np.float32] | None:
        """How far each pixel is covered, ``(h, w)`` in [0, 1]; None without such a channel."""
        if self._channels is not None:
            alpha = self._channels.alpha
            return None if alpha is None else self._channels.read(file, (alpha,), fill=0.0)[..., 0]
        picture = _read_integer(file)
        if picture.ndim != 3 or picture.shape[2] != 4:
            return None
        return np.divide(picture[..., 3], np.float32(np.iinfo(picture.dtype.name).max), dtype=np.float32)

    def _alpha_says_something(self) -> bool:
        looked_at = np.unique(np.linspace(0, self.frame_count - 1, min(self.frame_count, _ALPHA_LOOKS)).round())
        for index in looked_at.astype(int):
            alpha = self._alpha(self._files[index])
            if alpha is None:
                return False
            if alpha.min() < alpha.max():
                return True
        return False


def _pictures(path: Path, title: str) -> list[Path]:
    if not path.is_dir():
        return [path]
    files = [f for f in path.iterdir() if f.suffix.lower() in SUFFIXES and not f.name.startswith(".") and f.is_file()]
    if not files:
        raise InputError(f"{title} {path} has no {', '.join(SUFFIXES)} files; give a folder with one picture per frame")
    kinds = sorted({"jpg" if f.suffix.lower() == ".jpeg" else f.suffix.lower()[1:] for f in files})
    if len(kinds) > 1:
        raise InputError(f"{title} {path} mixes {' and '.join(kinds)} files; leave one kind, one picture per frame")
    return sorted(files, key=lambda f: natural_key(f.name))


def _read_integer(file: Path) -> NDArray[np.generic]:
    import cv2

    try:
        encoded = np.fromfile(file, np.uint8)
    except OSError as error:
        raise InputError(f"cannot read {file}: {error.strerror or error}") from error
    picture = cv2.imdecode(encoded, cv2.IMREAD_UNCHANGED) if encoded.size else None
    if picture is None:
        raise InputError(f"cannot read {file}: not a complete PNG or JPEG; export it again")
    return picture


def _require_equal_channels(colours: NDArray[np.generic], file: Path, noun: str, *, is_jpeg: bool) -> None:
    tolerance = _JPEG_CHANNEL_TOLERANCE if is_jpeg else 0
    spread = colours.max(axis=2).astype(np.float64) - colours.min(axis=2)
    if spread.max() > tolerance:
        raise InputError(
            f"{noun} {file.name} is a colour picture (its channels differ by up to {spread.max():g}), perhaps a colour "
            f"map for viewing; export grey {noun} instead"
        )


def _size(shape: tuple[int, ...]) -> str:
    return f"{shape[1]}x{shape[0]}"
