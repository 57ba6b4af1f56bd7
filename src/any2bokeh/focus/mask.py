"""The focus that follows a mask."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from any2bokeh.disparity.aspect import require_same_aspect
from any2bokeh.disparity.grey_frames import open_grey_frames
from any2bokeh.disparity.pairing import paired
from any2bokeh.disparity.source import DisparitySource
from any2bokeh.errors import InputError
from any2bokeh.focus.easing import eased

# A mask is on where it is at least half of full scale; files of 0 and 1 are label maps.
_THRESHOLD = 0.5
_LABEL_MAX = 1.01 / 255
# Border of the mask that is left out, over its longer side: disparity is least sure along the outline.
_EROSION = 0.01
# Larger masks are thinned out to this, which a median does not notice.
_WORKING_SIDE_PX = 512
# A subject this far behind its surround in most frames is more often disparity of the other polarity.
_BEHIND = 0.02
_BEHIND_SHARE = 0.8
# Standard deviation of the smoothing over time: takes out jitter from frame to frame, keeps a walk.
SMOOTHING_S = 0.08
# What a subject's own disparities reach to both sides of its middle, but for this share of it that may be background.
_OUTLIERS_PERCENT = 5.0
# The slab that holds a subject reaches this far towards the nearest that is beside it, a tenth of the ring left out.
_SLAB_SHARE, _BESIDE_PERCENT = 0.4, 10.0
# Beside and above: below, a subject stands on a ground that is as near as it is. Of its height.
_FEET = 0.1
# A slab holds what the subject reaches within this time before and after.
_SLAB_REACH_S = 0.25
# How long the focus takes to come back to a subject that was lost.
EASE_ON_S = 0.4


@dataclass(frozen=True, slots=True)
class Subject:
    """What a mask says about one frame.

    Attributes:
        disparity: of the subject, in [0, 1]; None where the mask is empty.
        surround: median disparity of the ring around the subject, None where there is none.
        slab: distance in disparity that its own surfaces reach from there, as far as nothing beside it is so near.
    """

    disparity: float | None
    surround: float | None = None
    slab: float = 0.0


class SubjectReader:
    """The subject of a mask folder or mask video, each frame read once.

    A mask whose alpha channel says anything, such as a cut-out in RGBA PNG, ProRes 4444 or VP9, is that channel. Masks
    with numbers in their names belong to the frames of the same number, where the clip's are numbered; see ``paired``.

    Attributes:
        title: what messages call the mask.
        frame_count: frames that both the mask and the disparity hold.

    Raises:
        InputError: the mask does not exist, is unreadable, has another number of frames than the clip, or another
            size.
    """

    def __init__(
        self,
        path: Path,
        *,
        disparity: DisparitySource,
        clip_frame_count: int,
        stop: int | None = None,
        frame_size: tuple[int, int] | None = None,
        frame_numbers: Sequence[int] | None = None,
        dropped_frames: Sequence[int] = (),
    ) -> None:
        self._remarks: list[str] = []
        masks = open_grey_frames(path, noun="mask", colour="brightest", content="mask")
        self.title = f"{masks.title} {path}"
        self._masks = paired(
            masks,
            clip_frame_count=clip_frame_count,
            frame_numbers=frame_numbers,
            dropped_frames=dropped_frames,
            stop=stop,
            notice=self._remarks.append,
        )
        if masks.is_cut_out:
            self._remarks.append(f"{self.title} is a cut-out, and is read from its alpha channel")
        self.frame_count = min(self._masks.frame_count, disparity.frame_count)
        self._require_size(disparity.at(0).shape[1:], frame_size)
        self._disparity = disparity
        self._subjects: dict[int, Subject] = {}

    def disparity(self, frame: int) -> float | None:
        """Disparity of the subject in a frame, None where the mask is empty."""
        return self._subject(frame).disparity

    def slab(self, frame: int) -> float | None:
        """Half width of a slab that holds the subject in a frame, None where the mask is empty."""
        subject = self._subject(frame)
        return None if subject.disparity is None else subject.slab

    def read_ahead(self, start: int, stop: int) -> None:
        """Read the frames from ``start`` to ``stop`` in one pass, which streams where single frames would seek."""
        missing = [frame for frame in range(start, stop) if frame not in self._subjects]
        if not missing:
            return
        span = (missing[0], missing[-1] + 1)
        for frame, mask, disparity in zip(
            range(*span), self._masks.frames(*span), self._disparity.frames(*span), strict=True
        ):
            self._subjects[frame] = subject_of(mask, disparity)

    def warnings(self) -> tuple[str, ...]:
        """How the mask was read, and what looks wrong about the frames read so far."""
        compared = [subject for subject in self._subjects.values() if None not in (subject.disparity, subject.surround)]
        behind = [s for s in compared if s.disparity < s.surround - _BEHIND]  # pyright: ignore[reportOptionalOperand, reportOperatorIssue]
        if len(behind) <= _BEHIND_SHARE * len(compared):
            return tuple(self._remarks)
        return (
            *self._remarks,
            f"the subject of {self.title} lies behind what surrounds it in {len(behind)} of {len(compared)} frames; "
            f"if near and far look swapped, give the other --disparity-polarity",
        )

    def _subject(self, frame: int) -> Subject:
        if frame not in self._subjects:
            self._subjects[frame] = subject_of(self._masks.at(frame), self._disparity.at(frame))
        return self._subjects[frame]

    def _require_size(self, disparity_shape: tuple[int, ...], frame_size: tuple[int, int] | None) -> None:
        height, width = self._masks.at(0).shape
        of_disparity = (disparity_shape[1], disparity_shape[0])
        if frame_size is None:
            require_same_aspect("mask", (width, height), of_disparity, frame_noun="the disparity")
        elif (width, height) not in (frame_size, of_disparity):
            raise InputError(
                f"{self.title} is {width}x{height} but the clip is {frame_size[0]}x{frame_size[1]}; "
                f"export the masks at the clip's size"
            )


def subject_of(mask: NDArray[np.float32], disparity: NDArray[np.float32]) -> Subject:
    """Disparity of the masked subject: the middle of its values, away from its outline.

    Args:
        mask: ``(h, w)`` in [0, 1], any size of the disparity's aspect; on from half of full scale, or, in a label map
            of 0 and 1 in integers, where it is 1.
        disparity: ``(1, h, w)`` in [0, 1].

    Returns:
        The mean of the values between the 40th and 60th percentile under the eroded mask, which is a median without
        the steps of 8-bit files. A subject too thin for the erosion is eroded by half of its own thickness. Its slab
        holds all but the outermost of the same values, but never what the ring around it shows beside and above it.
    """
    import cv2

    is_on = _on_grid(mask, disparity.shape[1:])
    if not is_on.any():
        return Subject(None)
    step = math.ceil(max(is_on.shape) / _WORKING_SIDE_PX)
    if not is_on[::step, ::step].any():
        step = 1
    is_on, values = np.ascontiguousarray(is_on[::step, ::step]), disparity[0, ::step, ::step]
    border = _EROSION * max(is_on.shape)
    depth = cv2.distanceTransform(is_on, cv2.DIST_L2, 3)
    inner = depth > min(border, 0.5 * float(depth.max()))
    distance = cv2.distanceTransform(1 - is_on, cv2.DIST_L2, 3)
    ring = (distance > border) & (distance <= 4 * border)
    middle = _middle(values[inner])
    surround = float(np.median(values[ring])) if ring.any() else None
    rows = np.flatnonzero(is_on.any(axis=1))
    ring[rows[-1] - int(_FEET * len(rows)) :] = False
    return Subject(middle, surround, _slab(values[inner] - middle, values[ring] - middle))


def _slab(own: NDArray[np.floating], beside: NDArray[np.floating]) -> float:
    """Half width of the slab about a subject, from how far its own values and those beside it lie from its middle."""
    reach = float(np.abs(np.percentile(own, (_OUTLIERS_PERCENT, 100 - _OUTLIERS_PERCENT))).max())
    if not beside.size:
        return reach
    return min(reach, _SLAB_SHARE * float(np.percentile(np.abs(beside), _BESIDE_PERCENT)))


def _on_grid(mask: NDArray[np.float32], shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Where a mask is on, as 0 and 1 on the disparity's pixels; not empty where the mask is not."""
    import cv2

    is_on = (mask > 0 if 0 < mask.max() <= _LABEL_MAX else mask >= _THRESHOLD).astype(np.uint8)
    if is_on.shape == shape:
        return is_on
    coverage = np.asarray(cv2.resize(is_on * np.float32(1), (shape[1], shape[0]), interpolation=cv2.INTER_AREA))
    half_covered = coverage >= 0.5
    return (half_covered if half_covered.any() else coverage > 0).astype(np.uint8)


def follow_shots(
    subject_disparity: Callable[[int], float | None],
    *,
    shots: Sequence[int],
    wanted: tuple[int, int],
    fps: float,
    title: str = "mask",
) -> NDArray[np.float64]:
    """Focus of the wanted frames, each shot followed by itself.

    A shot that never shows the subject holds the focus at the end of the shot before; shots before the first that
    shows it take the focus of its first sight.

    Args:
        subject_disparity: disparity of the subject in a frame, None where it is not seen.
        shots: first frame of each shot in order, and the frame after the last shot's end.
        wanted: first frame asked for and the frame after the last, within the shots.
        fps: frames per second.
        title: what a message calls the mask.

    Returns:
        ``(wanted,)`` disparities in [0, 1].

    Raises:
        InputError: no shot shows the subject.
    """
    spans = list(pairwise(shots))
    parts: list[NDArray[np.float64]] = []
    for number, span in enumerate(spans):
        asked = (max(wanted[0], span[0]), min(wanted[1], span[1]))
        if asked[0] >= asked[1]:
            continue
        focus = follow(subject_disparity, span=span, wanted=asked, fps=fps)
        if focus is None:
            held = _held_from_another_shot(subject_disparity, spans, number, fps)
            if held is None:
                raise InputError(
                    f"{title} is empty in all frames from {shots[0]} to {shots[-1] - 1}; "
                    f"paint the subject in one of them, or give another target"
                )
            focus = np.full(asked[1] - asked[0], held)
        parts.append(focus)
    return np.concatenate(parts)


def follow_slab(
    subject_slab: Callable[[int], float | None],
    *,
    shots: Sequence[int],
    wanted: tuple[int, int],
    fps: float,
    title: str = "mask",
) -> NDArray[np.float64]:
    """Half width of the slab that holds a subject in the wanted frames, steady over time; see `follow_shots`.

    A leg that is raised for a moment widens it before and after, so that the slab never opens visibly.
    """
    reach = math.ceil(_SLAB_REACH_S * fps)
    spans = list(pairwise(shots))

    def widest(frame: int) -> float | None:
        if subject_slab(frame) is None:
            return None
        first, last = next(span for span in spans if span[0] <= frame < span[1])
        near = [subject_slab(other) for other in range(max(first, frame - reach), min(last, frame + reach + 1))]
        return max(value for value in near if value is not None)

    return follow_shots(widest, shots=shots, wanted=wanted, fps=fps, title=title)


def _held_from_another_shot(
    subject_disparity: Callable[[int], float | None], spans: Sequence[tuple[int, int]], number: int, fps: float
) -> float | None:
    before = ((span, span[1] - 1) for span in reversed(spans[:number]))
    after = ((span, span[0]) for span in spans[number + 1 :])
    for span, frame in (*before, *after):
        focus = follow(subject_disparity, span=span, wanted=(frame, frame + 1), fps=fps)
        if focus is not None:
            return float(focus[0])
    return None


def follow(
    subject_disparity: Callable[[int], float | None], *, span: tuple[int, int], wanted: tuple[int, int], fps: float
) -> NDArray[np.float64] | None:
    """Focus of the wanted frames of one shot, from the subject's disparity in each frame.

    Smoothed over time by a Gaussian within each run of frames that show the subject. A frame that does not show it
    holds the focus of the last that did, and after it the focus eases back on. Frames before the first sight of the
    subject take its focus there. The result for a frame does not depend on which frames are wanted.

    Args:
        subject_disparity: disparity of the subject in a frame, None where it is not seen.
        span: first frame of the shot and the frame after its last.
        wanted: the same of the frames asked for, within the span.
        fps: frames per second.

    Returns:
        ``(wanted,)``, or None where the subject is never seen in the span.
    """
    first, last = _frames_that_matter(subject_disparity, span=span, wanted=wanted, fps=fps)
    seen = [subject_disparity(frame) for frame in range(first, last)]
    raw = np.array([math.nan if value is None else value for value in seen])
    shown = np.flatnonzero(~np.isnan(raw))
    if not shown.size:
        return None
    focus = np.full(len(raw), math.nan)
    for run in np.split(shown, np.flatnonzero(np.diff(shown) > 1) + 1):
        begin, end = int(run[0]), int(run[-1]) + 1
        focus[begin:end] = _smoothed(raw[begin:end], SMOOTHING_S * fps)
        if begin == shown[0]:
            focus[:begin] = focus[begin]
        else:
            _ease_on(focus, begin, end, EASE_ON_S * fps)
    for frame in range(int(shown[-1]) + 1, len(raw)):
        focus[frame] = focus[frame - 1]
    return focus[wanted[0] - first : wanted[1] - first]


def margins(fps: float) -> tuple[int, int]:
    """How many frames before and after the wanted ones matter to them, while the subject is seen throughout."""
    reach = _reach(SMOOTHING_S * fps)
    return 2 * reach + math.ceil(EASE_ON_S * fps) + 1, reach


def slab_margin(fps: float) -> int:
    """How many frames more matter on both sides where a slab is followed, too."""
    return math.ceil(_SLAB_REACH_S * fps)


def _frames_that_matter(
    subject_disparity: Callable[[int], float | None], *, span: tuple[int, int], wanted: tuple[int, int], fps: float
) -> tuple[int, int]:
    """The frames whose subject the wanted frames' focus depends on."""
    before, after = margins(fps)
    first, unbroken = wanted[0], 0
    while first > span[0] and unbroken < before:
        first -= 1
        unbroken = unbroken + 1 if subject_disparity(first) is not None else 0
    seen = next((frame for frame in range(first, span[1]) if subject_disparity(frame) is not None), span[1])
    return first, min(max(wanted[1], seen + 1) + after, span[1])


def _ease_on(focus: NDArray[np.float64], begin: int, end: int, length: float) -> None:
    """Fill the gap before a run with what was held, and lead the run's first frames over from it."""
    gap = begin
    while math.isnan(focus[gap - 1]):
        gap -= 1
    held = focus[gap - 1]
    focus[gap:begin] = held
    for frame in range(begin, min(end, begin + math.ceil(length))):
        focus[frame] = held + eased("smooth", (frame - begin + 1) / length) * (focus[frame] - held)


def _smoothed(values: NDArray[np.float64], sigma: float) -> NDArray[np.float64]:
    reach = _reach(sigma)
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / max(sigma, 1e-6)) ** 2)
    weight = np.convolve(np.pad(np.ones(len(values)), reach), kernel, mode="valid")
    return np.convolve(np.pad(values, reach), kernel, mode="valid") / weight


def _reach(sigma: float) -> int:
    return math.ceil(3 * sigma)


def _middle(values: NDArray[np.float32]) -> float:
    low, high = int(0.4 * (len(values) - 1)), math.ceil(0.6 * (len(values) - 1))
    ordered = np.partition(values, (low, high))
    return float(ordered[low : high + 1].mean(dtype=np.float64))
