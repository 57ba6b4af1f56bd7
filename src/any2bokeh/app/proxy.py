"""A small copy of a clip that plays and can be gone through at once, made in the background."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from any2bokeh.app.frame_reader import LONG_SIDE_PX
from any2bokeh.app.memory import give_back_memory
from any2bokeh.errors import InputError
from any2bokeh.video import Frame, VideoSource, open_source
from any2bokeh.video.reduced import reduced_size
from any2bokeh.video.sound import SoundTracks

_log = logging.getLogger(__name__)

_KEY_FRAME_EVERY = 12
_ENCODER = {"preset": "veryfast", "crf": "17", "bf": "0", "g": str(_KEY_FRAME_EVERY), "sc_threshold": "0"}
_BASE = Fraction(1, 90_000)
# Snapshots tell how far it is; not after every frame.
_TELL_EVERY = 12

Stage = Literal["none", "making", "ready", "failed"]


class _Closed(Exception):
    """Nobody wants it any more."""


@dataclass(frozen=True, slots=True)
class ProxyProgress:
    """How far it is.

    Attributes:
        stage: ``none`` for clips that are no video, which need none or cannot have one.
        done, total: frames.
        has_sound: whether it has.
    """

    stage: Stage
    done: int = 0
    total: int = 0
    has_sound: bool = False


class Proxy:
    """H.264 of at most 960 px on the longer side, a key frame every half second, with the clip's sound as AAC.

    All frames are shown equally long, so that a player's time tells the frame.

    Args:
        source: the clip; it stays open.
        path: of the proxy, an .mp4; it appears when it is complete.
        stand_back: called before every frame, to let go first who is waited for.
        told: called when it has gone on, from another thread.
    """

    def __init__(
        self,
        source: VideoSource,
        path: Path,
        *,
        stand_back: Callable[[], None] = lambda: None,
        told: Callable[[], None] = lambda: None,
    ) -> None:
        self._source, self.path = source, path
        self._stand_back, self._told = stand_back, told
        self._closed = threading.Event()
        is_video = not source.info.is_sequence and source.info.transfer != "linear"
        self.progress = ProxyProgress("making" if is_video else "none", 0, source.info.frame_count)
        self._opened: VideoSource | None = None
        self._thread = threading.Thread(target=self._work, name="any2bokeh proxy", daemon=True)
        if is_video:
            self._thread.start()

    @property
    def is_ready(self) -> bool:
        return self.progress.stage == "ready"

    def source(self) -> VideoSource | None:
        """Its frames, each that of the clip with the same number; None until it is ready."""
        if self._opened is None and self.is_ready:
            opened = open_source(self.path)
            is_whole = opened.info.frame_count == self._source.info.frame_count
            self._opened = opened if is_whole else None
        return self._opened

    def close(self) -> None:
        """End the work and remove the file."""
        self._closed.set()
        if self._thread.ident is not None:
            self._thread.join(30)
        if self._opened is not None:
            self._opened.close()
        self.path.unlink(missing_ok=True)

    def _work(self) -> None:
        partial = self.path.with_suffix(".partial.mp4")
        try:
            has_sound = self._write(partial)
            partial.rename(self.path)
            total = self._source.info.frame_count
            self.progress = ProxyProgress("ready", total, total, has_sound)
        except _Closed:
            return
        except Exception as error:  # whatever it is, the clip can be worked on without
            if not self._closed.is_set() and not isinstance(error, InputError):
                _log.exception("the small copy of the clip could not be made")
            self.progress = ProxyProgress("failed")
        finally:
            partial.unlink(missing_ok=True)
        give_back_memory()
        self._told()

    def _write(self, path: Path) -> bool:
        info, total = self._source.info, self._source.info.frame_count
        with av.open(str(path), "w", container_options={"movflags": "+faststart"}) as container:
            video: Any = container.add_stream("libx264", rate=info.fps, options=_ENCODER)
            video.width, video.height = (side + side % 2 for side in reduced_size(info, LONG_SIDE_PX))
            video.pix_fmt, video.time_base = "yuv420p", _BASE
            video.codec_context.time_base = _BASE
            video.codec_context.thread_count = 1
            video.codec_context.color_range = 1  # limited
            for what in ("color_primaries", "color_trc", "colorspace"):
                setattr(video.codec_context, what, 1)  # BT.709, whatever the clip has: its code values are kept
            sound = SoundTracks(container, info.path, "aac" if info.audio else "none", True, info.clock_shifts_s)
            try:
                has_sound = bool(info.audio) and _has_tracks(sound)
                done = 0
                sound.begin(info.start_time_s)
                for done, frame in enumerate(self._source.frames(), 1):
                    self._pass_on(done - 1, total)
                    picture = _picture(frame, (video.width, video.height))
                    picture.pts, picture.time_base = round(frame.index / info.fps / _BASE), _BASE
                    for packet in video.encode(picture):
                        container.mux(packet)
                    sound.write_until(frame.time_s + frame.duration_s)
                if done < total:
                    raise _Closed
                container.mux(video.encode(None))
                sound.finish()
            finally:
                sound.close()
        return has_sound

    def _pass_on(self, done: int, total: int) -> None:
        self._stand_back()
        if self._closed.is_set():
            raise _Closed
        if done % _TELL_EVERY == 0:
            self.progress = ProxyProgress("making", done, total)
            self._told()


def _has_tracks(sound: SoundTracks) -> bool:
    try:
        return sound.add_tracks()
    except InputError:  # it plays without
        return False


def _picture(frame: Frame, size: tuple[int, int]) -> av.VideoFrame:
    """A frame at the size of the proxy, an odd side made even by its last pixels once more."""
    small = reduced_pixels(frame.pixels, size)
    samples = np.rint(np.clip(small, 0, 1) * 255).astype(np.uint8).transpose(1, 2, 0)
    picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(samples), format="rgb24")
    return picture.reformat(format="yuv420p", dst_colorspace="ITU709", dst_color_range="MPEG")


def reduced_pixels(pixels: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    """A picture ``(3, H, W)`` at another size ``(width, height)``."""
    if pixels.shape[1:] == size[::-1]:
        return pixels
    return np.stack([cv2.resize(plane, size, interpolation=cv2.INTER_AREA) for plane in pixels])
