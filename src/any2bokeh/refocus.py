"""The one path from a clip to the same clip through another lens: decode, disparity, focus, render, encode.

Everything that can be checked is checked before the first frame is rendered. Then three threads overlap: one decodes
and brings disparity to the picture's size, the calling thread renders, one encodes. A few frames wait between them,
so memory does not grow with the clip.
"""

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from any2bokeh.disparity import DisparitySource, EstimatedDisparity, Polarity, open_disparity
from any2bokeh.errors import InputError
from any2bokeh.focus import FocusFinder, FocusScript, FocusTrack, TrackerChoice, resolve
from any2bokeh.focus.finder import Range
from any2bokeh.focus.pictures import LONG_SIDE_PX
from any2bokeh.focus.tracking.subject import OnSighting
from any2bokeh.focus.tracking.subjects import LoadsTracker, TrackedSubjects
from any2bokeh.handover import CalledOff, Handover
from any2bokeh.optics.focus_range import FocusRange
from any2bokeh.optics.lens import Lens
from any2bokeh.renderers.base import Renderer, RenderInput
from any2bokeh.video import Encoding, Frame, VideoInfo, VideoSink, VideoSource, open_sink, open_source
from any2bokeh.video.reduced import ReducedPictures

FRAMES_BETWEEN_THREADS = 1
"""How many frames may wait between two threads.

One is enough: while it waits the next is in the making, and renderers take longer than decoders and encoders. More
would cost their memory, 35 MB for each at 1920x1080.
"""

Progress = Callable[[int, int], None]
"""Called from the calling thread with the frames rendered so far and the frames of the whole job."""


@dataclass(frozen=True, slots=True)
class RefocusResult:
    """What a finished job has made.

    Attributes:
        output: the video file or image folder.
        info: what the source is; the result has its size, timing and colour tags.
        start, stop: the frames ``start <= index < stop`` of the source that were rendered.
        track: d_f and K of every one of them.
        elapsed_s: wall-clock time from the first decoded frame to the complete result.
    """

    output: Path
    info: VideoInfo
    start: int
    stop: int
    track: FocusTrack
    elapsed_s: float

    @property
    def frame_count(self) -> int:
        return self.stop - self.start


def refocus(
    input: str | Path | VideoSource,
    output: str | Path,
    *,
    disparity: str | Path | DisparitySource,
    focus: FocusScript | FocusFinder,
    tracker: LoadsTracker | None = None,
    blur_strength: float | Lens | None = None,
    polarity: Polarity = "near-white",
    renderer: Renderer | None = None,
    focus_range: FocusRange | None = None,
    fps: float | Fraction | str | None = None,
    start_s: float | None = None,
    end_s: float | None = None,
    encoding: Encoding | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
    notice: Callable[[str], None] | None = None,
) -> RefocusResult:
    """Refocus a clip and write it to a file.

    Args:
        input: video file, folder of images, glob pattern, or an open source (which stays open).
        output: video file (.mp4 .mov .mkv .webm) or folder for numbered images.
        disparity: path of the clip's disparity (see ``open_disparity``), or an open source of it; for the whole
            clip, or for just the frames between ``start_s`` and ``end_s``.
        focus: what is in focus, and how strong the blur is; or what finds the subject by itself.
        tracker: which tracker follows subjects; None = SAM 2 where it is on this machine, else the classical one.
        blur_strength: K where ``focus`` gives none at all; or a lens, whose focus distance is that of what is in focus
            in the first frame rendered.
        polarity: whether white is near or far in the files of ``disparity``.
        renderer: the engine; None = the layered engine in the transfer of the input.
        focus_range: what stays in focus, and how differently near and far are blurred; None = as a thin lens has it.
        fps: rate of an image sequence given by its path, 24 unless given.
        start_s, end_s: render the frames shown at ``start_s <= time < end_s``, seconds from the first frame.
        encoding: codec, quality and the like; None = the defaults of ``Encoding``.
        overwrite: replace an existing output.
        progress: called before the first frame and after every one.
        notice: called, before anything is rendered, with one-line remarks on what looks wrong but may be meant.

    Returns:
        What was made. Frames whose K is 0 are the source's own samples.

    Raises:
        InputError: bad input or a full disk. No output appears then, nor on any other exception.
    """
    with ExitStack() as stack:
        source = stack.enter_context(open_source(input, fps=fps)) if isinstance(input, str | Path) else input
        start, stop = frame_range(source, start_s, end_s)
        # Before the disparity, which may take a pass over the clip: an output that exists is told at once.
        sink = stack.enter_context(
            open_sink(output, source, encoding=encoding, start=start, stop=stop, overwrite=overwrite)
        )
        shot = Shot.open(
            source,
            disparity,
            focus,
            tracker=tracker,
            blur_strength=blur_strength,
            polarity=polarity,
            focus_range=focus_range,
            start=start,
            stop=stop,
        )
        if notice:
            for remark in shot.track.warnings:
                notice(remark)
        engine = renderer or default_renderer(source.info)
        began = time.perf_counter()
        _stream(shot, engine, sink, progress or (lambda done, total: None))
    elapsed_s = time.perf_counter() - began
    return RefocusResult(Path(output), source.info, start, stop, shot.track, elapsed_s)


def refocus_frames(
    frames: NDArray[np.float32],
    disparity: NDArray[np.float32],
    focus_disparity: ArrayLike,
    blur_strength: ArrayLike,
    *,
    renderer: Renderer | None = None,
) -> NDArray[np.float32]:
    """Refocus frames that are in memory.

    Args:
        frames: ``(T, 3, H, W)`` RGB in [0, 1], display-referred; scene-linear for a renderer made with
            ``transfer="linear"``.
        disparity: ``(T, 1, h, w)`` in [0, 1], 1 = nearest; brought to the size of the frames where it differs.
        focus_disparity: d_f in [0, 1]; one number, or one for each frame.
        blur_strength: K >= 0, radius in pixels per unit of disparity in a frame of 1024 px on its longer side; one
            number, or one for each frame.
        renderer: the engine; None = the layered engine.

    Returns:
        ``(T, 3, H, W)`` float32.

    Raises:
        InputError: wrong shapes, values outside their range, or values that are not finite.
    """
    from any2bokeh.disparity import upsample

    frames = _checked("frames", frames, channels=3, upper=math.inf)
    disparity = _checked("disparity", disparity, channels=1, upper=1)
    if len(disparity) != len(frames):
        raise InputError(f"there are {len(frames)} frames but {len(disparity)} disparity maps; give one for each frame")
    focus_track = _per_frame("focus_disparity", focus_disparity, len(frames), upper=1)
    blur_track = _per_frame("blur_strength", blur_strength, len(frames), upper=math.inf)
    inputs = (
        RenderInput(pixels, upsample(d, pixels), float(d_f), float(k))
        for pixels, d, d_f, k in zip(frames, disparity, focus_track, blur_track, strict=True)
    )
    engine = renderer or default_renderer(None)
    return np.stack(list(engine.render(inputs)))


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
    """

    source: VideoSource
    disparity: DisparitySource
    start: int
    stop: int
    track: FocusTrack
    script: FocusScript
    focus_range: FocusRange = field(default_factory=FocusRange)

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
        if isinstance(blur_strength, Lens) and not gives_blur_strength(script):
            # One scale of disparity for the clip, so one K: racking the focus does not change the lens.
            strength = blur_strength.blur_strength(float(track.focus_disparity[0]))
            track = replace(track, blur_strength=np.full(stop - start, strength))
        if is_part:
            script = focus if isinstance(focus, FocusScript) else _put_off(script, start)
        return cls(source, maps, start, stop, track, script, focus_range or FocusRange())

    def inputs(self) -> Generator[tuple[Frame, RenderInput], None, None]:
        """Decode every frame, and what a renderer needs with it."""
        from any2bokeh.disparity import upsample

        frames = self.source.frames(self.start, self.stop)
        maps = self.disparity.frames(self.start, self.stop)
        focus = zip(self.track.focus_disparity.tolist(), self.track.blur_strength.tolist(), strict=True)
        for frame, disparity, (focus_disparity, blur_strength) in zip(frames, maps, focus, strict=True):
            disparity = upsample(disparity, frame.pixels)
            disparity = self.focus_range.applied(disparity, focus_disparity, blur_strength)
            yield frame, RenderInput(frame.pixels, disparity, focus_disparity, blur_strength)


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


def default_renderer(info: VideoInfo | None) -> Renderer:
    """The layered engine with its defaults, in the transfer of a source, or of sRGB pictures."""
    from any2bokeh.renderers.layered import LayeredRenderer

    return LayeredRenderer() if info is None else LayeredRenderer(transfer=info.transfer)


def _stream(shot: Shot, renderer: Renderer, sink: VideoSink, progress: Progress) -> None:
    """Decode, render and encode at the same time. On any exception every thread has ended when it leaves here."""
    decoded: Handover[tuple[Frame, RenderInput]] = Handover(FRAMES_BETWEEN_THREADS)
    rendered: Handover[tuple[Frame, NDArray[np.float32]]] = Handover(FRAMES_BETWEEN_THREADS)
    failures: list[BaseException] = []

    def read() -> None:
        with closing(shot.inputs()) as inputs:
            for frame_and_input in inputs:
                decoded.give(frame_and_input)
        decoded.complete()

    def write() -> None:
        for frame, pixels in rendered:
            sink.write(frame, pixels)

    def guarded(work: Callable[[], None]) -> None:
        try:
            work()
        except CalledOff:
            pass
        except BaseException as error:
            failures.append(error)
            decoded.call_off()
            rendered.call_off()

    threads = [
        threading.Thread(target=guarded, args=(work,), name=f"any2bokeh {work.__name__}") for work in (read, write)
    ]
    try:
        for thread in threads:
            thread.start()
        _render(decoded, rendered, renderer, shot.stop - shot.start, progress)
        rendered.complete()
        for thread in threads:
            thread.join()
    except CalledOff:
        pass
    finally:
        decoded.call_off()
        rendered.call_off()
        for thread in threads:
            _join(thread)
    if failures:
        raise failures[0]


def _render(
    decoded: Handover[tuple[Frame, RenderInput]],
    rendered: Handover[tuple[Frame, NDArray[np.float32]]],
    renderer: Renderer,
    frame_count: int,
    progress: Progress,
) -> None:
    read_ahead: deque[Frame] = deque()

    def inputs() -> Iterator[RenderInput]:
        for frame, render_input in decoded:
            read_ahead.append(frame)
            yield render_input

    done = 0
    progress(done, frame_count)
    for pixels in renderer.render(inputs()):
        rendered.give((read_ahead.popleft(), pixels))
        done += 1
        progress(done, frame_count)
    if done != frame_count:
        raise RuntimeError(f"{type(renderer).__name__} rendered {done} of {frame_count} frames")


def _join(thread: threading.Thread) -> None:
    """Wait for a thread that has been called off; a second Ctrl-C must not tear the sink away under it."""
    while thread.ident is not None and thread.is_alive():
        with suppress(KeyboardInterrupt):
            thread.join()


def _checked(name: str, values: NDArray[np.float32], *, channels: int, upper: float) -> NDArray[np.float32]:
    array = np.asarray(values, np.float32)
    if array.ndim != 4 or array.shape[1] != channels or array.size == 0:
        raise InputError(f"{name} has shape {array.shape}; give (T, {channels}, H, W) with T, H and W of 1 or more")
    _require_range(name, array, upper)
    return array


def _per_frame(name: str, values: ArrayLike, frame_count: int, *, upper: float) -> NDArray[np.float64]:
    array = np.asarray(values, np.float64)
    if array.shape not in ((), (1,), (frame_count,)):
        raise InputError(f"{name} has shape {array.shape}; give one number, or one for each of {frame_count} frames")
    _require_range(name, array, upper)
    return np.broadcast_to(array, (frame_count,))


def _require_range(name: str, array: NDArray[np.floating], upper: float) -> None:
    """Refuse values that are not finite, or outside [0, upper]."""
    low, high = float(array.min()), float(array.max())  # NaN if any value is
    if not (low >= 0 and high <= upper and math.isfinite(high)):
        allowed = "0 or more" if upper == math.inf else f"from 0 to {upper:g}"
        raise InputError(f"{name} has values from {low:g} to {high:g}; allowed are finite values {allowed}")
