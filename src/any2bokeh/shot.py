"""A clip with its disparity and its focus: what a renderer needs, checked and ready to be read."""

import math
from collections import deque
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from any2bokeh.disparity import (
    DisparityReading,
    DisparitySource,
    EstimatedDisparity,
    StabilisedDisparity,
    inverse_metres_per_unit,
    open_disparity,
)
from any2bokeh.disparity.edges import EdgeEstimator, EdgeTreatment, edge_estimator
from any2bokeh.errors import InputError
from any2bokeh.focus import FocusFinder, FocusScript, FocusTrack, TrackerChoice, resolve
from any2bokeh.focus.finder import Range
from any2bokeh.focus.pictures import LONG_SIDE_PX
from any2bokeh.focus.tracked_subjects import LoadsTracker, OnTrackedFrame, TrackedSubjects
from any2bokeh.optics.breathing import Breathing, zoomed
from any2bokeh.optics.coc import REFERENCE_LONG_SIDE_PX
from any2bokeh.optics.focus_range import FocusRange
from any2bokeh.optics.lens import Lens
from any2bokeh.plate.choice import PlateChoice, uses_plate
from any2bokeh.plate.hidden import HiddenBackground
from any2bokeh.renderers.base import RenderInput
from any2bokeh.video import Frame, VideoInfo, VideoSource
from any2bokeh.video.reduced import ReducedPictures

FrameRange = tuple[int, int | None]
"""The frames ``first <= index < end`` of a clip; its end where the second is None."""


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
        strongest_blur: K of the frame of the clip that is blurred most, its zoom included.
        edges: what treats the edges of disparity once it has the picture's size; None = nothing.
        plate: whether frames are told what those around them saw of their hidden background.
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
    strongest_blur: float
    edges: EdgeEstimator | None = None
    plate: bool = False

    @classmethod
    def open(
        cls,
        source: VideoSource,
        disparity: str | Path | DisparitySource,
        focus: FocusScript | FocusFinder,
        *,
        tracker: LoadsTracker | None = None,
        blur_strength: float | Lens | None = None,
        disparity_reading: DisparityReading | None = None,
        edges: EdgeTreatment = "auto",
        plate: PlateChoice = "auto",
        focus_range: FocusRange | None = None,
        breathing: Breathing | None = None,
        start: int = 0,
        stop: int | None = None,
        on_tracked_frame: OnTrackedFrame | None = None,
        estimating: Callable[[int, int], None] | None = None,
        notice: Callable[[str], None] | None = None,
    ) -> Self:
        """Find the disparity and the focus of frames of a clip; the arguments are those of ``refocus``.

        A frame gets the same whether it is opened alone, in a part or in the whole clip: what refers to one frame (the
        distance of a lens) refers to the clip's first, and what refers to all (the least zoom of a lens that breathes,
        the subjects that autofocus picks) to all of the clip. Only disparity of a part makes the part a clip of its
        own, which the remarks of the track tell.

        Args:
            on_tracked_frame: called with the frame and the tracked frame of every frame in which a subject is followed.
            estimating: called while the maps of files are steadied.
            notice: told what is odd about the disparity.

        Raises:
            InputError: anything wrong with the disparity or the focus.
        """
        treats_edges = edge_estimator(edges)
        looks_around = uses_plate(plate)
        info = source.info
        stop = info.frame_count if stop is None else stop
        reading = disparity_reading or DisparityReading()
        maps = _GivenMaps(source, reading, start, stop, estimating, notice).opened(disparity)
        if notice is not None:
            is_unaligned = isinstance(disparity, str | Path) and reading.scale_alignment is None
            _tell_what_is_odd(maps, source, start, stop, notice, may_flicker=is_unaligned)
        is_part = isinstance(maps, _PartDisparity)
        # Disparity of a part makes that part a clip of its own, whose focus is found from the part alone.
        first = start if is_part else 0
        known = maps.part if is_part else maps
        pictures = ReducedPictures(source, long_side_px=LONG_SIDE_PX, first=first)
        told = None if on_tracked_frame is None else lambda frame, tracked: on_tracked_frame(frame + first, tracked)
        subjects = TrackedSubjects(pictures, known, tracker or TrackerChoice(), on_tracked_frame=told)
        frame_count = stop - start if is_part else info.frame_count
        known_count = min(frame_count, known.frame_count)  # maps after the part may be missing
        with closing(subjects):
            if isinstance(focus, FocusScript):
                script = _counted_from(focus, start, stop, info) if is_part else focus
            else:
                script = focus.find(subjects, Range(0, known_count, float(info.fps), first=first))

            def resolved(begin: int, end: int) -> FocusTrack:
                return resolve(
                    script,
                    disparity=known,
                    frame_count=frame_count,
                    fps=info.fps,
                    start=begin,
                    stop=end,
                    frame_size=(info.width, info.height),
                    frame_numbers=frame_numbers(source, first, stop if is_part else None),
                    dropped_frames=() if is_part else info.dropped_frames,
                    blur_strength=0.0 if isinstance(blur_strength, Lens) else blur_strength,
                    subjects=subjects,
                )

            breathes = breathing is not None and breathing.strength != 0
            over_all = resolved(0, known_count) if breathes else None
            part = slice(start - first, stop - first)
            track = resolved(start - first, stop - first) if over_all is None else over_all.part(part)
            lens = blur_strength if isinstance(blur_strength, Lens) and not gives_blur_strength(script) else None
            reference = None if lens is None else float((over_all or resolved(0, 1)).focus_disparity[0])
        metres = inverse_metres_per_unit(known)
        strongest = _strongest_blur(script, 0.0 if isinstance(blur_strength, Lens) else blur_strength)
        if lens is not None and reference is not None:
            # One scale of disparity for the clip, so one K: racking the focus does not change the lens.
            strongest = lens.blur_strength(reference, metres)
            track = replace(track, blur_strength=np.full(stop - start, strongest))
            metres = 1 / (reference * lens.distance_m(reference, metres))
        zoom = np.ones(stop - start)
        if breathing is not None and over_all is not None:
            zooms = breathing.zoom(over_all.focus_disparity)
            zoom, strongest = zooms[part], strongest * float(zooms.max())
        if is_part:
            remarks = _of_a_part(start, stop, lens is not None, breathes, not isinstance(focus, FocusScript))
            track = replace(track, warnings=track.warnings + remarks)
            script = focus if isinstance(focus, FocusScript) else _put_off(script, start)
        return cls(
            source,
            maps,
            start,
            stop,
            track,
            script,
            focus_range or FocusRange(),
            lens,
            metres,
            zoom,
            strongest,
            treats_edges,
            looks_around and info.frame_count > 1,
        )

    def frames(self) -> Generator["ShotFrame", None, None]:
        """Decode every frame, and find what a renderer needs with it; fewer than wanted if the clip ends early.

        With ``plate`` frames around those that are wanted are read, too, so that a frame gets the same in any part.
        """
        if not (self.plate and bool((self.track.blur_strength > 0).any())):
            for frame, disparity in self._read(self.start, self.stop):
                yield self._given(frame, self._treated(frame, disparity, self._blur_at(frame.index) > 0), None)
            return
        from any2bokeh.plate.stream import AHEAD, BACK, PlateStream

        is_part = isinstance(self.disparity, _PartDisparity)  # which is a clip of its own
        first = self.start if is_part else max(self.start - BACK, 0)
        last = self.stop if is_part else min(self.stop + AHEAD, self.source.info.frame_count)
        around = PlateStream()
        waiting: deque[tuple[Frame, NDArray[np.float32]]] = deque()

        def told() -> ShotFrame:
            frame, disparity = waiting.popleft()
            blur_strength = self._blur_at(frame.index)
            hidden = None
            if blur_strength > 0:
                focus_disparity = float(self.track.focus_disparity[frame.index - self.start])
                per_disparity = self._px_per_disparity(blur_strength)
                hidden = around.hidden(frame.index, disparity, focus_disparity, per_disparity)
            return self._given(frame, disparity, hidden)

        last = max(min(last, self.disparity.frame_count), self.stop)  # maps after the part may be missing
        for frame, disparity in self._read(first, last):
            index = frame.index
            is_looked_at = any(self._blur_at(other) > 0 for other in range(index - AHEAD, index + BACK + 1))
            disparity = self._treated(frame, disparity, is_looked_at)
            if is_looked_at:
                around.add(index, frame.pixels, disparity)
            if self.start <= index < self.stop:
                waiting.append((frame, disparity))
            while waiting and (waiting[0][0].index <= index - AHEAD or self._blur_at(waiting[0][0].index) == 0):
                yield told()
        while waiting:
            yield told()

    def _read(self, first: int, last: int) -> Iterator[tuple[Frame, NDArray[np.float32]]]:
        """Frames and their maps at the size of the picture; those outside the part only as far as they can be read."""
        from any2bokeh.disparity import upsample

        index = first
        try:
            frames, maps = self.source.frames(first, last), self.disparity.frames(first, last)
            for frame, disparity in zip(frames, maps, strict=True):
                if frame.is_past_end:
                    return
                index = frame.index + 1
                yield frame, upsample(disparity, frame.pixels)
        except InputError:
            if index < self.start:
                yield from self._read(self.start, last)
            elif index < self.stop or last == self.stop:
                raise

    def _treated(self, frame: Frame, disparity: NDArray[np.float32], is_used: bool) -> NDArray[np.float32]:
        if self.edges is None or not is_used:
            return disparity
        return self.edges(disparity, frame.pixels).disparity

    def _given(self, frame: Frame, disparity: NDArray[np.float32], hidden: HiddenBackground | None) -> ShotFrame:
        at = frame.index - self.start
        focus_disparity, zoom = float(self.track.focus_disparity[at]), float(self.zoom[at])
        blur_strength = self._blur_at(frame.index) * zoom  # discs grow with the picture
        disparity = zoomed(disparity, zoom, smooth=False)
        pixels = zoomed(frame.pixels, zoom, smooth=True)
        if frame.alpha is not None and zoom != 1:
            frame = replace(frame, alpha=zoomed(frame.alpha, zoom, smooth=True))

        def bent(values: NDArray[np.float32]) -> NDArray[np.float32]:
            return self.focus_range.applied(values, focus_disparity, blur_strength)

        if hidden is not None:
            hidden = HiddenBackground(
                zoomed(hidden.pixels, zoom, smooth=False),
                bent(zoomed(hidden.disparity, zoom, smooth=False)),
                zoomed(hidden.known[None], zoom, smooth=False)[0],
                hidden.margin_px,
            )
        return ShotFrame(frame, disparity, RenderInput(pixels, bent(disparity), focus_disparity, blur_strength, hidden))

    def _blur_at(self, index: int) -> float:
        """K of a frame of the clip, before its zoom; 0 outside the part."""
        return float(self.track.blur_strength[index - self.start]) if self.start <= index < self.stop else 0.0

    def _px_per_disparity(self, blur_strength: float) -> float:
        """Pixels by which surfaces shift at most, per unit of disparity."""
        long_side_px = max(self.source.info.width, self.source.info.height)
        return blur_strength * long_side_px / REFERENCE_LONG_SIDE_PX * max(self.focus_range.near, self.focus_range.far)


def gives_blur_strength(script: FocusScript) -> bool:
    """Whether a focus script says how strong the blur is."""
    return script.dense is not None or any(keyframe.blur_strength is not None for keyframe in script.keyframes)


def frame_range(
    source: VideoSource, start_s: float | None, end_s: float | None, frames: FrameRange | None = None
) -> tuple[int, int]:
    """The frames ``start <= index < stop`` of a part of a clip.

    Args:
        source: the clip.
        start_s, end_s: those shown at ``start_s <= time < end_s`` seconds from the first.
        frames: or their numbers from 0 on, the last exclusive; None there is the clip's end.

    Raises:
        InputError: times that are negative or not finite, numbers outside the clip, both, or that no frame lies
            between.
    """
    if frames is not None:
        if start_s is not None or end_s is not None:
            raise InputError("a part is given in frames and in seconds; give one of the two")
        return _numbered(source.info, *frames)
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


def _numbered(info: VideoInfo, first: int, end: int | None) -> tuple[int, int]:
    stop = info.frame_count if end is None else end
    if not 0 <= first < stop <= info.frame_count:
        raise InputError(
            f"frames {first}:{'' if end is None else end} are not in {info.path}, which has frames 0 to "
            f"{info.frame_count - 1}; give A:B with 0 <= A < B <= {info.frame_count}, B being the frame after the last"
        )
    return first, stop


def _strongest_blur(script: FocusScript, blur_strength: float | None) -> float:
    """No frame of the clip is blurred more: strengths between two keyframes lie between theirs."""
    if script.dense is not None:
        return max(script.dense.blur_strength)
    given = [keyframe.blur_strength for keyframe in script.keyframes if keyframe.blur_strength is not None]
    return max(given, default=blur_strength or 0.0)


def _of_a_part(start: int, stop: int, has_lens: bool, breathes: bool, is_found: bool) -> tuple[str, ...]:
    """What disparity of a part alone cannot tell of the clip."""
    on = {
        "the distance of the lens": has_lens,
        "the zoom of its breathing": breathes,
        "the choice of the subject": is_found,
    }
    counted = [what for what, depends in on.items() if depends]
    if not counted:
        return ()
    return (
        f"disparity is known of frames {start}:{stop} alone, so {' and '.join(counted)} refer to that part, and may "
        f"differ from a run of the whole clip; give the disparity of the whole clip (any2bokeh depth) to make them one",
    )


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


@dataclass(frozen=True, slots=True)
class _GivenMaps:
    """How the maps of a clip are opened; the arguments are those of ``Shot.open``."""

    source: VideoSource
    reading: DisparityReading
    start: int
    stop: int
    estimating: Callable[[int, int], None] | None
    notice: Callable[[str], None] | None

    def opened(self, disparity: str | Path | DisparitySource) -> DisparitySource:
        """Disparity counted like the clip's frames, whether it holds the whole clip or just the frames wanted."""
        info, wanted = self.source.info, self.stop - self.start
        if isinstance(disparity, str | Path):
            try:
                return self._steadied(self._read(disparity, is_part=False), disparity, first=0)
            except InputError:
                if wanted < info.frame_count:
                    with suppress(InputError):
                        part = self._steadied(self._read(disparity, is_part=True), disparity, first=self.start)
                        return _PartDisparity(part, self.start)
                raise
        if isinstance(disparity, EstimatedDisparity):
            disparity.estimate()  # now, and not within the thread that decodes
        if disparity.frame_count == info.frame_count:
            return disparity
        if disparity.frame_count == wanted:
            return _PartDisparity(disparity, self.start)
        raise InputError(
            f"disparity has {disparity.frame_count} frames but the clip has {info.frame_count}; give one map for each "
            f"frame"
        )

    def _read(self, path: str | Path, *, is_part: bool) -> DisparitySource:
        info = self.source.info
        first, count = (self.start, self.stop - self.start) if is_part else (0, info.frame_count)
        remarks: list[str] = []
        maps = open_disparity(
            path,
            clip_frame_count=count,
            # What levels bend is steadied before.
            reading=self.reading if self.reading.scale_alignment is None else replace(self.reading, levels=None),
            stop=None if is_part else self.stop,
            frame_size=(info.width, info.height),
            frame_numbers=frame_numbers(self.source, first, first + count),
            dropped_frames=() if is_part else info.dropped_frames,
            notice=remarks.append,
        )
        for remark in remarks if self.notice is not None else ():  # those of an attempt that succeeds only
            self.notice(remark)  # pyright: ignore[reportOptionalCall]
        return maps

    def _steadied(self, maps: DisparitySource, path: str | Path, *, first: int) -> DisparitySource:
        reading = self.reading
        if reading.scale_alignment is None:
            return maps
        steadied = StabilisedDisparity(
            maps,
            Path(path),
            self.source,
            scale_alignment=reading.scale_alignment,
            how_read=f"{reading.kind} {reading.polarity}",
            start=first,
            levels=reading.levels,
            progress=self.estimating,
            notice=self.notice,
        )
        steadied.steady()  # now, and not within the thread that decodes
        return steadied


def frame_numbers(source: VideoSource, start: int = 0, stop: int | None = None) -> tuple[int, ...] | None:
    """Numbers in the names of an image sequence's frames ``start`` to ``stop``; None where they have none."""
    return None if source.numbers is None else source.numbers.numbers[start:stop]


def _tell_what_is_odd(
    maps: DisparitySource,
    source: VideoSource,
    start: int,
    stop: int,
    notice: Callable[[str], None],
    *,
    may_flicker: bool,
) -> None:
    from any2bokeh.disparity.flicker import flicker_of, is_flat

    if is_flat(maps, start=start, stop=stop):
        notice(
            "the disparity is the same all over each map, so nothing is nearer or farther than anything else: a "
            "picture is blurred all alike, or, where the focus lies on it, nothing will blur"
        )
    elif may_flicker and stop - start > 1:
        remark = flicker_of(maps, source, start=start, stop=stop).remark()
        if remark is not None:
            notice(remark)


def _counted_from(script: FocusScript, start: int, stop: int, info: VideoInfo) -> FocusScript:
    """The script of the frames ``start <= index < stop`` of a clip, counted from the first of them."""
    if script.dense is not None:
        if len(script.dense.focus_disparity) != info.frame_count:
            return script
        dense = script.dense
        return FocusScript.from_dense(dense.focus_disparity[start:stop], dense.blur_strength[start:stop])
    first = script.script_frame(start, info.fps)
    keyframes = []
    for keyframe in script.keyframes:
        frame = keyframe.frame - first
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
