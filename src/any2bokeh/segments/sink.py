"""The sink of a render in segments."""

import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from any2bokeh.events import SegmentFinished, SegmentStarted, Watch
from any2bokeh.segments.cut import Segment
from any2bokeh.segments.parts import AOVS, PICTURES, Parts
from any2bokeh.video import Frame, VideoSink
from any2bokeh.video.frame_numbers import NamePattern
from any2bokeh.video.sink import SegmentSink

if TYPE_CHECKING:
    from any2bokeh.aov.sink import AovSink


class SegmentedSink:
    """Takes frames in order and writes each into its segment, which is kept as soon as it is complete.

    Args:
        parts: where segments are kept.
        sink: of the result.
        aovs: the pictures for compositing, which are written after the frame that they go with.
        segments: that are missing, in order.
        watch: told when a segment begins, and when it is kept.
    """

    def __init__(
        self,
        parts: Parts,
        sink: VideoSink,
        aovs: "AovSink | None",
        segments: list[Segment],
        watch: Watch | None = None,
    ) -> None:
        self._parts = parts
        self._sink = sink
        self._aovs = aovs
        self._waiting = list(segments)
        self._watch = watch
        self._began_s = 0.0
        self._written = 0
        self._segment: Segment | None = None
        self._open: SegmentSink | None = None

    def write(self, frame: Frame, pixels: NDArray[np.float32]) -> None:
        """See ``VideoSink.write``."""
        if self._segment is None or frame.index not in self._segment.frames:
            self._complete()
            self._begin()
        assert self._open is not None
        self._open.write(frame, pixels)
        self._written += 1

    def finish(self, stop: int) -> None:
        """Complete the last segment.

        Args:
            stop: frame after the last one that was written; earlier than its segment's where the clip ended early.
        """
        last = self._waiting[-1] if self._waiting else self._segment
        if last is not None and stop < last.stop:
            self._parts.ends_at(stop)
        self._complete()

    def close(self) -> None:
        """Let go of a segment that is not complete."""
        if self._open is not None:
            self._open.close()
            self._open = None

    def _begin(self) -> None:
        self._segment = self._waiting.pop(0)
        self._began_s, self._written = time.perf_counter(), 0
        if self._watch:
            self._watch(SegmentStarted(self._segment.start, self._segment.stop))
        folder = self._parts.partial(self._segment)
        before = self._segment.start - self._parts.whole.start
        pictures = folder / PICTURES
        pictures.mkdir()
        self._open = self._sink.segment(pictures, before=before, first_s=self._parts.first_s)
        if self._aovs is not None:
            self._aovs.place = folder / AOVS
            self._aovs.place.mkdir()

    def _complete(self) -> None:
        if self._open is None or self._segment is None:
            return
        self._open.finish()
        self._open.close()
        self._open = None
        place = self._parts.complete(self._segment)
        if self._watch:
            start, seconds = self._segment.start, round(time.perf_counter() - self._began_s, 3)
            self._watch(
                SegmentFinished(start, start + self._written, seconds, bytes_of(place), host=socket.gethostname())
            )
        self._segment = None


def bytes_of(path: Path) -> int:
    """Of a file, of all files in a folder, or of those that a numbered name such as ``out_%05d.png`` stands for."""
    if path.is_dir():
        files = list(path.rglob("*"))
    elif path.exists():
        files = [path]
    else:
        pattern = NamePattern.of(path)
        files = [] if pattern is None else [each for each in pattern.folder.iterdir() if pattern.matches(each.name)]
    return sum(each.stat().st_size for each in files if each.is_file())
