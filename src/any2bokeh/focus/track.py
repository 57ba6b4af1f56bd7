"""The focus of every frame, found from a focus script."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from any2bokeh.disparity.source import DisparitySource
from any2bokeh.errors import InputError
from any2bokeh.focus.mask import SubjectReader, follow_shots, follow_slab, margins, slab_margin
from any2bokeh.focus.move import Move, plan_moves, values_over
from any2bokeh.focus.script import DenseFocus, FocusScript, Keyframe, require_blur_strength
from any2bokeh.focus.target import BoxTarget, DisparityTarget, MaskTarget, PointTarget, Target
from any2bokeh.focus.tracked_subjects import TrackedSubject, TrackedSubjects
from any2bokeh.subject.point import disparity_at_point, disparity_in_box


@dataclass(frozen=True, eq=False)
class FocusTrack:
    """The focus of every frame.

    Attributes:
        focus_disparity: ``(T,)`` float64, d_f in [0, 1].
        blur_strength: ``(T,)`` float64, K >= 0.
        warnings: one-line remarks for the user about what looks wrong but may be meant.
        slab: ``(T,)`` float64, half width in disparity of a slab about d_f that holds the subject that is followed, 0
            where none is; None where it was not asked for.
    """

    focus_disparity: NDArray[np.float64]
    blur_strength: NDArray[np.float64]
    warnings: tuple[str, ...] = ()
    slab: NDArray[np.float64] | None = None

    def part(self, frames: slice) -> "FocusTrack":
        """Some of the frames, with all remarks."""
        slab = None if self.slab is None else self.slab[frames]
        return FocusTrack(self.focus_disparity[frames], self.blur_strength[frames], self.warnings, slab)


def resolve(
    script: FocusScript,
    *,
    disparity: DisparitySource,
    frame_count: int,
    fps: Fraction | float,
    start: int = 0,
    stop: int | None = None,
    mask_root: str | Path | None = None,
    frame_size: tuple[int, int] | None = None,
    frame_numbers: Sequence[int] | None = None,
    dropped_frames: Sequence[int] = (),
    blur_strength: float | None = None,
    subjects: TrackedSubjects | None = None,
    finds_slab: bool = False,
) -> FocusTrack:
    """Find the focus of every frame; reads only the disparity, the masks and the pictures that it needs.

    A frame's focus does not depend on ``start`` and ``stop``: a preview shows what the whole run will.

    Args:
        script: what is in focus; its frames count from the start of the clip, not from ``start``.
        disparity: of the whole clip.
        frame_count: frames of the whole clip.
        fps: frames per second of the clip.
        start: first frame wanted.
        stop: frame after the last wanted; the clip's end where None.
        mask_root: folder that relative mask paths count from; by default the script's own folder, or the working
            folder where the script was not loaded from a file.
        frame_size: ``(width, height)`` of the displayed clip, which masks must have; where None, masks must have the
            disparity's aspect.
        frame_numbers: numbers of the clip's frames, by which numbered masks are matched; in order where None.
        dropped_frames: places of frames that were dropped from the clip, for which there may be masks all the same.
        blur_strength: K where the script gives none at all.
        subjects: what follows a point or box whose ``track`` is true; needed where the script has one.
        finds_slab: find the slab that holds what is followed, too.

    Returns:
        A track of ``stop - start`` frames.

    Raises:
        InputError: a keyframe lies past the clip's end, a dense script has another length than the clip, no blur
            strength is given anywhere, a mask is missing, of another size or count, or never shows its subject, or a
            subject is to be followed without ``subjects``.
    """
    stop = frame_count if stop is None else stop
    if not 0 <= start < stop <= frame_count:
        raise InputError(f"frames {start} to {stop} are asked for but the clip has {frame_count}; ask for some of them")
    if script.dense is not None:
        track = _dense_track(script, script.dense, frame_count, float(fps), start, stop)
        return track if finds_slab else replace(track, slab=None)
    placed = [(_clip_frame(keyframe, script, frame_count, float(fps)), keyframe) for keyframe in script.keyframes]
    cuts = sorted({frame for frame, keyframe in placed if keyframe.cut})
    targets = plan_moves([(f, k, k.target) for f, k in placed if k.target is not None], cuts=cuts, fps=float(fps))
    strengths = plan_moves(
        [(f, k, k.blur_strength) for f, k in placed if k.blur_strength is not None], cuts=cuts, fps=float(fps)
    )
    if not strengths:
        if blur_strength is None:
            raise InputError("the focus script gives no blur_strength; give one in its first keyframe")
        require_blur_strength(blur_strength)
        strengths = [Move(0, 0, blur_strength, "hold")]
    root = Path(mask_root) if mask_root is not None else script.root or Path()
    clip = _Clip(
        disparity, frame_count, stop, float(fps), frame_size, frame_numbers, dropped_frames, cuts, root, subjects
    )
    focus = _TargetFocus(targets, clip)
    slab = values_over(targets, focus.slabs, start=start, stop=stop) if finds_slab else None
    return FocusTrack(
        np.clip(values_over(targets, focus.values, start=start, stop=stop), 0.0, 1.0),
        values_over(
            strengths, lambda number, span: np.full(span[1] - span[0], strengths[number].value), start=start, stop=stop
        ),
        focus.warnings(),
        slab,
    )


def _dense_track(
    script: FocusScript, dense: DenseFocus, frame_count: int, fps: float, start: int, stop: int
) -> FocusTrack:
    if not script.counts_at(fps):
        raise InputError(
            f"the dense focus script is for {script.fps:g} fps but the clip has {fps:g}; "
            f"export it again for this clip, or use keyframes"
        )
    if len(dense.focus_disparity) != frame_count:
        raise InputError(
            f"the dense focus script has {len(dense.focus_disparity)} values but the clip has {frame_count} frames; "
            f"give one value for every frame"
        )
    return FocusTrack(
        np.array(dense.focus_disparity[start:stop], np.float64),
        np.array(dense.blur_strength[start:stop], np.float64),
        slab=np.zeros(stop - start) if dense.focus_slab is None else np.array(dense.focus_slab[start:stop], np.float64),
    )


def _clip_frame(keyframe: Keyframe, script: FocusScript, frame_count: int, fps: float) -> int:
    """The clip's frame that is nearest in time to a keyframe."""
    frame = script.clip_frame(keyframe.frame, fps)
    if frame >= frame_count:
        where = "" if script.counts_at(fps) else f" at {script.fps:g} fps (frame {frame} of the clip, at {fps:g} fps)"
        raise InputError(
            f"keyframe at frame {keyframe.frame}{where} lies past the clip's end; "
            f"the clip has {frame_count} frames, the last is {frame_count - 1}"
        )
    return frame


@dataclass(frozen=True, slots=True)
class _Clip:
    """What targets are read from."""

    disparity: DisparitySource
    frame_count: int
    stop: int
    fps: float
    frame_size: tuple[int, int] | None
    frame_numbers: Sequence[int] | None
    dropped_frames: Sequence[int]
    cuts: Sequence[int]
    mask_root: Path
    subjects: TrackedSubjects | None


class _TargetFocus:
    """Focus disparity of each move's target, each frame read once."""

    def __init__(self, moves: Sequence[Move[Target]], clip: _Clip) -> None:
        self._moves = moves
        self._clip = clip
        self._fixed: dict[int, float] = {}
        self._masked: dict[str, SubjectReader] = {}

    def values(self, number: int, wanted: tuple[int, int]) -> NDArray[np.float64]:
        """Focus that a move leads to, in the wanted frames."""
        subject = self._subject(number)
        if subject is not None:
            return self._followed(number, subject, wanted)
        if number not in self._fixed:
            move = self._moves[number]
            self._fixed[number] = _read_target(move.value, move.frame, self._clip.disparity)
        return np.full(wanted[1] - wanted[0], self._fixed[number])

    def slabs(self, number: int, wanted: tuple[int, int]) -> NDArray[np.float64]:
        """Half width of the slab that holds what a move leads to, in the wanted frames; 0 where nothing is followed."""
        subject = self._subject(number)
        if subject is None:
            return np.zeros(wanted[1] - wanted[0])
        return self._followed(number, subject, wanted, slab=True)

    def _subject(self, number: int) -> SubjectReader | TrackedSubject | None:
        """What is followed by a move's target, if anything is."""
        target, frame = self._moves[number].value, self._moves[number].frame
        if not isinstance(target, DisparityTarget) and frame >= self._clip.disparity.frame_count:
            raise InputError(
                f"keyframe at frame {frame} needs disparity, which ends after frame "
                f"{self._clip.disparity.frame_count - 1}; give the disparity of the whole clip"
            )
        if isinstance(target, MaskTarget):
            return self._masked_subject(target)
        if isinstance(target, PointTarget | BoxTarget) and target.track:
            if self._clip.subjects is None:
                raise InputError(
                    f"the subject of frame {frame} cannot be followed without the pictures of the clip; give them, or "
                    f"set track to false"
                )
            return self._clip.subjects.subject(target, frame)
        return None

    def warnings(self) -> tuple[str, ...]:
        of_masks = tuple(warning for subject in self._masked.values() for warning in subject.warnings())
        return of_masks + (self._clip.subjects.warnings() if self._clip.subjects else ())

    def _masked_subject(self, target: MaskTarget) -> SubjectReader:
        if target.path not in self._masked:
            self._masked[target.path] = SubjectReader(
                self._clip.mask_root / target.path,
                disparity=self._clip.disparity,
                clip_frame_count=self._clip.frame_count,
                stop=self._clip.stop,
                frame_size=self._clip.frame_size,
                frame_numbers=self._clip.frame_numbers,
                dropped_frames=self._clip.dropped_frames,
            )
        return self._masked[target.path]

    def _followed(
        self, number: int, subject: SubjectReader | TrackedSubject, wanted: tuple[int, int], *, slab: bool = False
    ) -> NDArray[np.float64]:
        begin = min(math.floor(self._moves[number].begins) + 1, self._moves[number].frame)
        following = self._moves[number + 1 :]
        end = min(following[0].frame if following else self._clip.frame_count, subject.frame_count)
        before, after = (margin + slab * slab_margin(self._clip.fps) for margin in margins(self._clip.fps))
        subject.read_ahead(max(begin, wanted[0] - before), min(end, wanted[1] + after))
        shots = [begin, *(cut for cut in self._clip.cuts if begin < cut < end), end]
        follow, told = (follow_slab, subject.slab) if slab else (follow_shots, subject.disparity)
        return follow(told, shots=shots, wanted=wanted, fps=self._clip.fps, title=subject.title)


def _read_target(target: Target, frame: int, disparity: DisparitySource) -> float:
    match target:
        case DisparityTarget(focus_disparity):
            return focus_disparity
        case PointTarget(x, y):
            return disparity_at_point(disparity.at(frame), x, y)
        case BoxTarget(x0, y0, x1, y1):
            return disparity_in_box(disparity.at(frame), x0, y0, x1, y1)
        case MaskTarget():
            raise TypeError("a mask is followed, not read in one frame")
