"""The one path from a clip to the same clip through another lens: decode, disparity, focus, render, encode.

Everything that can be checked is checked before the first frame is rendered. Then four threads overlap: one decodes
and looks at each frame by itself, one compares it with those around it (both in ``frames_of``), the calling thread
renders, one encodes. A few frames wait between them, so memory does not grow with the clip.
"""

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from any2bokeh.channel import Cancelled, Channel
from any2bokeh.claim import remove
from any2bokeh.disparity.edges import EdgeTreatment
from any2bokeh.engines import EngineSettings, make_renderer
from any2bokeh.errors import InputError
from any2bokeh.events import ClipPlanned, Watch
from any2bokeh.focus import FocusTrack
from any2bokeh.frame_shares import FrameShares
from any2bokeh.grain import MatchedGrain
from any2bokeh.optics.look import Look
from any2bokeh.pending_output import published_together
from any2bokeh.plate.choice import PlateChoice
from any2bokeh.read_paths import ReadPaths
from any2bokeh.recipe import Recipe
from any2bokeh.render_inputs import render_inputs
from any2bokeh.renderers.base import Renderer, RenderInput, TakesHidden, TellsWithin
from any2bokeh.segments.cut import Segment, Segmentation, runs, seen_for
from any2bokeh.segments.fingerprint import recipe_digest
from any2bokeh.segments.order import Order
from any2bokeh.segments.parts import Job, Parts, remark_on_parts
from any2bokeh.segments.sink import SegmentedSink
from any2bokeh.segments.workers import SegmentWorkers
from any2bokeh.shot import FrameRange, Shot, frame_range
from any2bokeh.shot_frames import ShotFrame, frames_of
from any2bokeh.source_blur import SourceBlur, source_blur_of_frames
from any2bokeh.video import Encoding, Reading, VideoInfo, VideoSink, VideoSource, open_sink, open_source
from any2bokeh.video.opening import frame_stems, pattern_files

if TYPE_CHECKING:
    from any2bokeh.aov.kinds import AovRequest
    from any2bokeh.aov.sink import AovSink

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
        recipe: what was asked for, with the estimate of its depth model in place of the model.
        start, stop: the frames ``start <= index < stop`` of the source that were rendered; fewer than were asked for
            where the clip turned out to end early.
        track: d_f and K of every one of them.
        aovs: the folder of the pictures for compositing, if any were asked for.
        elapsed_s: wall-clock time from the first decoded frame to the complete result.
    """

    output: Path
    info: VideoInfo
    recipe: Recipe
    start: int
    stop: int
    track: FocusTrack
    aovs: Path | None
    elapsed_s: float

    @property
    def frame_count(self) -> int:
        return self.stop - self.start


def refocus(
    input: str | Path | VideoSource,
    output: str | Path,
    recipe: Recipe,
    *,
    renderer: Renderer | None = None,
    aovs: "AovRequest | None" = None,
    fps: float | Fraction | str | None = None,
    reading: Reading | None = None,
    start_s: float | None = None,
    end_s: float | None = None,
    frames: FrameRange | None = None,
    encoding: Encoding | None = None,
    segmentation: Segmentation | None = None,
    workers: SegmentWorkers | None = None,
    overwrite: bool = False,
    also_read: Iterable[str | Path] = (),
    progress: Progress | None = None,
    within: Callable[[float], None] | None = None,
    estimating: Progress | None = None,
    joining: Progress | None = None,
    notice: Callable[[str], None] | None = None,
    watch: Watch | None = None,
) -> RefocusResult:
    """Refocus a clip and write it to a file.

    Args:
        input: video file, folder of images, glob pattern, or an open source (which stays open).
        output: video file (.mp4 .mov .mkv .webm) or folder for numbered images.
        recipe: what is in focus, how strong the blur is and what it looks like, and where disparity comes from.
        renderer: an engine of your own, in place of the one that the recipe names.
        aovs: pictures for compositing that are written beside the result, with the lens numbers of each frame.
        fps: rate of an image sequence or a stream without a clock that is given by its path; see ``open_source``.
        reading: what is done with damage and interlaced video where ``input`` is a path; None = its defaults.
        start_s, end_s: render the frames shown at ``start_s <= time < end_s``, seconds from the first frame. They come
            out as they do in a run of the whole clip, unless the disparity is that of the part alone.
        frames: render these instead, ``(first, end)`` counted from 0, the end exclusive and None for the clip's.
        encoding: codec, quality and the like; None = the defaults of ``Encoding``.
        segmentation: render in segments, each of which is kept in ``OUT.parts`` once it is complete; a run that finds
            segments of the same render there goes on from them. None = in one piece.
        workers: render the segments, such as those of ``any2bokeh.cluster``; the result is the same. None = this
            process.
        overwrite: replace an existing output, and segments of another render; never what the run reads.
        also_read: files and folders that ``recipe`` and ``renderer`` were made from, which must not be replaced.
        progress: called before the first frame and after every one.
        within: called while a large frame is rendered, with how much of it is done, to 1.
        estimating: the same, while disparity is estimated, and while given maps are stabilised.
        joining: the same, while segments are joined.
        notice: called, before anything is rendered, with one-line remarks on what looks wrong but may be meant, and on
            what of the source is converted or left out of ``output`` (depth, chroma, size, alpha, sound, subtitles,
            metadata); at the end with those on frames and sound that were damaged.
        watch: told what is rendered (``ClipPlanned``) and of each segment, from any thread; see ``any2bokeh.events``.

    Returns:
        What was made. Frames whose K is 0 are the source's own samples.

    Raises:
        InputError: bad input or a full disk. No output appears then, nor on any other exception.
    """
    if segmentation is not None and renderer is not None:
        raise InputError("a render in segments needs the recipe's own engine, to know it again; leave the renderer out")
    if workers is not None and segmentation is None:
        raise InputError("workers render segments; give a segmentation, too")
    with ExitStack() as stack:
        source = _opened(input, fps, reading, stack) if isinstance(input, str | Path) else input
        start, stop = frame_range(source, start_s, end_s, frames)
        read = ReadPaths([source.info.path, *recipe.read_paths(), *also_read])
        read.require_kept(output)

        def opened() -> Shot:
            return Shot.open(source, recipe, start=start, stop=stop, estimating=estimating, notice=notice)

        parts: Parts | None = None
        order: Order | None = None
        if segmentation is not None:
            job = Job(source, recipe, Path(output), start, stop, encoding or Encoding(), segmentation, aovs)
            parts = stack.enter_context(Parts.begun(job, overwrite=overwrite, notice=notice))
            if watch:
                watch(_plan(source.info, recipe, start, stop, parts))
            if parts.is_published:
                shot = parts.shot(opened)
                folder, track = None if aovs is None else aovs.folder, _first_of(shot.track, parts.end() - start)
                return RefocusResult(Path(output), source.info, shot.recipe, start, parts.end(), track, folder, 0.0)
            encoding, overwrite = parts.encoding, overwrite or parts.may_replace
            order = Order.of(job, parts.made_of)
        else:
            if watch:
                watch(_plan(source.info, recipe, start, stop, None))
            if notice and (remark := remark_on_parts(Path(output))):
                notice(remark)
        # All results appear at one moment, or none does.
        stack.enter_context(published_together())
        if parts is not None:
            stack.enter_context(parts.marking(lambda: [each.temporary for each in (sink, aov_sink) if each]))
        # Before the disparity, which may take a pass over the clip: an output that exists is told at once.
        sink = stack.enter_context(
            open_sink(output, source, encoding=encoding, start=start, stop=stop, overwrite=overwrite, notice=notice)
        )
        if notice:
            source.tell(notice)
        stems = frame_stems(output, source, start=start, stop=stop)
        for file in pattern_files(output, stems):
            read.require_kept(file)
        if aovs is not None:
            from any2bokeh.aov.sink import check_aov_target

            _require_apart(output, aovs.folder)
            read.require_kept(aovs.folder, replaces="tree")
            check_aov_target(aovs, source.info.path, stems=stems, overwrite=overwrite)
        engine = renderer or make_renderer(recipe.engine, recipe.look, source.info, notice=notice)
        shares = FrameShares(within or (lambda share: None))
        if isinstance(engine, TellsWithin):
            engine.within = shares.rendered
        if parts is not None and order is not None and workers is not None:
            parts.begin()
            if parts.kept_shot() is None:
                workers.look(order, notice)
        shot = (opened() if parts is None else parts.shot(opened)).seen_by(engine)
        if notice:
            for remark in shot.track.warnings:
                notice(remark)
        if notice and recipe.breathing.strength != 0 and bool((shot.zoom == 1).all()):
            notice(f"breathing {recipe.breathing.strength:g} has no effect, because the focus does not move")
        matched = None
        if recipe.grain != 0:
            matched = MatchedGrain.of_clip(recipe.grain, source) if parts is None else parts.grain()
        if notice and matched is not None and not matched.is_known:
            notice("no grain could be measured in the clip, so none is restored")
        aov_sink = (
            None if aovs is None else stack.enter_context(_open_aovs(aovs, shot, engine, stems, overwrite=overwrite))
        )
        began = time.perf_counter()
        outputs, progress = _Outputs(sink, matched, aov_sink), progress or (lambda done, total: None)
        if parts is None:
            done = _stream(shot, engine, outputs, progress, shares=shares)
        elif workers is not None and order is not None:
            if missing := parts.missing():
                parts.ends_at(workers.render(order, missing, progress, notice, watch))
            parts.join(sink, aov_sink, joining)
            done = parts.end() - start
        else:
            done = _stream_segments(parts, shot, engine, sink, outputs, progress, joining, watch, shares)
        if notice:
            source.tell(notice, at_end=True)
    elapsed_s = time.perf_counter() - began
    folder = None if aovs is None else aovs.folder
    track = _first_of(shot.track, done)
    return RefocusResult(Path(output), source.info, shot.recipe, start, start + done, track, folder, elapsed_s)


def render_segment(job: Job, parts: Parts, shot: Shot, renderer: Renderer, segment: Segment) -> int:
    """Render one segment of a result that another process joins, and count its frames.

    Args:
        job: what is rendered.
        parts: those of the render that is under way.
        shot: all of what is rendered, as it is kept there.
        renderer: that of the recipe.
        segment: which.

    Raises:
        InputError: the clip or its disparity cannot be read, or the disk is full.
    """
    shot = shot.seen_by(renderer)
    scratch = parts.scratch(segment)
    try:
        with ExitStack() as stack:
            stems = frame_stems(job.output, job.source, start=job.start, stop=job.stop)
            target = scratch / job.output.name
            if job.output.is_dir():
                target.mkdir()
            stack.enter_context(suppress(_Unpublished))
            sink = stack.enter_context(
                open_sink(target, job.source, encoding=parts.encoding, start=job.start, stop=job.stop, overwrite=True)
            )
            aovs = None
            if job.aovs is not None:
                aside = replace(job.aovs, folder=scratch / "aov")
                aovs = stack.enter_context(_open_aovs(aside, shot, renderer, stems, overwrite=True))
            outputs = _Outputs(sink, parts.grain() if job.recipe.grain != 0 else None, aovs)
            count = _stream_one(parts, shot, renderer, sink, outputs, segment)
            raise _Unpublished  # the segment has its name; of the whole there is nothing
    finally:
        remove(scratch)
    return count


class _Unpublished(Exception):
    """Leaves sinks without a result."""


def _stream_one(
    parts: Parts, shot: Shot, renderer: Renderer, result: VideoSink, outputs: "_Outputs", segment: Segment
) -> int:
    seen = seen_for(segment, parts.whole, renderer)
    with closing(SegmentedSink(parts, result, outputs.aovs, [segment])) as sink:
        part, own = shot.part(seen.start, seen.stop), replace(outputs, sink=sink)
        count = _stream(part, renderer, own, lambda done, total: None, wanted=segment.frames)
        sink.finish(segment.start + count)
    return count


def refocus_frames(
    frames: NDArray[np.float32],
    disparity: NDArray[np.float32],
    focus_disparity: ArrayLike,
    blur_strength: ArrayLike,
    *,
    edges: EdgeTreatment = "auto",
    plate: PlateChoice = "auto",
    source_blur: SourceBlur = "off",
    renderer: Renderer | None = None,
    notice: Callable[[str], None] | None = None,
) -> NDArray[np.float32]:
    """Refocus frames that are in memory, the frames of one clip.

    Args:
        frames: ``(T, 3, H, W)`` RGB in [0, 1], display-referred; scene-linear for a renderer made with
            ``transfer="linear"``.
        disparity: ``(T, 1, h, w)`` in [0, 1], 1 = nearest; brought to the size of the frames where it differs.
        focus_disparity: d_f in [0, 1]; one number, or one for each frame.
        blur_strength: K >= 0, radius in pixels per unit of disparity in a frame of 1024 px on its longer side; one
            number, or one for each frame.
        edges, plate: how edges of disparity are treated, and where hidden background comes from; see ``Recipe``.
        source_blur: what blur the frames have already; see ``Recipe``.
        renderer: the engine; None = the layered engine.
        notice: told what ``source_blur="auto"`` found.

    Returns:
        ``(T, 3, H, W)`` float32.

    Raises:
        InputError: wrong shapes, values outside their range, values that are not finite, an unknown treatment, or
            maps of radii that cannot be read.
    """
    from any2bokeh.renderers.layered import LayeredRenderer

    frames = _checked("frames", frames, channels=3, upper=math.inf)
    disparity = _checked("disparity", disparity, channels=1, upper=1)
    if len(disparity) != len(frames):
        raise InputError(f"there are {len(frames)} frames but {len(disparity)} disparity maps; give one for each frame")
    focus_track = _per_frame("focus_disparity", focus_disparity, len(frames), upper=1)
    blur_track = _per_frame("blur_strength", blur_strength, len(frames), upper=math.inf)

    given = (
        RenderInput(pixels, d, float(d_f), float(k))
        for pixels, d, d_f, k in zip(frames, disparity, focus_track, blur_track, strict=True)
    )
    engine = renderer or make_renderer(EngineSettings(), Look())
    looks_around = isinstance(engine, TakesHidden)
    transfer = engine.transfer if isinstance(engine, LayeredRenderer) else "srgb"
    known = source_blur_of_frames(source_blur, frames, disparity, transfer=transfer, notice=notice)
    inputs = render_inputs(given, edges=edges, plate=plate if looks_around else "off", source_blur=known)
    return np.stack(list(engine.render(inputs)))


def _plan(info: VideoInfo, recipe: Recipe, start: int, stop: int, parts: Parts | None) -> ClipPlanned:
    return ClipPlanned(
        frames=stop - start,
        start_frame=start,
        width=info.width,
        height=info.height,
        fps=str(info.fps),
        engine=recipe.engine.engine,
        recipe=recipe_digest(recipe),
        segments=0 if parts is None else parts.count,
        segments_kept=0 if parts is None else parts.kept_count,
    )


def _require_apart(output: str | Path, folder: Path) -> None:
    """Refuse one folder for the result and for the pictures beside it."""
    if Path(output).resolve() == folder.resolve():
        raise InputError(f"output {output} is the folder of the AOVs, too; give another one with --aov-output")


def _opened(
    path: str | Path, fps: float | Fraction | str | None, reading: Reading | None, stack: ExitStack
) -> VideoSource:
    return stack.enter_context(open_source(path, fps=fps, reading=reading))


def _first_of(track: FocusTrack, count: int) -> FocusTrack:
    """The track of a clip that ended after so many frames."""
    if len(track.focus_disparity) == count:
        return track
    return track.part(slice(count))


def _open_aovs(request: "AovRequest", shot: Shot, engine: Renderer, stems: list[str], *, overwrite: bool) -> "AovSink":
    from any2bokeh.aov.metadata import FocusMetadata
    from any2bokeh.aov.sink import AovSink, widest_px
    from any2bokeh.renderers.base import RendersSeparated
    from any2bokeh.renderers.layered import LayeredRenderer

    info = shot.source.info
    offers = engine if isinstance(engine, RendersSeparated) else LayeredRenderer(transfer=info.transfer)
    separator = offers.separator()
    return AovSink(
        request,
        info,
        FocusMetadata(shot, separator.blades),
        separator=separator,
        widest_px=widest_px(shot),
        stems=stems,
        overwrite=overwrite,
    )


@dataclass(frozen=True, slots=True)
class _Outputs:
    """Where a rendered frame goes: past its grain to the result and to the pictures for compositing."""

    sink: VideoSink | SegmentedSink
    grain: MatchedGrain | None
    aovs: "AovSink | None"

    def write(self, shot_frame: ShotFrame, pixels: NDArray[np.float32]) -> None:
        if self.grain is not None:
            pixels = self.grain.put_back(shot_frame.given.pixels, pixels, shot_frame.frame.index)
        self.sink.write(shot_frame.frame, pixels)
        if self.aovs is not None:
            self.aovs.write(shot_frame, pixels)


def _stream_segments(
    parts: Parts,
    shot: Shot,
    renderer: Renderer,
    result: VideoSink,
    outputs: _Outputs,
    progress: Progress,
    joining: Progress | None,
    watch: Watch | None,
    shares: FrameShares,
) -> int:
    """Render the segments that are missing, join all, and count the frames of the result."""
    missing = parts.missing()
    total, before = sum(len(each.frames) for each in missing), 0
    for run in runs(missing):
        seen = seen_for(run, parts.whole, renderer)
        own = [each for each in missing if each.start in run.frames]
        sink = SegmentedSink(parts, result, outputs.aovs, own, watch)
        with closing(sink):
            count = _stream(
                shot.part(seen.start, seen.stop),
                renderer,
                replace(outputs, sink=sink),
                lambda done, of, before=before: progress(before + done, total) if done or not before else None,
                wanted=run.frames,
                shares=shares,
            )
            sink.finish(run.start + count)
        before += count
        if count < len(run.frames):  # the clip ended early
            break
    parts.join(result, outputs.aovs, joining)
    return parts.end() - parts.whole.start


def _stream(
    shot: Shot,
    renderer: Renderer,
    outputs: _Outputs,
    progress: Progress,
    *,
    wanted: range | None = None,
    shares: FrameShares | None = None,
) -> int:
    """Decode, render and encode at the same time, and count the frames.

    On any exception every thread has ended when it leaves here.

    Args:
        shot: what is decoded and rendered.
        renderer: the engine.
        outputs: where frames go.
        progress: called with those that have been rendered.
        wanted: the frames that go there; None = all. Others are rendered for the sake of these.
        shares: told how much of a large frame is done.
    """
    decoded: Channel[ShotFrame] = Channel(FRAMES_BETWEEN_THREADS)
    rendered: Channel[tuple[ShotFrame, NDArray[np.float32]]] = Channel(FRAMES_BETWEEN_THREADS)
    failures: list[BaseException] = []
    done = 0

    def treated(share: float) -> None:
        decoded.require_wanted()
        if shares is not None:
            shares.treated(share)

    def read() -> None:
        with closing(frames_of(shot, told=treated)) as frames:
            for shot_frame in frames:
                decoded.put(shot_frame)
        decoded.complete()

    def write() -> None:
        for shot_frame, pixels in rendered:
            outputs.write(shot_frame, pixels)

    def guarded(work: Callable[[], None]) -> None:
        try:
            work()
        except Cancelled:
            pass
        except BaseException as error:
            failures.append(error)
            decoded.cancel()
            rendered.cancel()

    threads = [
        threading.Thread(target=guarded, args=(work,), name=f"any2bokeh {work.__name__}") for work in (read, write)
    ]
    try:
        for thread in threads:
            thread.start()
        keeps_hidden = outputs.aovs is not None
        wanted = range(shot.start, shot.stop) if wanted is None else wanted
        reads_on = shot.stop > wanted.stop
        done = _render(decoded, rendered, renderer, wanted, progress, reads_on=reads_on, keeps_hidden=keeps_hidden)
        decoded.cancel()  # of what is read ahead and not wanted
        rendered.complete()
        for thread in threads:
            thread.join()
    except Cancelled:
        pass
    finally:
        decoded.cancel()
        rendered.cancel()
        for thread in threads:
            _join(thread)
    if failures:
        raise failures[0]
    return done


def _render(
    decoded: Channel[ShotFrame],
    rendered: Channel[tuple[ShotFrame, NDArray[np.float32]]],
    renderer: Renderer,
    wanted: range,
    progress: Progress,
    *,
    reads_on: bool,
    keeps_hidden: bool,
) -> int:
    read_ahead: deque[ShotFrame] = deque()

    def inputs() -> Iterator[RenderInput]:
        for shot_frame in decoded:
            read_ahead.append(shot_frame)
            yield shot_frame.given

    done = 0
    progress(done, len(wanted))
    for pixels in renderer.render(inputs()):
        shot_frame = read_ahead.popleft()
        if shot_frame.frame.index not in wanted:
            continue
        if not keeps_hidden:
            shot_frame = replace(shot_frame, given=replace(shot_frame.given, hidden=None))
        rendered.put((shot_frame, pixels))
        done += 1
        progress(done, len(wanted))
        if reads_on and done == len(wanted):
            return done
    if read_ahead or done > len(wanted):
        raise RuntimeError(f"{type(renderer).__name__} rendered {done} of {done + len(read_ahead)} frames")
    return done


def _join(thread: threading.Thread) -> None:
    """Wait for a thread that has been cancelled; a second Ctrl-C must not tear the sink away under it."""
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
