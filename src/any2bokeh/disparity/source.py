"""A clip's disparity, streamed."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, Protocol, get_args

import numpy as np
from numpy.typing import NDArray

from any2bokeh.disparity.aspect import require_same_aspect
from any2bokeh.disparity.grey_frames import GreyFrames, open_grey_frames, require_frame_count
from any2bokeh.errors import InputError

Polarity = Literal[
    "near-white",  # large values are near: disparity, inverse depth
    "near-black",  # large values are far: turned over, d = 1 - value
]


class DisparitySource(Protocol):
    """Disparity of every frame of a clip, ``(1, h, w)`` float32 in [0, 1], 1 = nearest, one scale for the clip."""

    @property
    def frame_count(self) -> int: ...

    def frames(self, start: int = 0, stop: int | None = None) -> Iterator[NDArray[np.float32]]:
        """Maps of frames ``start`` to ``stop`` (exclusive; the end where None), in order."""
        ...

    def at(self, index: int) -> NDArray[np.float32]:
        """The map of one frame."""
        ...


def open_disparity(
    path: str | Path,
    *,
    clip_frame_count: int,
    polarity: Polarity = "near-white",
    stop: int | None = None,
    frame_size: tuple[int, int] | None = None,
) -> "FileDisparity":
    """Open the disparity of a clip.

    Accepted are a folder of PNG or JPEG (8 or 16 bits) or EXR pictures in natural order, a .npy or .npz file of
    ``(T, H, W)``, ``(T, 1, H, W)`` or ``(T, H, W, 1)``, and a grey video. There is one scale for the whole clip, never
    one for each frame: integers are divided by their full scale (255, 65535, the range of the video); floats are used
    as they are when all of the clip lies in [0, 1], and otherwise mapped from the range of the whole clip, found in one
    pass over it, so that its largest value becomes 1 and its smallest, or 0 where that is less, becomes 0.

    Args:
        path: the folder or the file.
        clip_frame_count: frames of the whole clip, which the disparity must match.
        polarity: ``near-white`` where large values are near, ``near-black`` where they are far.
        stop: frame after the last that will be read (``--end``); disparity may be missing from there on.
        frame_size: ``(width, height)`` of the displayed clip, whose aspect the disparity must have; not checked where
            None.

    Raises:
        InputError: the path is not such a thing, the count or the aspect differs from the clip's, a picture is
            unreadable, in colour or of another size than the first, a float is NaN or infinite, or the polarity is
            unknown.
    """
    if polarity not in get_args(Polarity):
        raise InputError(f"disparity polarity is {polarity!r}; allowed is {' or '.join(get_args(Polarity))}")
    frames = open_grey_frames(Path(path), noun="disparity")
    require_frame_count(frames, clip_frame_count=clip_frame_count, stop=stop)
    if frame_size is not None:
        height, width = frames.at(0).shape
        require_same_aspect("disparity", (width, height), frame_size)
    lowest, highest = (0.0, 1.0) if frames.normalised else _clip_range(frames)
    return FileDisparity(frames, polarity=polarity, lowest=lowest, highest=highest)


class FileDisparity:
    """Disparity read from files, with one scale for the clip; `open_disparity` makes one.

    Attributes:
        frame_count: frames that the files hold.
        value_range: values of the files that become 0 and 1; ``(0, 1)`` where they are used as they are.
    """

    def __init__(self, frames: GreyFrames, *, polarity: Polarity, lowest: float = 0.0, highest: float = 1.0) -> None:
        self._frames = frames
        self._polarity = polarity
        self.frame_count = frames.frame_count
        self.value_range = (lowest, highest)

    def frames(self, start: int = 0, stop: int | None = None) -> Iterator[NDArray[np.float32]]:
        """Maps of frames ``start`` to ``stop`` (exclusive; the end where None), in order, ``(1, h, w)`` each."""
        for values in self._frames.frames(start, self.frame_count if stop is None else stop):
            yield self._disparity(values)

    def at(self, index: int) -> NDArray[np.float32]:
        """The map of one frame, ``(1, h, w)``."""
        if not 0 <= index < self.frame_count:
            raise IndexError(f"frame {index} of {self.frame_count}")
        return self._disparity(self._frames.at(index))

    def close(self) -> None:
        """Close what is open; reading opens it again."""
        self._frames.close()

    def _disparity(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        lowest, highest = self.value_range
        if (lowest, highest) != (0.0, 1.0):
            values = np.clip((values - np.float32(lowest)) / np.float32(highest - lowest), 0, 1)
        return (values if self._polarity == "near-white" else 1 - values)[None]


def _clip_range(frames: GreyFrames) -> tuple[float, float]:
    """Values that become 0 and 1; one pass over the clip, which also finds what is not finite."""
    lowest, highest = 0.0, 0.0
    for index, values in enumerate(frames.frames(0, frames.frame_count)):
        low, high = float(values.min()), float(values.max())
        if not (math.isfinite(low) and math.isfinite(high)):
            count = int(np.count_nonzero(~np.isfinite(values)))
            raise InputError(
                f"disparity {frames.label(index)} has {count} NaN or infinite values of {values.size}; "
                f"fill them and export it again"
            )
        lowest, highest = min(lowest, low), max(highest, high)
    return (0.0, 1.0) if lowest >= 0 and highest <= 1 else (lowest, highest)
