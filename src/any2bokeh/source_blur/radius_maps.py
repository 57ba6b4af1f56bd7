"""Maps of the blur that a clip has already, from files."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from any2bokeh.disparity.aspect import require_same_aspect
from any2bokeh.disparity.grey_frames import open_grey_frames
from any2bokeh.disparity.pairing import paired
from any2bokeh.errors import InputError
from any2bokeh.optics.coc import REFERENCE_LONG_SIDE_PX
from any2bokeh.optics.source_blur import SourceLens
from any2bokeh.source_blur.frame_blur import FrameBlur

CODES_PER_PX = 256
"""Codes of a 16-bit integer map for a radius of one pixel, as in KITTI's disparity; those of 8 bits are pixels."""


class RadiusMaps:
    """Radii of the blur in each pixel of the clip's frames.

    EXR and floating-point .npy or .npz hold pixels of the clip's frame, integers of 16 bits 1/256 of these, and
    integers of 8 bits whole ones. A negative radius is a signed defocus, whose sign is dropped. One map alone is that
    of all frames.

    Args:
        path: a folder of pictures, one picture, or a NumPy file.
        frame_size: ``(width, height)`` of the displayed clip, whose aspect the maps must have.
        clip_frame_count, stop, frame_numbers, dropped_frames, notice: see ``open_disparity``.

    Raises:
        InputError: the path is not such a thing, or the count or the aspect differs from the clip's.
    """

    def __init__(
        self,
        path: Path,
        *,
        frame_size: tuple[int, int],
        clip_frame_count: int,
        stop: int | None = None,
        frame_numbers: Sequence[int] | None = None,
        dropped_frames: Sequence[int] = (),
        notice: Callable[[str], None] | None = None,
    ) -> None:
        opened = open_grey_frames(path, noun="source blur")
        if opened.full_scale is None:
            raise InputError(
                f"{opened.title} {path} holds no radii in pixels; give a folder of EXR or PNG, or a .npy file"
            )
        codes_per_px = CODES_PER_PX if opened.full_scale > 255 else 1
        self._px = opened.full_scale / codes_per_px if opened.normalised else 1.0
        self._reference = REFERENCE_LONG_SIDE_PX / max(frame_size)
        self._path = path
        self._is_one = opened.frame_count == 1
        self._maps = (
            opened
            if self._is_one
            else paired(
                opened,
                clip_frame_count=clip_frame_count,
                frame_numbers=frame_numbers,
                dropped_frames=dropped_frames,
                stop=stop,
                notice=notice,
            )
        )
        height, width = opened.at(0).shape
        require_same_aspect("source blur", (width, height), frame_size)

    def in_frame(self, index: int, disparity: NDArray[np.float32]) -> FrameBlur:
        """The blur of a frame with the disparity ``(1, H, W)``.

        Raises:
            InputError: a map cannot be read, or has values that are not finite.
        """
        import cv2

        at = 0 if self._is_one else index
        radius = np.abs(self._maps.at(at)) * np.float32(self._px * self._reference)
        if not np.isfinite(radius).all():
            raise InputError(
                f"source blur {self._path}: {self._maps.label(at)} has values that are not finite; export it again"
            )
        height, width = disparity.shape[1:]
        if radius.shape != (height, width):
            how = cv2.INTER_AREA if radius.shape[0] > height else cv2.INTER_LINEAR
            radius = cv2.resize(radius, (width, height), interpolation=how)
        return FrameBlur.of_map(np.asarray(radius, np.float32)[None], disparity)


def blur_in_frame(
    known: SourceLens | RadiusMaps | None, index: int, disparity: NDArray[np.float32]
) -> FrameBlur | None:
    """What blur a frame with the disparity ``(1, H, W)`` has already; None where it counts as sharp."""
    if isinstance(known, SourceLens):
        return FrameBlur.of_lens(known, disparity)
    return None if known is None else known.in_frame(index, disparity)
