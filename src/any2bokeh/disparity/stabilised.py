"""Given disparity, held still once, and kept."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from any2bokeh.disparity.cache import DisparityCache, Entry
from any2bokeh.disparity.estimated import Progress, clip_identity, displayed_guide, files_identity
from any2bokeh.disparity.estimators.base import MapMeaning, ScaleAlignment
from any2bokeh.disparity.raw_scale import ClipRange
from any2bokeh.disparity.reading import Levels
from any2bokeh.disparity.source import DisparitySource, FileDisparity, inverse_metres_per_unit, open_disparity
from any2bokeh.video import VideoSource

# What is done to the maps; a change of it makes what is cached stale.
_PIPELINE_VERSION = 1


class StabilisedDisparity:
    """Maps of files on one scale in each shot, without flicker: a ``DisparitySource`` that is made when first read.

    It lies in the cache from then on, on a grid of 1/65535. Values stay on the scale of the files; only where holding
    them still lifts the near end above 1 are all of them brought back together.

    Args:
        maps: the disparity of the files; see ``open_disparity``.
        path: the files, which the result is kept for.
        source: the pictures, along whose motion maps are compared; it stays open.
        scale_alignment: how; see ``any2bokeh.disparity.stabilise.stabilised``.
        how_read: all that the values of ``maps`` depend on besides the files.
        start: frame of ``source`` that the first map is of.
        levels: a curve over the result.
        cache: where the result is kept.
        progress: called before the first frame and after every one, when the pass is made.
        notice: told of a damaged entry of the cache.

    Attributes:
        frame_count: of the maps.
        levels: the curve.
    """

    def __init__(
        self,
        maps: DisparitySource,
        path: Path,
        source: VideoSource,
        *,
        scale_alignment: ScaleAlignment,
        how_read: str,
        start: int = 0,
        levels: Levels | None = None,
        cache: DisparityCache | None = None,
        progress: Progress | None = None,
        notice: Callable[[str], None] | None = None,
    ) -> None:
        self._given = maps
        self._path = path
        self._source = source
        self._scale_alignment: ScaleAlignment = scale_alignment
        self._how_read = how_read
        self._start = start
        self.levels = levels or Levels()
        self._cache = cache or DisparityCache()
        self._progress = progress or (lambda done, total: None)
        self._notice = notice
        self.frame_count = maps.frame_count
        self._entry: Entry | None = None
        self._maps: FileDisparity | None = None

    @property
    def inverse_metres_per_unit(self) -> float | None:
        """1/metres that disparity 1 stands for; None where distances are unknown, or bent by levels."""
        metres = inverse_metres_per_unit(self._given)
        if metres is None or not self.levels.keeps_ratios:
            return None
        return metres * float(self.steady().facts["high"]) * self.levels.high

    def steady(self) -> Entry:
        """Hold the maps still, unless that is done already.

        Raises:
            InputError: the maps or the clip cannot be read, or the cache cannot be written.
        """
        if self._entry is None:
            key = {
                "steadied": _PIPELINE_VERSION,
                "given": files_identity(self._path),
                "read as": self._how_read,
                "source": clip_identity(self._source.info),
                "frames": [self._start, self.frame_count],
                "scale_alignment": self._scale_alignment,
            }
            self._entry = self._cache.find(key, self._notice) or self._made(key)
        return self._entry

    def frames(self, start: int = 0, stop: int | None = None) -> Iterator[NDArray[np.float32]]:
        """Maps of frames ``start`` to ``stop`` (exclusive; the end where None), in order, ``(1, h, w)`` each."""
        for disparity in self._opened().frames(start, stop):
            yield self.levels.applied(disparity)

    def at(self, index: int) -> NDArray[np.float32]:
        """The map of one frame, ``(1, h, w)``."""
        return self.levels.applied(self._opened().at(index))

    def _opened(self) -> FileDisparity:
        if self._maps is None:
            self._maps = open_disparity(self.steady().maps, clip_frame_count=self.frame_count)
        return self._maps

    def _made(self, key: dict[str, object]) -> Entry:
        from any2bokeh.disparity.stabilise import stabilised

        def pictures() -> Iterator[NDArray[np.float32]]:
            info = self._source.info
            for frame in self._source.frames(self._start, self._start + self.frame_count):
                yield displayed_guide(frame.pixels, info)

        clip_range = ClipRange()
        self._progress(0, self.frame_count)
        with self._cache.begin(key, frame_count=self.frame_count) as entry:
            steady = stabilised(lambda: self._given.frames(0, self.frame_count), pictures, mode=self._scale_alignment)
            for done, disparity in enumerate(steady, 1):
                clip_range.add(disparity)
                entry.maps.write(disparity)
                self._progress(done, self.frame_count)
            _, high = clip_range.ends(MapMeaning("depth"))
            high = max(high, 1.0)
            return entry.publish((0.0, high), {"high": high})
