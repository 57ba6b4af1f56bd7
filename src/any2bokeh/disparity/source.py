"""A clip's disparity, streamed."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from any2bokeh.disparity.aspect import require_same_aspect
from any2bokeh.disparity.grey_exr import MapContent
from any2bokeh.disparity.grey_frames import GreyFrames, open_grey_frames
from any2bokeh.disparity.map_clues import remarks_on_values
from any2bokeh.disparity.pairing import paired
from any2bokeh.disparity.reading import DisparityKind, DisparityReading, Levels
from any2bokeh.disparity.value_scale import DepthScale, DisparityScale, depth_scale, disparity_scale


class DisparitySource(Protocol):
    """Disparity of every frame of a clip, ``(1, h, w)`` float32 in [0, 1], 1 = nearest, one scale for the clip.

    One whose distances are known has a property ``inverse_metres_per_unit``, too; see the function of that name.
    """

    @property
    def frame_count(self) -> int: ...

    def frames(self, start: int = 0, stop: int | None = None) -> Iterator[NDArray[np.float32]]:
        """Maps of frames ``start`` to ``stop`` (exclusive; the end where None), in order."""
        ...

    def at(self, index: int) -> NDArray[np.float32]:
        """The map of one frame."""
        ...


def inverse_metres_per_unit(disparity: DisparitySource) -> float | None:
    """1/metres that disparity 1 stands for; None where distances are unknown."""
    return getattr(disparity, "inverse_metres_per_unit", None)


def open_disparity(
    path: str | Path,
    *,
    clip_frame_count: int,
    reading: DisparityReading | None = None,
    stop: int | None = None,
    frame_size: tuple[int, int] | None = None,
    frame_numbers: Sequence[int] | None = None,
    dropped_frames: Sequence[int] = (),
    scale: DisparityScale | DepthScale | None = None,
    notice: Callable[[str], None] | None = None,
) -> "FileDisparity":
    """Open the disparity of a clip.

    Accepted are a folder of PNG or JPEG (8 or 16 bits) or EXR pictures in natural order, a .npy or .npz file of
    ``(T, H, W)``, ``(T, 1, H, W)`` or ``(T, H, W, 1)``, and a grey video. There is one scale for the whole clip, never
    one for each frame. Disparity: integers are divided by their full scale (255, 65535, the range of the video); floats
    are used as they are when all of the clip lies in [0, 1], and otherwise mapped from the range of the whole clip,
    found in one pass over it, so that its largest value becomes 1 and its smallest, or 0 where that is less, becomes 0.
    Depth z: ``z_nearest / z``, where ``z_nearest`` is found in a pass over the clip (a few stray pixels, and what one
    frame alone has, do not count); infinity and 1e9 or more become 0; 0, negative values and NaN are holes and take the
    value of the nearest pixel that has one.

    Args:
        path: the folder or the file.
        clip_frame_count: frames of the whole clip, which the disparity must match.
        reading: what the values mean, and levels; its ``scale_alignment`` is left to ``StabilisedDisparity``.
        stop: frame after the last that will be read (``--end``); disparity may be missing from there on.
        frame_size: ``(width, height)`` of the displayed clip, whose aspect the disparity must have; not checked where
            None.
        frame_numbers: numbers of the clip's frames, by which numbered maps are matched; in order where None.
        dropped_frames: places of frames that were dropped from the clip, for which there may be disparity all the same.
        scale: of the clip, as an earlier pass over these files has found it; None = find it.
        notice: told, in one line each, what looks wrong and what was taken for granted.

    Raises:
        InputError: the path is not such a thing, the count or the aspect differs from the clip's, a frame has no map of
            its number, a picture is unreadable, in colour or of another size than the first, a value of disparity is
            NaN or infinite, or a map of depth is empty.
    """
    reading = reading or DisparityReading()
    opened = open_grey_frames(Path(path), noun="disparity", content=_content(reading))
    frames = paired(
        opened,
        clip_frame_count=clip_frame_count,
        frame_numbers=frame_numbers,
        dropped_frames=dropped_frames,
        stop=stop,
        notice=notice,
    )
    if frame_size is not None:
        height, width = frames.at(0).shape
        require_same_aspect("disparity", (width, height), frame_size)
    kind: DisparityKind = reading.kind or "disparity"
    if reading.kind is None and reading.polarity is None and frames.holds_depth:
        kind = "depth"
        if notice is not None:
            notice(
                f"{frames.title} {path} is read as depth in metres, which its EXR channel is called; pass "
                f"--disparity-kind to say otherwise"
            )
    if scale is not None:
        pass
    elif kind == "disparity":
        scale = disparity_scale(frames, reading.polarity or "near-white")
    else:
        scale = depth_scale(frames, is_millimetres=kind == "depth-mm")
    if notice is not None and reading.kind is None and isinstance(scale, DisparityScale):
        for remark in remarks_on_values(frames, scale, stop=stop):
            notice(remark)
    return FileDisparity(frames, scale, reading.levels or Levels())


class FileDisparity:
    """Disparity read from files, with one scale for the clip; `open_disparity` makes one.

    Attributes:
        frame_count: frames that the files hold.
    """

    def __init__(self, frames: GreyFrames, scale: DisparityScale | DepthScale, levels: Levels) -> None:
        self._frames = frames
        self._scale = scale
        self._levels = levels
        self.frame_count = frames.frame_count

    @property
    def scale(self) -> DisparityScale | DepthScale:
        """How values become disparity; the same for the whole clip."""
        return self._scale

    @property
    def value_range(self) -> tuple[float, float]:
        """Values of disparity files that become 0 and 1; ``(0, 1)`` where they are used as they are, and for depth."""
        return (self._scale.lowest, self._scale.highest) if isinstance(self._scale, DisparityScale) else (0.0, 1.0)

    @property
    def inverse_metres_per_unit(self) -> float | None:
        """1/metres that disparity 1 stands for; None where distances are unknown, or bent by levels."""
        metres = self._scale.inverse_metres_per_unit
        return None if metres is None or not self._levels.keeps_ratios else metres * self._levels.high

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
        return self._levels.applied(self._scale.disparity(values))[None]


def _content(reading: DisparityReading) -> MapContent:
    """Which channel of an EXR is looked for."""
    if reading.kind in ("depth", "depth-mm"):
        return "depth"
    return "disparity" if reading.kind == "disparity" or reading.polarity is not None else "disparity or depth"
