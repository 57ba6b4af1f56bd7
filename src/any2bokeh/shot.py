"""A clip with its disparity and its focus: what a renderer needs, checked and ready to be read."""

import math
from collections.abc import Generator, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from any2bokeh.disparity import DisparitySource, EstimatedDisparity, Polarity, open_disparity
from any2bokeh.errors import InputError
from any2bokeh.focus import FocusFinder, FocusScript, FocusTrack, TrackerChoice, resolve
from any2bokeh.focus.finder import Range
from any2bokeh.focus.pictures import LONG_SIDE_PX
from any2bokeh.focus.tracking.subject import OnSighting
from any2bokeh.focus.tracking.subjects import LoadsTracker, TrackedSubjects
from any2bokeh.optics.breathing import Breathing, zoomed
from any2bokeh.optics.focus_range import FocusRange
from any2bokeh.optics.lens import Lens
from any2bokeh.renderers.base import RenderInput
from any2bokeh.video import Frame, VideoInfo, VideoSource
from any2bokeh.video.reduced import ReducedPictures


@dataclass(frozen=True, slots=True, eq=False)
class ShotFrame:
    """One frame of a shot.

    Attributes:
        frame: as decoded.
        disparity: ``(1, H, W)`` at the size of the picture.
        given: what a renderer gets: its disparity is bent by the focus range, and its picture zoomed by breathing.
    """

    frame: Frame
    disparity: NDArray[np.float32]
    given: RenderInput


@dataclass(frozen=True, slots=True)
class Shot:
    """Frames of a clip with everything that a renderer needs to know of them, checked and ready to be read.

    Attributes:
        source: the pictures.
        disparity: counted like ``source``, from its first frame.
        start, stop: the frames ``start <= index < stop`` that are wanted.
        track: d_f and K of each of these, the first being those of frame ``start``.
        script: what the track was found from, counted like ``source``.
        focus_range: what stays in focus, and how differently near and far are blurred.
        lens: that gave K; None where K was given.
        inverse_metres_per_unit: 1/metres that disparity 1 stands for, where a lens or a metric model tells.
        zoom: by breathing, of each frame; 1 or more.
    """

    source: VideoSource
    disparity: DisparitySource
    start: int
    stop: int
    track: FocusTrack
    script: FocusScript
    focus_range: FocusRange
    lens: Lens | None
    inverse_metres_per_unit: float | None
    zoom: NDArray[np.float64]

    @classmethod
    def open(
        cls,
        source: VideoSource,
        disparity: str | Path | DisparitySource,
        focus: FocusScript | FocusFinder,
        *,
        tracker: LoadsTracker | None = None,
        blur_strength: float | Lens | None = None,
        polarity: Polarity = "near-white",
        focus_range: FocusRange | None = None,
        breathing: Breathing | None = None,
        start: int = 0,
        stop: int | None = None,
        on_sighting: OnSighting | None = None,
    ) -> Self:
        """Find the disparity and the focus of frames of a clip; the arguments are those of ``refocus``.

        Args:
            on_sighting: called with the frame and the sighting of every frame in which a subject is followed.

        Raises:
            InputError: anything wrong with the disparity or the focus.
        """
        info = source.info
        stop = info.frame_count if stop is None else stop
        maps = _whole_or_part(disparity, info, polarity, start, stop)
        is_part = isinstance(maps, _PartDisparity)
        # Disparity of a part makes that part a clip of its own, whose focus is found from the part alone.
        first = start if is_part else 0
        known = maps.part if is_part else maps
        pictures = ReducedPictures(source, long_side_px=LONG_SIDE_PX, first=first)
        told = None if on_sighting is None else lambda frame, sighting: on_sighting(frame + first, sighting)
        subjects = TrackedSubjects(pictures, known, tracker or TrackerChoice(), on_sighting=told)
        with closing(subjects):
            if isinstance(focus, FocusScript):
                script = _counted_from(focus, start, stop, info) if is_part else focus
            else:
                script = focus.find(subjects, Range(start - first, stop - first, float(info.fps)))
            track = resolve(
                script,
                disparity=known,
                frame_count=stop - start if is_part else info.frame_count,
                fps=info.fps,
                start=start - first,
                stop=stop - first,
                frame_size=(info.width, info.height),
                blur_strength=0.0 if isinstance(blur_strength, Lens) else blur_strength,
                subjects=subjects,
            )
        metres = known.inverse_metres_per_unit if isinstance(known, EstimatedDisparity) else None
        lens = blur_strength if isinstance(blur_strength, Lens) and not gives_blur_strength(script) else None
        if lens is not None:
            # One scale of disparity for the clip, so one K: racking the focus does not change the lens.
            focused = float(track.focus_disparity[0])
            track = replace(track, blur_strength=np.full(stop - start, lens.blur_strength(focused, metres)))
            metres = 1 / (focused * lens.distance_m(focused, metres))
        if is_part:
            script = focus if isinstance(focus, FocusScript) else _put_off(script, start)
        zoom = (breathing or Breathing()).zoom(track.focus_disparity)
        return cls(source, maps, start, stop, track, script, focus_range or FocusRange(), lens, metres, zoom)

    def frames(self) -> Generator["ShotFrame", None, None]:
        """Decode every frame, and find what a renderer needs with it; fewer than wanted if the clip ends early."""
        from any2bokeh.disparity import upsample

        frames = self.source.frames(self.start, self.stop)
        maps = self.disparity.frames(self.start, self.stop)
        track = zip(
            self.track.focus_disparity.tolist(), self.track.blur_strength.tolist(), self.zoom.tolist(), strict=True
        )
        for frame, disparity, (focus_disparity, blur_strength, zoom) in zip(frames, maps, track, strict=True):
            if frame.is_past_end:
                return
            disparity = zoomed(upsample(disparity, frame.pixels), zoom, smooth=False)
            pixels = zoomed(frame.pixels, zoom, smooth=True)
            if frame.alpha is not None and zoom != 1:
                frame = replace(frame, alpha=zoomed(frame.alpha, zoom, smooth=True))
            blur_strength *= zoom  # discs grow with the picture
            bent = self.focus_range.applied(disparity, focus_disparity, blur_strength)
            yield ShotFrame(frame, disparity, RenderInput(pixels, bent, focus_disparity, blur_strength))


def gives_blur_strength(script: FocusScript) -> bool:
    """Whether a focus script says how strong the blur is."""
    return script.dense is not None or any(keyframe.blur_strength is not None for keyframe in script.keyframes)


def frame_range(source: VideoSource, start_s: float | None, end_s: float | None) -> tuple[int, int]:
    """The frames ``start <= index < stop`` that are shown at ``start_s <= time < end_s`` seconds from the first.

    Raises:
        InputError: times that are negative or not finite, or that no frame lies between.
    """
    for name, value in (("start", start_s), ("end", end_s)):
        if value is not None and not (math.isfinite(value) and value >= 0):
            raise InputError(f"{name} is {value:g} s; give seconds from the first frame, 0 or more")
    start = 0 if start_s is None else source.index_at(start_s)
    stop = source.info.frame_count if end_s is None else source.index_at(end_s)
    if start >= stop:
        asked = f"from {start_s or 0:g} s to {'its end' if end_s is None else f'{end_s:g} s'}"
        raise InputError(
            f"{source.info.path} has no frame {asked}; it is {float(source.info.duration_s):.3f} s long, and the end "
            f"must lie after the start"
        )
    return start, stop


class _PartDisparity:
    """Disparity of a part of a clip, counted like the clip's frames."""

    def __init__(self, part: DisparitySource, start: int) -> None:
        self.part = part
        self._start = start

    @property
    def frame_count(self) -> int:
        return self._start + self.part.frame_count

    def frames(self, start: int = 0, stop: int | None = None) -> Iterator[NDArray[np.float32]]:
        return self.part.frames(start - self._start, None if stop is None else stop - self._start)

    def at(self, index: int) -> NDArray[np.float32]:
        return self.part.at(index - self._start)


def _whole_or_part(
    disparity: str | Path | DisparitySource, info: VideoInfo, polarity: Polarity, start: int, stop: int
) -> DisparitySource:
    """Disparity counted like the clip's frames, whether it holds the whole clip or just the frames wanted."""
    size = (info.width, info.height)
    if isinstance(disparity, str | Path):
        try:
            return open_disparity(
                disparity, clip_frame_count=info.frame_count, polarity=polarity, stop=stop, frame_size=size
            )
        except InputError:
            if stop - start < info.frame_count:
                with suppress(InputError):
                    part = open_disparity(disparity, clip_frame_count=stop - start, polarity=polarity, frame_size=size)
                    return _PartDisparity(part, start)
            raise
    if isinstance(disparity, EstimatedDisparity):
        disparity.estimate()  # now, and not within the thread that decodes
    if disparity.frame_count == info.frame_count:
        return disparity
    if disparity.frame_count == stop - start:
        return _PartDisparity(disparity, start)
    raise InputError(
        f"disparity has {disparity.frame_count} frames but the clip has {info.frame_count}; give one map for each frame"
    )


def _counted_from(script: FocusScript, start: int, stop: int, info: VideoInfo) -> FocusScript:
    """The script of the frames ``start <= index < stop`` of a clip, counted from the first of them."""
    if script.dense is not None:
        if len(script.dense.focus_disparity) != info.frame_count:
            return script
        dense = script.dense
        return FocusScript.from_dense(dense.focus_disparity[start:stop], dense.blur_strength[start:stop])
    rate = 1.0 if script.fps is None else script.fps / float(info.fps)
    keyframes = []
    for keyframe in script.keyframes:
        frame = keyframe.frame - round(start * rate)
        if frame < 0:
            raise InputError(
                f"the focus script has a keyframe at frame {keyframe.frame}, before frame {start}, where the disparity "
                f"begins; give the disparity of the whole clip"
            )
        keyframes.append(replace(keyframe, frame=frame))
    return replace(script, keyframes=tuple(keyframes))


def _put_off(script: FocusScript, start: int) -> FocusScript:
    """A script of the frames from ``start`` on, counted from the first frame of the clip."""
    return replace(script, keyframes=tuple(replace(k, frame=k.frame + start) for k in script.keyframes))
