"""The lens that a clip was shot through, estimated from a few of its frames."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from any2bokeh.disparity.source import DisparitySource
from any2bokeh.optics.coc import REFERENCE_LONG_SIDE_PX
from any2bokeh.optics.source_blur import SourceLens
from any2bokeh.optics.transfer import Transfer, decode
from any2bokeh.source_blur.edge_widths import EdgeWidths, resized
from any2bokeh.source_blur.fit import fitted_lens
from any2bokeh.video import VideoSource

FRAMES = 4
"""How many frames of a clip are looked at."""

_LUMINANCE = np.array([0.2126, 0.7152, 0.0722], np.float32)  # ITU-R BT.709


@dataclass(frozen=True, slots=True)
class SourceBlurEstimate:
    """What the edges of a clip tell of the lens that it was shot through.

    Attributes:
        lens: None where the clip counts as sharp.
        edges: how many edges were measured.
    """

    lens: SourceLens | None
    edges: int

    def __str__(self) -> str:
        if self.lens is None:
            return "the source looks sharp, so no blur of its own is taken into account"
        return (
            f"the source is already blurred as by a lens of K {self.lens.blur_strength:.1f} focused at disparity "
            f"{self.lens.focus_disparity:.2f}; only what is missing is added"
        )


def estimated_lens(source: VideoSource, maps: DisparitySource, frames: range) -> SourceBlurEstimate:
    """Estimate the lens of a clip from frames that are spread over it evenly.

    Args:
        source: the clip.
        maps: its disparity, counted like its frames.
        frames: those that may be looked at.

    Raises:
        InputError: the clip or its disparity cannot be read.
    """

    def looked_at() -> Iterator[tuple[NDArray[np.float32], NDArray[np.float32]]]:
        for index in places_looked_at(frames):
            frame = next(iter(source.frames(index, index + 1)), None)
            if frame is not None and not frame.is_past_end:
                yield frame.pixels, maps.at(index)

    return lens_of_frames(looked_at(), source.info.transfer)


def places_looked_at(frames: range) -> list[int]:
    """The few frames that are looked at, spread evenly over those that may be."""
    count = min(FRAMES, len(frames))
    return [frames[(2 * at + 1) * len(frames) // (2 * count)] for at in range(count)]


def lens_of_frames(
    frames: Iterable[tuple[NDArray[np.float32], NDArray[np.float32]]], transfer: Transfer
) -> SourceBlurEstimate:
    """Estimate the lens from frames of one clip: the pixels ``(3, H, W)`` of each, and its disparity ``(1, h, w)``."""
    found: list[EdgeWidths] = []
    long_side_px = 0
    for pixels, disparity in frames:
        long_side_px = min(max(pixels.shape[1:]), REFERENCE_LONG_SIDE_PX)
        found.append(edges_of_frame(pixels, disparity, transfer, long_side_px=long_side_px))
    if not found:
        return SourceBlurEstimate(None, 0)
    edges = EdgeWidths.all_of(found)
    return SourceBlurEstimate(fitted_lens(edges, long_side_px / REFERENCE_LONG_SIDE_PX), len(edges))


def edges_of_frame(
    pixels: NDArray[np.float32], disparity: NDArray[np.float32], transfer: Transfer, *, long_side_px: int
) -> EdgeWidths:
    """Measure the edges of a frame at a size of so many pixels on its longer side.

    Args:
        pixels: ``(3, H, W)``.
        disparity: ``(1, h, w)``.
        transfer: of ``pixels``.
        long_side_px: at most that of the frame.
    """
    scale = long_side_px / max(pixels.shape[1:])
    size = (round(pixels.shape[2] * scale), round(pixels.shape[1] * scale))
    channels = decode(pixels, transfer)
    light = np.tensordot(_LUMINANCE, channels, 1).astype(np.float32)
    codes = pixels.max(axis=0) if transfer != "linear" else np.zeros_like(light)
    if scale < 1:
        light, codes = (resized(each, size, cv2.INTER_AREA) for each in (light, codes))
    return EdgeWidths.of(light, codes, resized(disparity[0], size, cv2.INTER_NEAREST))
