"""What ``refocus`` would focus on, decided and written down: a focus script that a person can edit, and mattes."""

import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from any2bokeh.errors import InputError
from any2bokeh.focus import FocusScript, FocusTrack
from any2bokeh.focus.baking import baked
from any2bokeh.optics.breathing import Breathing
from any2bokeh.pending_output import PendingOutput, check_target, published_together, write_failure, writing
from any2bokeh.read_paths import ReadPaths
from any2bokeh.recipe import Recipe
from any2bokeh.refocusing import Progress
from any2bokeh.shot import FrameRange, Shot, frame_range
from any2bokeh.subject.tracker import TrackedFrame
from any2bokeh.video import VideoInfo, VideoSource


@dataclass(frozen=True, slots=True)
class TrackResult:
    """What was decided.

    Attributes:
        script: the decisions.
        recipe: what was asked for, with the estimate of its depth model in place of the model.
        track: the focus that they lead to, of the frames from ``start`` to ``stop``.
        start, stop: the frames ``start <= index < stop`` that were looked at.
        seen_count: frames in which the subject in focus is in view.
        elapsed_s: wall-clock time.
    """

    script: FocusScript
    recipe: Recipe
    track: FocusTrack
    start: int
    stop: int
    seen_count: int
    elapsed_s: float


def track(
    source: VideoSource,
    output: str | Path,
    recipe: Recipe,
    *,
    masks: str | Path | None = None,
    bake: bool = False,
    start_s: float | None = None,
    end_s: float | None = None,
    frames: FrameRange | None = None,
    overwrite: bool = False,
    also_read: Iterable[str | Path] = (),
    progress: Progress | None = None,
    estimating: Progress | None = None,
    notice: Callable[[str], None] | None = None,
) -> TrackResult:
    """Decide what is in focus, and write it as a focus script; the other arguments are those of ``refocus``.

    Args:
        source: the clip.
        output: the script, a .json file.
        recipe: what to follow, and where disparity comes from. The script's first keyframe gives its blur strength, or
            that of its lens; the script gives none where the recipe gives none. The rest of it is not looked at.
        masks: folder for the mattes, one 8-bit PNG of the clip's size for each of its frames, black where the subject
            is not in view. A mask target reads them back.
        bake: write the focus that was found, as keyframes of disparity, instead of the subjects.

    Raises:
        InputError: bad input, an output that exists, or mattes asked for where there is no outline to follow.
    """
    output = Path(output)
    if output.suffix.lower() != ".json":
        raise InputError(f"focus script {output} is not a .json file; give a name that ends in .json")
    read = ReadPaths([source.info.path, *recipe.read_paths(), *also_read])
    read.require_kept(output)
    check_target(output, source.info.path, overwrite=overwrite)
    if masks is not None:
        read.require_kept(masks)
        check_target(Path(masks), source.info.path, overwrite=overwrite)
    start, stop = frame_range(source, start_s, end_s, frames)
    began, seen = time.perf_counter(), _Seen(start, stop, progress or (lambda done, total: None))
    with ExitStack() as stack:
        stack.enter_context(published_together())
        mattes = None
        if masks is not None:
            mattes = stack.enter_context(_MatteFolder(Path(masks), source.info))

        def on_tracked_frame(frame: int, tracked: TrackedFrame) -> None:
            seen.note(frame, tracked)
            if mattes is not None and start <= frame < stop:
                mattes.write(frame, tracked.matte)

        shot = Shot.open(
            source,
            replace(recipe, blur_strength=recipe.blur_strength or 0.0, breathing=Breathing(), source_blur="off"),
            start=start,
            stop=stop,
            on_tracked_frame=on_tracked_frame,
            estimating=estimating,
            notice=notice,
        )
        seen.finish()
        for remark in shot.track.warnings if notice else ():
            notice(remark)  # pyright: ignore[reportOptionalCall]
        blur_strength = None if recipe.blur_strength is None else float(shot.track.blur_strength[0])
        script = _script(shot, bake=bake, blur_strength=blur_strength)
        if mattes is not None:
            if not seen.visible:
                raise InputError(
                    "there are no mattes to write, because the subject is scenery without an outline or is not "
                    "followed (--no-track); leave --masks out"
                )
            mattes.publish()
        _write_script(script, output)
    return TrackResult(script, shot.recipe, shot.track, start, stop, len(seen.visible), time.perf_counter() - began)


def _write_script(script: FocusScript, path: Path) -> None:
    pending = PendingOutput.file(path)
    try:
        with writing(path):
            pending.temporary.write_text(script.dumps(), encoding="utf-8")
        pending.publish()
    finally:
        pending.discard()


def _script(shot: Shot, *, bake: bool, blur_strength: float | None) -> FocusScript:
    fps = float(shot.source.info.fps)
    if bake:
        cuts = [keyframe.frame for keyframe in shot.script.keyframes if keyframe.cut]
        script = baked(shot.track.focus_disparity, start=shot.start, fps=fps, cuts=cuts)
    else:
        script = replace(shot.script, fps=fps)
    if blur_strength is None:
        return script
    first = replace(script.keyframes[0], blur_strength=blur_strength)
    return replace(script, keyframes=(first, *script.keyframes[1:]))


class _Seen:
    """How far the tracking is, and where the subject was in view."""

    def __init__(self, start: int, stop: int, progress: Progress) -> None:
        self._start, self._total = start, stop - start
        self._progress = progress
        self._done = 0
        self.visible: set[int] = set()
        progress(0, self._total)

    def note(self, frame: int, tracked: TrackedFrame) -> None:
        if not 0 <= frame - self._start < self._total:
            return
        if tracked.visible:
            self.visible.add(frame)
        else:
            self.visible.discard(frame)
        # Below the end until all is done: a few frames may be looked at by two subjects.
        done = min(frame - self._start + 1, self._total - 1)
        if done > self._done:
            self._done = done
            self._progress(done, self._total)

    def finish(self) -> None:
        self._progress(self._total, self._total)


class _MatteFolder:
    """A folder of mattes that appears when it is complete."""

    def __init__(self, path: Path, info: VideoInfo) -> None:
        self._path = path
        self._size = (info.width, info.height)
        self._frame_count = info.frame_count
        self._digits = max(5, len(str(info.frame_count - 1)))
        self._pending = PendingOutput.folder(path)

    def __enter__(self) -> "_MatteFolder":
        return self

    def __exit__(self, *_: object) -> None:
        self._pending.discard()

    def write(self, frame: int, matte: NDArray[np.float32]) -> None:
        """Write the matte of a frame, in place of one that is there."""
        import cv2

        full = cv2.resize(matte, self._size, interpolation=cv2.INTER_LINEAR)
        self._write(frame, np.rint(np.clip(full, 0, 1) * 255).astype(np.uint8))

    def publish(self) -> None:
        """Fill in the frames without a matte, and give the folder its name."""
        black = np.zeros((self._size[1], self._size[0]), np.uint8)
        for frame in range(self._frame_count):
            if not self._file(frame).exists():
                self._write(frame, black)
        self._pending.publish()

    def _file(self, frame: int) -> Path:
        return self._pending.temporary / f"{frame:0{self._digits}d}.png"

    def _write(self, frame: int, samples: NDArray[np.uint8]) -> None:
        import cv2

        encoded, data = cv2.imencode(".png", samples)
        if not encoded:
            raise RuntimeError(f"PNG encoder refused {samples.shape} {samples.dtype}")
        try:
            self._file(frame).write_bytes(data.data)
        except OSError as error:
            raise write_failure(self._path, error) from None
