"""Grey pictures of a clip, from whatever kind of file holds them."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from any2bokeh.disparity import grey_array, grey_folder
from any2bokeh.disparity.grey_array import GreyArray
from any2bokeh.disparity.grey_exr import MapContent
from any2bokeh.disparity.grey_folder import GreyFolder
from any2bokeh.disparity.grey_video import GreyVideo
from any2bokeh.errors import InputError

Colour = Literal[
    "refuse",  # three equal channels are grey, anything else is an error
    "brightest",  # the largest channel: what a coloured label mask needs
]


class GreyFrames(Protocol):
    """Grey pictures, one for each frame of a clip.

    Attributes:
        title: what messages call them, such as ``disparity folder``.
        frame_count: how many there are.
        numbers: numbers in the names of files, in order; None where they have none.
        normalised: whether values are in [0, 1] by the full scale of the file's integers; floats come as they are.
        full_scale: what integers were divided by, 1 for floats; None where values are no integers of the file any more,
            as in video of limited range.
        holds_depth: whether the file itself says that it is depth (an EXR channel called Z).
        is_cut_out: whether values are those of an alpha channel.
    """

    @property
    def title(self) -> str: ...

    @property
    def frame_count(self) -> int: ...

    @property
    def numbers(self) -> Sequence[int] | None: ...

    @property
    def normalised(self) -> bool: ...

    @property
    def full_scale(self) -> float | None: ...

    @property
    def holds_depth(self) -> bool: ...

    @property
    def is_cut_out(self) -> bool: ...

    def at(self, index: int) -> NDArray[np.float32]:
        """One picture, ``(h, w)``."""
        ...

    def frames(self, start: int, stop: int) -> Iterator[NDArray[np.float32]]:
        """Pictures ``start`` to ``stop`` in order."""
        ...

    def label(self, index: int) -> str:
        """What messages call one frame."""
        ...

    def first_missing(self) -> tuple[int, str]:
        """Position and name of the first frame that is not there."""
        ...

    def close(self) -> None:
        """Close what is open; reading opens it again."""
        ...


def open_grey_frames(
    path: Path, *, noun: str, colour: Colour = "refuse", content: MapContent = "disparity"
) -> GreyFrames:
    """Open a folder of pictures, one picture, a NumPy file or a video.

    Args:
        path: what holds the pictures.
        noun: what they show, for messages: ``disparity`` or ``mask``.
        colour: what to do with pictures in colour. With ``brightest``, a picture whose alpha channel says anything (a
            cut-out) is its alpha channel.
        content: which channel of an EXR is looked for.

    Raises:
        InputError: it does not exist, or is not such a file.
    """
    if not path.exists():
        raise InputError(f"{noun} {path} does not exist; give a folder of pictures, a .npz or .npy file, or a video")
    suffix = path.suffix.lower()
    if path.is_dir() or suffix in grey_folder.SUFFIXES:
        return GreyFolder(path, noun=noun, colour=colour, content=content)
    if suffix in grey_array.SUFFIXES:
        return GreyArray(path, noun=noun)
    return GreyVideo(path, noun=noun, colour=colour)


def require_frame_count(frames: GreyFrames, *, clip_frame_count: int, stop: int | None = None) -> None:
    """Refuse pictures that do not match the clip one to one.

    Args:
        frames: the pictures.
        clip_frame_count: frames of the whole clip.
        stop: frame after the last that is needed; pictures may be missing from there on.

    Raises:
        InputError: names the first frame that is missing, or the first too many.
    """
    have = frames.frame_count
    counts = f"{frames.title} has {have} frames but the clip has {clip_frame_count}"
    if have > clip_frame_count:
        raise InputError(f"{counts} (first too many: {frames.label(clip_frame_count)}); export it for this clip")
    index, missing = frames.first_missing()
    if have < clip_frame_count and index < (clip_frame_count if stop is None else stop):
        raise InputError(f"{counts} (first missing: {missing}); pass --end to stop before it, or export it again")
