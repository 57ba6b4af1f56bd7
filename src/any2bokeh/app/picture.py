"""One frame as the page shows it: refocused in draft quality, as it was, or what is known of its depth and subject."""

import threading
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Literal, get_args

import cv2
import numpy as np
from numpy.typing import NDArray

from any2bokeh.app.depth import ClipDepth, Maps
from any2bokeh.app.drafts import DraftStore
from any2bokeh.app.estimate import FrameEstimates
from any2bokeh.app.final_frame import FinalFrames
from any2bokeh.app.final_region import Region
from any2bokeh.app.follower import FocusFollower, FocusOfFrame
from any2bokeh.app.frame_reader import FrameReader
from any2bokeh.app.refusal import NotYet
from any2bokeh.disparity import DisparitySource, upsample
from any2bokeh.disparity.edges import EdgeBands, EdgeEstimator, EdgeTreatment, bands_at_size, edge_estimator
from any2bokeh.engines import EngineSettings, make_renderer
from any2bokeh.errors import InputError, require_choice
from any2bokeh.focus import FocusScript
from any2bokeh.optics.focus_range import FocusRange
from any2bokeh.optics.look import Look
from any2bokeh.preview import Preview, focal_plane_overlay
from any2bokeh.renderers.base import Renderer, RenderInput
from any2bokeh.video import VideoSource

View = Literal["result", "source", "plane", "depth", "matte", "edges"]

_DRAFT = EngineSettings(render_quality="draft")
_JPEG_QUALITY = 90
_FOCUS_COLOUR = np.array([0.25, 0.95, 0.45], np.float32)[:, None, None]
_NEAR_COLOUR = np.array([0.98, 0.62, 0.15], np.float32)[:, None, None]
_FAR_COLOUR = np.array([0.2, 0.5, 0.98], np.float32)[:, None, None]
_IN_FOCUS_WITHIN = 0.02  # of disparity


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture for the page.

    Attributes:
        jpeg: the file.
        is_provisional: a better one comes when the disparity or the subject has been found.
        focus: of the frame, where it is known.
        live: by what the frame is known for the live preview; see ``PictureMaker.live_key``.
    """

    jpeg: bytes
    is_provisional: bool
    focus: FocusOfFrame | None
    live: str = ""


class PictureMaker:
    """Makes pictures of a clip, one at a time.

    Args:
        source: the clip.
        depth: its disparity.
        follower: its focus.
        frames: its pictures, at the size of the page.
        estimates: disparity of single frames, until that of the clip is there.
        drafts: where refocused pictures are kept that are not provisional.
    """

    def __init__(
        self,
        source: VideoSource,
        depth: ClipDepth,
        follower: FocusFollower,
        frames: FrameReader,
        estimates: FrameEstimates,
        drafts: DraftStore,
    ) -> None:
        self._drafts = drafts
        self._source, self._depth, self._follower = source, depth, follower
        self.frames, self._estimates = frames, estimates
        self._final = FinalFrames(source, depth, follower)
        self._opened: tuple[Maps, DisparitySource] | None = None
        self._renderer: tuple[Look, Renderer] | None = None
        self._edges: tuple[EdgeTreatment, EdgeEstimator | None] | None = None
        self._bands: tuple[tuple[object, int, EdgeTreatment], EdgeBands] | None = None
        self._lock = threading.Lock()

    def picture(self, frame: int, view: str, script: FocusScript | None, look: Look, edges: EdgeTreatment) -> Picture:
        """Make one.

        Args:
            frame: which.
            view: how; see ``View``.
            script: what is in focus.
            look: of the lens.
            edges: how edges of disparity are treated.

        Raises:
            InputError: no such frame or view, or a clip or script that cannot be rendered.
        """
        count = self._source.info.frame_count
        require_choice("view", view, get_args(View))
        self._final.forget(frame)
        if not 0 <= frame < count:
            raise InputError(f"there is no frame {frame}; the clip has frames 0 to {count - 1}")
        key = self.key(frame, script, look, edges) if view == "result" else None
        kept = None if key is None else self._drafts.get(frame, key)
        live = self.live_key(frame, script, edges) if view == "result" else ""
        if kept is not None:
            return Picture(kept, False, self._follower.known(frame), live)
        with self._follower.paused(), self._lock:
            pixels = self.frames.at(frame)
            if view == "source":
                return Picture(self._jpeg(pixels), False, None)
            maps = self._depth.nearest(script)
            focus = self._follower.at(frame)
            if view == "matte":
                return self._matte(frame, pixels, script, focus)
            if focus is None and view not in ("depth", "edges"):
                return Picture(self._jpeg(pixels), False, None)
            bands = self._treated(maps, frame, pixels, script, edges)
            is_provisional = focus is not None and (focus.is_provisional or self._depth.ready(script) != maps)
            if view == "depth":
                return Picture(encoded(_disparity_shown(bands.disparity, focus)), is_provisional, focus)
            if view == "edges":
                return Picture(encoded(_edges_shown(pixels, bands)), is_provisional, focus)
            assert focus is not None
            shown = self._rendered(frame, pixels, bands, focus, look)
            if view == "plane":
                return Picture(encoded(focal_plane_overlay(shown)), is_provisional, focus)
            picture = Picture(self._jpeg(shown.pixels), is_provisional, focus, "" if is_provisional else live)
        # Kept if nothing has been decided otherwise meanwhile.
        if key is not None and key == self.key(frame, script, look, edges):
            self._drafts.put(frame, key, picture.jpeg)
        return picture

    def quick(self, frame: int, script: FocusScript | None, look: Look, edges: EdgeTreatment) -> Picture:
        """A frame while somebody passes over it: refocused where that is kept, else as it was, provisional.

        Raises:
            InputError: no such frame, or a clip that cannot be read.
        """
        key = self.key(frame, script, look, edges) if 0 <= frame < self._source.info.frame_count else None
        kept = None if key is None else self._drafts.get(frame, key)
        if kept is not None:
            return Picture(kept, False, self._follower.known(frame))
        return replace(self.picture(frame, "source", script, look, edges), is_provisional=script is not None)

    def key(self, frame: int, script: FocusScript | None, look: Look, edges: EdgeTreatment) -> str | None:
        """By what a refocused picture is known; None where it would be provisional, or nothing is in focus."""
        focus, maps = self._follower.known(frame), self._depth.ready(script)
        if focus is None or maps is None:
            return None
        made_of = maps, focus.focus_disparity, focus.blur_strength, focus.slab, look, edges, self.frames.size
        return sha256(repr(made_of).encode()).hexdigest()[:24]

    def live_key(self, frame: int, script: FocusScript | None, edges: EdgeTreatment) -> str:
        """By what a frame of the live preview is known, which draws it with any blur and look; see ``live_frame``.

        Empty where its focus is provisional, or nothing is in focus.
        """
        focus, maps = self._follower.known(frame), self._depth.ready(script)
        if focus is None or maps is None:
            return ""
        made_of = maps, focus.focus_disparity, focus.slab, edges, self.frames.size
        return sha256(repr(made_of).encode()).hexdigest()[:24]

    def live_frame(self, frame: int, script: FocusScript | None, edges: EdgeTreatment) -> tuple[bytes, str]:
        """A frame for the renderer of the page, see ``live.frame_message``, and by what it is known.

        Raises:
            InputError: no such frame, or a clip that cannot be read.
            NotYet: its focus is provisional, or nothing is in focus.
        """
        from any2bokeh.app.live import frame_message

        count = self._source.info.frame_count
        if not 0 <= frame < count:
            raise InputError(f"there is no frame {frame}; the clip has frames 0 to {count - 1}")
        with self._follower.paused(), self._lock:
            key, focus = self.live_key(frame, script, edges), self._follower.known(frame)
            maps = self._depth.ready(script)
            if not key or focus is None:
                raise NotYet("the focus of this frame is still being found; try again in a few seconds")
            pixels = self.frames.at(frame)
            given = _given(pixels, self._treated(maps, frame, pixels, script, edges), focus)
            return frame_message(given, self._source.info.transfer), key

    def earlier(self, frame: int, script: FocusScript | None, look: Look, edges: EdgeTreatment) -> Picture:
        """The result under decisions of before, to be compared with.

        Raises:
            InputError: no such frame, or a clip that cannot be read.
        """
        count = self._source.info.frame_count
        if not 0 <= frame < count:
            raise InputError(f"there is no frame {frame}; the clip has frames 0 to {count - 1}")
        focus = None
        if script is not None:
            focus = self._follower.at(frame) if self._follower.is_wanted(script) else None
            focus = focus or self._follower.earlier(script, frame)
        with self._follower.paused(), self._lock:
            pixels, maps = self.frames.at(frame), self._depth.nearest(script)
            if maps is None or focus is None:
                return Picture(self._jpeg(pixels), script is not None, None)
            bands = self._treated(maps, frame, pixels, script, edges)
            shown = self._rendered(frame, pixels, bands, focus, look)
            return Picture(self._jpeg(shown.pixels), focus.is_provisional, focus)

    def _matte(
        self, frame: int, pixels: NDArray[np.float32], script: FocusScript | None, focus: FocusOfFrame | None
    ) -> Picture:
        """The matte of what is followed, white; black where nothing is."""
        matte = self._follower.followed.matte(script, frame)
        is_provisional = matte is None and self._follower.progress.stage in ("estimating", "following")
        height, width = pixels.shape[1:]
        shown = np.zeros((height, width), np.float32)
        if matte is not None:
            shown = np.asarray(cv2.resize(matte, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)
        return Picture(encoded(np.repeat(shown[None], 3, axis=0)), is_provisional, focus)

    def final(
        self,
        frame: int,
        view: str,
        region: Region,
        script: FocusScript | None,
        look: Look,
        edges: EdgeTreatment,
        *,
        is_first: bool = False,
    ) -> tuple[bytes, Region, bool]:
        """A region in full size and final quality, as JPEG, where its pixels lie, and whether better ones will come.

        Args:
            frame: which.
            view: ``result`` or ``source``.
            region: of the picture.
            script: what is in focus.
            look: of the lens.
            edges: how edges of disparity are treated.
            is_first: whether it is wanted soon, without what the frames around saw; see ``FinalFrames.first``.

        Raises:
            InputError: no such frame or view, or the focus is still being found.
            Superseded: another frame was asked for meanwhile.
        """
        require_choice("view", view, ("result", "source"))
        script = script if view == "result" else None
        if is_first:
            pixels, lies, is_provisional = self._final.first(frame, region, script, look, edges)
            return self._jpeg(pixels), lies, is_provisional
        pixels, lies = region.of(self._final.at(frame, script, look, edges))
        return self._jpeg(pixels), lies, False

    def close(self) -> None:
        """Stop reading."""
        self.frames.close()

    def _rendered(
        self, frame: int, pixels: NDArray[np.float32], bands: EdgeBands, focus: FocusOfFrame, look: Look
    ) -> Preview:
        if self._renderer is None or self._renderer[0] != look:
            self._renderer = look, make_renderer(_DRAFT, look, self._source.info)
        given = _given(pixels, bands, focus)
        [result] = self._renderer[1].render([given])
        return Preview(self._source.info, frame, given, result)

    def _treated(
        self,
        maps: Maps | None,
        frame: int,
        pixels: NDArray[np.float32],
        script: FocusScript | None,
        edges: EdgeTreatment,
    ) -> EdgeBands:
        """Disparity at the size of the picture with its edges treated, as ``refocus`` does; of the frame alone where
        there is none of the clip yet.
        """
        alone = self._estimates.of(script) if maps is None else None
        key = (maps if alone is None else alone.key), frame, edges
        if self._bands is not None and self._bands[0] == key:
            return self._bands[1]
        if maps is not None and (self._opened is None or self._opened[0] != maps):
            self._opened = maps, self._depth.opened(maps)
        disparity = self._opened[1] if alone is None and self._opened is not None else alone
        assert disparity is not None
        treats, given = self._estimator(edges), (disparity.at(frame), np.ascontiguousarray(pixels))
        found = EdgeBands.none(upsample(*given)) if treats is None else bands_at_size(treats, *given)
        self._bands = key, found
        return found

    def _estimator(self, edges: EdgeTreatment) -> EdgeEstimator | None:
        if self._edges is None or self._edges[0] != edges:
            self._edges = edges, edge_estimator(edges)
        return self._edges[1]

    def _jpeg(self, pixels: NDArray[np.float32]) -> bytes:
        if self._source.info.transfer == "linear":
            from any2bokeh.optics.transfer import srgb_encode

            pixels = srgb_encode(pixels)
        return encoded(pixels)


def _given(pixels: NDArray[np.float32], bands: EdgeBands, focus: FocusOfFrame) -> RenderInput:
    """A frame as a renderer takes it.

    What other frames saw is left out: to look at those around takes longer than somebody waits for a picture.
    """
    range_, d_f, strength = FocusRange(slab=focus.slab), focus.focus_disparity, focus.blur_strength
    bent = bands.with_disparity(lambda disparity: range_.applied(disparity, d_f, strength))
    return RenderInput(pixels, bent.disparity, d_f, strength, bands=bent if bent.is_mixed else None)


def _disparity_shown(disparity: NDArray[np.float32], focus: FocusOfFrame | None) -> NDArray[np.float32]:
    """Disparity in grey, near bright; what is in focus green. ``(3, H, W)``."""
    grey = np.repeat(0.08 + 0.92 * disparity, 3, axis=0)
    if focus is None:
        return grey
    away = np.abs(disparity - np.float32(focus.focus_disparity))
    share = 0.6 * np.clip(1.5 - away / _IN_FOCUS_WITHIN, 0, 1)
    return np.asarray(grey + share * (_FOCUS_COLOUR * (0.4 + 0.6 * grey) - grey), np.float32)


def _edges_shown(pixels: NDArray[np.float32], bands: EdgeBands) -> NDArray[np.float32]:
    """The picture in dark grey, and the band in colour: orange shows the nearer surface, blue the farther, white both.

    ``(3, H, W)``.
    """
    grey = np.repeat(0.3 * pixels.mean(axis=0, keepdims=True), 3, axis=0)
    is_mixed = bands.alpha > 0
    share = np.where(is_mixed, bands.alpha, bands.near_share)
    colour = share * _NEAR_COLOUR + (1 - share) * _FAR_COLOUR
    colour = np.where(is_mixed, 1 - 2 * np.abs(share - 0.5) * (1 - colour), 0.75 * colour)
    return np.asarray(np.where(bands.band | is_mixed, colour, grey), np.float32)


def encoded(pixels: NDArray[np.float32]) -> bytes:
    """Code values ``(3, H, W)`` as a JPEG file."""
    samples = np.rint(np.clip(pixels, 0, 1) * 255).astype(np.uint8)
    done, data = cv2.imencode(".jpg", samples.transpose(1, 2, 0)[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    if not done:
        raise RuntimeError(f"JPEG encoder refused {samples.shape}")
    return data.tobytes()
