"""Disparity of single frames, at once: what a picture is made with until the disparity of the clip is there."""

import threading
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from any2bokeh.app.frame_reader import FrameReader
from any2bokeh.disparity.rough.estimator import RoughEstimator
from any2bokeh.focus import BoxTarget, FocusScript, PointTarget
from any2bokeh.subject.seed import ClipSeed
from any2bokeh.video import VideoInfo

_LONG_SIDE_PX = 192
"""A quarter of the pixels that the estimate of a clip looks at: it takes an eighth of the time."""

_KEPT = 48  # maps of 0.08 MB


class FrameEstimates:
    """Rough disparity of frames by themselves, a few of them kept.

    Args:
        frames: pictures of the clip.
        info: what the clip is.
    """

    def __init__(self, frames: FrameReader, info: VideoInfo) -> None:
        self._frames, self._info = frames, info
        self._kept: OrderedDict[tuple[ClipSeed, int], NDArray[np.float32]] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, script: FocusScript | None) -> "ScriptEstimates":
        """Those in which the subjects of a script are near."""
        return ScriptEstimates(self, script, self._info)

    def map(self, seed: ClipSeed, frame: int) -> NDArray[np.float32]:
        """The map of a frame, ``(1, h, w)``.

        Args:
            seed: where its subject is; the frame of it is not looked at.
            frame: which.

        Raises:
            InputError: the clip cannot be read.
        """
        key = replace(seed, frame=0), frame
        with self._lock:
            if key not in self._kept:
                [self._kept[key]] = RoughEstimator(key[0]).maps([self._small(frame)])
            self._kept.move_to_end(key)
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
            return self._kept[key]

    def _small(self, frame: int) -> NDArray[np.float32]:
        pixels = self._frames.at(frame)
        if self._info.transfer == "linear":
            from any2bokeh.optics.transfer import srgb_encode

            pixels = np.clip(srgb_encode(pixels), 0, 1)
        scale = min(1.0, _LONG_SIDE_PX / max(pixels.shape[1:]))
        size = max(1, round(pixels.shape[2] * scale)), max(1, round(pixels.shape[1] * scale))
        return np.stack([cv2.resize(plane, size, interpolation=cv2.INTER_AREA) for plane in pixels])


class ScriptEstimates:
    """Single maps as a ``DisparitySource``; each has the subject of the keyframe that is nearest in time.

    Args:
        estimates: what makes them.
        script: where subjects are; None for the middle of the picture.
        info: what the clip is.

    Attributes:
        key: equal where the maps are.
    """

    def __init__(self, estimates: FrameEstimates, script: FocusScript | None, info: VideoInfo) -> None:
        self._estimates = estimates
        self.frame_count = info.frame_count
        self.key = tuple(_seeds(script, float(info.fps)))

    def at(self, index: int) -> NDArray[np.float32]:
        """The map of one frame, ``(1, h, w)``."""
        seed = min(self.key, key=lambda seed: abs(seed.frame - index), default=ClipSeed())
        return self._estimates.map(seed, index)

    def frames(self, start: int = 0, stop: int | None = None) -> Iterator[NDArray[np.float32]]:
        """Maps of frames ``start`` to ``stop`` (exclusive; the end where None), in order."""
        return (self.at(index) for index in range(start, self.frame_count if stop is None else stop))


def _seeds(script: FocusScript | None, fps: float) -> Iterator[ClipSeed]:
    for keyframe in script.keyframes if script is not None else ():
        frame = script.clip_frame(keyframe.frame, fps) if script is not None else 0
        match keyframe.target:
            case PointTarget(x, y):
                yield ClipSeed(frame, point=(x, y))
            case BoxTarget(x0, y0, x1, y1):
                yield ClipSeed(frame, box=(x0, y0, x1, y1))
