"""A clip that plays: its proxy, the drafts of its frames, and what the page is told of both."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from any2bokeh.app.depth import ClipDepth
from any2bokeh.app.drafts import DraftStore
from any2bokeh.app.estimate import FrameEstimates
from any2bokeh.app.follower import FocusFollower
from any2bokeh.app.frame_reader import FrameReader
from any2bokeh.app.picture import PictureMaker
from any2bokeh.app.playback import LONG_SIDE_PX, Playback
from any2bokeh.app.played_frames import PlayedFrames
from any2bokeh.app.proxy import Proxy
from any2bokeh.app.snapshot import PlaybackSnapshot
from any2bokeh.disparity.edges import EdgeTreatment
from any2bokeh.focus import FocusScript
from any2bokeh.optics.look import Look
from any2bokeh.video import VideoSource

Decided = Callable[[], tuple[FocusScript | None, Look, EdgeTreatment]]

# Clips of more pixels, or with fewer key frames, are gone through in their proxy.
_SMALL_PX = 960
_EVERY_FRAMES = 48


class ClipPlayback:
    """Plays a clip as it is decided now.

    Args:
        source: the clip.
        folder: for files, of this clip alone.
        depth, follower, frames, estimates: see ``PictureMaker``; the frames are read from the proxy once it is there.
        drafts: where drafts are kept.
        decided: what is in focus, the look of the lens, and how edges of disparity are treated.
        span: the frames that are played.
        told: called when something is new, from any thread.
    """

    def __init__(
        self,
        source: VideoSource,
        folder: Path,
        *,
        depth: ClipDepth,
        follower: FocusFollower,
        frames: FrameReader,
        estimates: FrameEstimates,
        drafts: DraftStore,
        decided: Decided,
        span: Callable[[], range],
        told: Callable[[], None],
    ) -> None:
        self._frames, self._decided, self._span, self._told = frames, decided, span, told
        self._reader = FrameReader(source, long_side_px=LONG_SIDE_PX, kept=4)
        self._maker = PictureMaker(source, depth, follower, self._reader, estimates, drafts)
        self._drafts = ClipDrafts(self._maker, drafts, decided)
        self._treated = DraftStore(folder / "treated")
        count = source.info.frame_count
        self._played = PlayedFrames(count, depth, follower, self._reader, self._treated)
        self._playback = Playback(self._drafts, fps=float(source.info.fps), span=span, told=told)
        self._gains = max(source.info.width, source.info.height) > _SMALL_PX or _has_few_key_frames(source)
        self.proxy = Proxy(source, folder / "proxy.mp4", stand_back=follower.stand_back, told=self._go_on)

    def play(self, frame: int) -> None:
        """The page plays from a frame on."""
        self._playback.play(frame)

    def stop(self) -> None:
        """It does not play any more."""
        self._playback.stop()

    def draft(self, frame: int) -> bytes | None:
        """The draft of a frame for playing, as JPEG; None where it has not been made."""
        return self._drafts.get(frame)

    def live_disparity(self, frames: range) -> bytes:
        """Frames that the page refocuses itself; see ``PlayedFrames.message``."""
        script, _, edges = self._decided()
        return self._played.message(frames, script, edges)

    def snapshot(self) -> PlaybackSnapshot:
        """What the page shows of it."""
        span, progress = self._span(), self.proxy.progress
        return {
            "of": self.proxy.path.parent.name,
            "is_playing": self._playback.is_playing,
            "first": span.start,
            "last": span.stop - 1,
            "ready": self._playback.ready(),
            "proxy": progress.stage,
            "proxy_done": progress.done,
            "has_sound": progress.has_sound,
        }

    def close(self) -> None:
        """End all work and remove what was made."""
        self._playback.close()
        self.proxy.close()
        self._maker.close()
        self._treated.close()

    def _go_on(self) -> None:
        copy = self.proxy.source() if self._gains else None
        if copy is not None:
            self._frames.read_copy(copy)
            self._reader.read_copy(copy)
        self._told()


@dataclass(frozen=True, slots=True)
class ClipDrafts:
    """Drafts of a clip as it is decided now; see ``playback.MakesDrafts``.

    Attributes:
        maker: of pictures of their size.
        store: where they are kept.
        decided: what is in focus, the look of the lens, and how edges of disparity are treated.
    """

    maker: PictureMaker
    store: DraftStore
    decided: Decided

    def has(self, frame: int) -> bool | None:
        key = self.maker.key(frame, *self.decided())
        return None if key is None else self.store.has(frame, key)

    def get(self, frame: int) -> bytes | None:
        key = self.maker.key(frame, *self.decided())
        return None if key is None else self.store.get(frame, key)

    def make(self, frame: int) -> None:
        self.maker.picture(frame, "result", *self.decided())

    def frames(self) -> list[int]:
        return self.store.frames()


def _has_few_key_frames(source: VideoSource) -> bool:
    times = getattr(source, "key_frame_count", None)
    return times is not None and times * _EVERY_FRAMES < source.info.frame_count
