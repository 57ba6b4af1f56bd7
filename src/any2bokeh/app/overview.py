"""A clip at a glance: thumbnails for the timeline, and how near and far its disparity reaches over time."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from any2bokeh.app.depth import Maps
from any2bokeh.app.frame_reader import FrameReader
from any2bokeh.app.refusal import NotYet
from any2bokeh.disparity import DisparitySource, inverse_metres_per_unit
from any2bokeh.errors import InputError
from any2bokeh.video import VideoSource

_log = logging.getLogger(__name__)

_THUMBNAILS = 48
_THUMBNAIL_HEIGHT_PX = 80
_WIDEST_PX = 320  # of a thumbnail
_SAMPLES = 96
_ENDS = (2, 98)  # percentiles: stray pixels are nowhere near
_JPEG_QUALITY = 80
# Of the time that a step took: the picture that somebody waits for goes first.
_RESTS = 1.5
_TELLS_EVERY_S = 0.5


@dataclass(frozen=True, slots=True)
class Overview:
    """What is known of a clip.

    Attributes:
        frames: those of the thumbnails so far, evenly over the clip.
        thumbnails: how many there will be.
        ribbon: far and near end of the disparity at samples evenly over the clip, None where it is not known yet.
        inverse_metres_per_unit: 1/metres that disparity 1 stands for; None where distances are unknown.
    """

    frames: tuple[int, ...] = ()
    thumbnails: int = 0
    ribbon: tuple[tuple[float, float] | None, ...] = ()
    inverse_metres_per_unit: float | None = None


class OverviewMaker:
    """Looks through a clip in a thread of its own, at a fraction of a core.

    Args:
        source: the clip.
        opened: opens its disparity; each reader opens its own.
        told: called when more is known, from any thread.
    """

    def __init__(
        self,
        source: VideoSource,
        opened: Callable[[Maps], DisparitySource],
        told: Callable[[], None] = lambda: None,
    ) -> None:
        self._source, self._opened, self._told = source, opened, told
        count = source.info.frame_count
        self._places = _evenly(count, _THUMBNAILS)
        self._samples = _samples(count)
        self.now = Overview(thumbnails=len(self._places), ribbon=(None,) * len(self._samples))
        self._pictures: list[NDArray[np.uint8]] = []
        self._wanted: Maps | None = None
        self._measured: Maps | None = None
        self._closed = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._work, name="any2bokeh overview", daemon=True)
        self._thread.start()

    def want(self, maps: Maps | None) -> None:
        """The disparity is in this file now; None where there is none yet."""
        with self._changed:
            if maps != self._wanted:
                self._wanted = maps
                self._changed.notify_all()

    def strip(self) -> bytes:
        """The thumbnails so far, in one row, as JPEG.

        Raises:
            NotYet: there is none yet.
        """
        with self._changed:
            pictures = list(self._pictures)
        if not pictures:
            raise NotYet("the thumbnails are still being made; ask again when the first is there")
        row = np.concatenate(pictures, axis=1)
        done, data = cv2.imencode(".jpg", row[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
        if not done:
            raise RuntimeError(f"JPEG encoder refused {row.shape}")
        return data.tobytes()

    def close(self) -> None:
        """End the work. The source is closed by its owner, which ends a decoder in the midst of its work."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _work(self) -> None:
        try:
            self._make_thumbnails()
            while True:
                with self._changed:
                    self._changed.wait_for(lambda: self._closed or self._wanted not in (None, self._measured))
                    maps = self._wanted
                if self._closed or maps is None:
                    return
                self._measure(maps)
                self._measured = maps
        except InputError as error:
            if not self._closed:
                _log.info("the timeline stays incomplete: %s", error)
        except Exception:
            if not self._closed:
                _log.exception("the overview of a clip failed")

    def _make_thumbnails(self) -> None:
        info, told_s = self._source.info, 0.0
        height = min(_THUMBNAIL_HEIGHT_PX, info.height)
        width = max(1, min(round(height * info.width / info.height), _WIDEST_PX))
        reader = FrameReader(self._source, long_side_px=2 * max(width, height), kept=1)
        try:
            for index in self._places:
                began_s = time.monotonic()
                picture = reader.at(index).transpose(1, 2, 0)
                small = cv2.resize(np.ascontiguousarray(picture), (width, height), interpolation=cv2.INTER_AREA)
                if info.transfer == "linear":
                    from any2bokeh.optics.transfer import srgb_encode

                    small = srgb_encode(np.asarray(small, np.float32))
                with self._changed:
                    self._pictures.append(np.rint(np.clip(small, 0, 1) * 255).astype(np.uint8))
                    self.now = replace(self.now, frames=(*self.now.frames, index))
                if time.monotonic() - told_s > _TELLS_EVERY_S or index == self._places[-1]:
                    told_s = time.monotonic()
                    self._told()
                if self._rests(began_s):
                    return
        finally:
            reader.close()

    def _measure(self, maps: Maps) -> None:
        disparity, told_s = self._opened(maps), 0.0
        ribbon: list[tuple[float, float] | None] = [None] * len(self._samples)
        self.now = replace(self.now, inverse_metres_per_unit=inverse_metres_per_unit(disparity))
        for number, index in enumerate(self._samples):
            began_s = time.monotonic()
            far, near = np.percentile(disparity.at(min(index, disparity.frame_count - 1))[0, ::4, ::4], _ENDS)
            ribbon[number] = round(float(far), 3), round(float(near), 3)
            self.now = replace(self.now, ribbon=tuple(ribbon))
            if time.monotonic() - told_s > _TELLS_EVERY_S or number == len(ribbon) - 1:
                told_s = time.monotonic()
                self._told()
            if self._rests(began_s) or self._wanted != maps:
                return

    def _rests(self, began_s: float) -> bool:
        """Leave the machine to others for a while; whether the clip has been closed."""
        with self._changed:
            return self._changed.wait_for(lambda: self._closed, _RESTS * (time.monotonic() - began_s))


def _evenly(count: int, most: int) -> list[int]:
    """The frames in the middle of so many equal parts of a clip."""
    parts = min(count, most)
    return [int((part + 0.5) * count / parts) for part in range(parts)]


def _samples(count: int) -> list[int]:
    """Frames evenly over a clip, the first and the last among them."""
    return [int(place) for place in np.linspace(0, count - 1, min(count, _SAMPLES)).round()]
