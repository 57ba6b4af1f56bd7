"""Disparity estimated from the clip itself, once, and kept."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from any2bokeh.disparity.cache import DisparityCache, Entry, PendingEntry
from any2bokeh.disparity.estimators.base import DepthEstimator, RemarkedMaps, ScaleAlignment
from any2bokeh.disparity.raw_scale import ClipRange, raw_disparity
from any2bokeh.disparity.source import FileDisparity, open_disparity
from any2bokeh.errors import InputError
from any2bokeh.video import VideoInfo, VideoSource

# What is done to a model's maps; a change of it makes what is cached stale.
_PIPELINE_VERSION = 1
# Motion is read from frames of at most this size.
_GUIDE_LONG_SIDE_PX = 512

Progress = Callable[[int, int], None]
"""Called with the frames estimated so far and the frames of the whole job."""


class EstimatedDisparity:
    """A clip's disparity from a depth model: a ``DisparitySource`` that is made in one pass when it is first read.

    The model's maps become disparity on one scale for the clip, are stabilised over time, and lie in the cache from
    then on, on a grid of 1/65535: what is read from here is what ``any2bokeh depth`` writes and ``--disparity`` reads.

    Args:
        source: the pictures; it stays open.
        estimator: what makes the maps.
        scale_alignment: how the maps are brought to one scale in each shot; None = as the estimator needs it.
        start, stop: the frames ``start <= index < stop`` that are estimated, as a clip of its own.
        cache: where the result is kept.
        progress: called before the first frame and after every one, when the pass is made.
        notice: told what a user must know of the maps, and of a damaged entry of the cache, when they are first read.

    Attributes:
        frame_count: ``stop - start``.
        estimator: what makes the maps.
    """

    def __init__(
        self,
        source: VideoSource,
        estimator: DepthEstimator,
        *,
        scale_alignment: ScaleAlignment | None = None,
        start: int = 0,
        stop: int | None = None,
        cache: DisparityCache | None = None,
        progress: Progress | None = None,
        notice: Callable[[str], None] | None = None,
    ) -> None:
        self._source = source
        self.estimator = estimator
        self._start, self._stop = start, source.info.frame_count if stop is None else stop
        self.frame_count = self._stop - self._start
        self._scale_alignment: ScaleAlignment = scale_alignment or estimator.scale_alignment
        self._cache = cache or DisparityCache()
        self._progress = progress or (lambda done, total: None)
        self._notice = notice
        self._maps: FileDisparity | None = None
        self._entry: Entry | None = None

    @property
    def is_metric(self) -> bool:
        """Whether the model knows distances in metres."""
        return self.estimator.meaning.is_metric

    @property
    def inverse_metres_per_unit(self) -> float | None:
        """1/metres that disparity 1 stands for, of a metric model; None of a relative one."""
        return float(self.estimate().facts["ends"][1]) if self.is_metric else None

    def estimate(self) -> Entry:
        """Make the maps, unless they are there already.

        Raises:
            InputError: the model or the clip cannot be read, or the cache cannot be written.
        """
        if self._entry is None:
            if self._notice is not None and self.estimator.caveat is not None:
                self._notice(self.estimator.caveat)
            key = self._key()
            self._entry = self._cache.find(key, self._notice) or self._made(key)
            if self._notice is not None and self._entry.facts.get("remark"):
                self._notice(self._entry.facts["remark"])
        return self._entry

    def frames(self, start: int = 0, stop: int | None = None) -> Iterator[NDArray[np.float32]]:
        """Maps of frames ``start`` to ``stop`` (exclusive; the end where None), in order, ``(1, h, w)`` each."""
        return self._opened().frames(start, stop)

    def at(self, index: int) -> NDArray[np.float32]:
        """The map of one frame, ``(1, h, w)``."""
        return self._opened().at(index)

    def _opened(self) -> FileDisparity:
        if self._maps is None:
            self._maps = open_disparity(self.estimate().maps, clip_frame_count=self.frame_count)
        return self._maps

    def _made(self, key: Mapping[str, object]) -> Entry:
        meaning = self.estimator.meaning
        total = self.frame_count
        clip_range = ClipRange()
        self._progress(0, total)
        with self._cache.begin(key, frame_count=total) as entry:
            raw_maps = self.estimator.maps(self._pictures())
            for done, raw in enumerate(raw_maps, 1):
                entry.raw.write(raw_disparity(raw, meaning))
                if done // 2 > (done - 1) // 2:  # the other half is holding them still
                    self._progress(done // 2, total)
            for done, disparity in enumerate(self._stabilised(entry), 1):
                clip_range.add(disparity)
                entry.maps.write(disparity)
                if (total + done) // 2 > (total + done - 1) // 2:
                    self._progress((total + done) // 2, total)
            ends = clip_range.ends(meaning)
            facts = {
                "model": self.estimator.name,
                "licence": self.estimator.licence,
                "meaning": str(meaning),
                "ends": list(ends),
                "remark": raw_maps.remark if isinstance(raw_maps, RemarkedMaps) else None,
            }
            return entry.publish(ends, facts)

    def _stabilised(self, entry: PendingEntry) -> Iterator[NDArray[np.float32]]:
        """Disparity in the model's own unit, finite, steady over time."""
        from any2bokeh.disparity.stabilise import stabilised

        return stabilised(entry.raw.maps, lambda: map(_guide, self._pictures()), mode=self._scale_alignment)

    def _pictures(self) -> Iterator[NDArray[np.float32]]:
        is_linear = self._source.info.transfer == "linear"
        for frame in self._source.frames(self._start, self._stop):
            yield _displayed(frame.pixels) if is_linear else frame.pixels

    def _key(self) -> Mapping[str, object]:
        info = self._source.info
        return {
            "pipeline": _PIPELINE_VERSION,
            "source": clip_identity(info),
            "frames": [self._start, self._stop],
            "size": [info.width, info.height],
            "estimator": self.estimator.name,
            "scale_alignment": self._scale_alignment,
            "settings": dict(self.estimator.settings),
        }


def displayed_guide(pixels: NDArray[np.float32], info: VideoInfo) -> NDArray[np.float32]:
    """A frame of a clip, display-referred, at the size that motion is read at."""
    return _guide(_displayed(pixels) if info.transfer == "linear" else pixels)


def _guide(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    """A frame at the size that motion is read at."""
    import cv2

    scale = _GUIDE_LONG_SIDE_PX / max(pixels.shape[1:])
    if scale >= 1:
        return pixels
    size = (math.ceil(pixels.shape[2] * scale), math.ceil(pixels.shape[1] * scale))
    return np.stack([cv2.resize(plane, size, interpolation=cv2.INTER_AREA) for plane in pixels])


def _displayed(linear: NDArray[np.float32]) -> NDArray[np.float32]:
    from any2bokeh.optics.transfer import srgb_encode

    return np.clip(srgb_encode(linear), 0, 1)


def clip_identity(info: VideoInfo) -> list[object]:
    """What tells a source from any other without reading its pictures: names, sizes and times of its files."""
    from any2bokeh.video.sequence import find_sequence

    scan = [] if info.scan == "progressive" else [info.scan]
    # An animation is one file, though its frames are images.
    files = (find_sequence(info.path) if info.is_sequence else None) or [info.path]
    return _identity(info.path, files) + scan


def files_identity(path: Path) -> list[object]:
    """What tells a file, or the files of a folder, from any other without reading them.

    Raises:
        InputError: one cannot be looked at.
    """
    return _identity(path, sorted(path.iterdir()) if path.is_dir() else [path])


def _identity(path: Path, files: Iterable[Path]) -> list[object]:
    try:
        stats = [(file, file.stat()) for file in map(Path, files)]
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}); check the file") from None
    return [str(path.absolute()), *([file.name, s.st_size, s.st_mtime_ns] for file, s in stats)]
