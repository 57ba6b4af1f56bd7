"""The focus script, version 1: keyframes, or one value for each frame. The format is in docs/focus-script.md."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Literal, Self, get_args

from any2bokeh.errors import InputError, is_finite_number, require_choice, require_in_unit_range, shown
from any2bokeh.focus.easing import Easing
from any2bokeh.focus.target import BoxTarget, DisparityTarget, MaskTarget, PointTarget, Target
from any2bokeh.subject.seed import ClipSeed

Strength = Literal[
    "weak",  # a suggestion, such as a detector's: gives way to a strong keyframe whose move it would cut short
    "strong",  # a person's decision
]

MAX_FRAME = 10**9
DEFAULT_EASING: Easing = "smooth"
DEFAULT_STRENGTH: Strength = "strong"
_SAME_RATE = 1e-4  # rates that differ by less, as a share, are one rate written differently (29.97 and 30000/1001)


@dataclass(frozen=True, slots=True)
class Keyframe:
    """Values that are reached at a frame.

    Attributes:
        frame: 0-based, counted from the start of the clip, at the script's ``fps`` where that is given.
        target: what is in focus from here on; None leaves the focus as it is.
        blur_strength: K >= 0, radius in pixels per unit of disparity in a frame of 1024 px on its longer side;
            None leaves the strength to the keyframes around.
        easing: how the values move here from the keyframe before.
        transition_s: seconds that the move takes, ending at this frame; None takes the whole way from the keyframe
            before.
        strength: whether this is a suggestion or a decision.
        cut: True where a new shot begins: nothing is eased across it.

    Raises:
        InputError: a value is outside its range, or there is neither a target nor a blur strength.
    """

    frame: int
    target: Target | None = None
    blur_strength: float | None = None
    easing: Easing = DEFAULT_EASING
    transition_s: float | None = None
    strength: Strength = DEFAULT_STRENGTH
    cut: bool = False

    def __post_init__(self) -> None:
        if isinstance(self.frame, bool) or not isinstance(self.frame, int) or not 0 <= self.frame <= MAX_FRAME:
            raise InputError(f"frame is {shown(self.frame)}; allowed is a whole number from 0 to {MAX_FRAME}")
        if self.target is None and self.blur_strength is None:
            raise InputError("it has no focus_disparity, point, box or mask, and no blur_strength; give one")
        if self.blur_strength is not None:
            require_blur_strength(self.blur_strength)
        if self.transition_s is not None and (not is_finite_number(self.transition_s) or self.transition_s < 0):
            raise InputError(f"transition_s is {shown(self.transition_s)}; allowed is a number of seconds from 0 up")
        for name, choice, allowed in (("easing", self.easing, Easing), ("strength", self.strength, Strength)):
            require_choice(name, choice, get_args(allowed))
        if not isinstance(self.cut, bool):
            raise InputError(f"cut is {shown(self.cut)}; allowed is true or false")


@dataclass(frozen=True, slots=True)
class DenseFocus:
    """One value for each frame of the clip.

    Attributes:
        focus_disparity: d_f of every frame, in [0, 1].
        blur_strength: K of every frame, >= 0.
        focus_slab: half width in disparity of what stays sharp about d_f, of every frame, in [0, 1]; 0 where None.

    Raises:
        InputError: a value is outside its range, they differ in length, or they are empty.
    """

    focus_disparity: tuple[float, ...]
    blur_strength: tuple[float, ...]
    focus_slab: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        if self.focus_slab is not None and len(self.focus_slab) != len(self.focus_disparity):
            raise InputError(
                f"focus_disparity has {len(self.focus_disparity)} values but focus_slab has {len(self.focus_slab)}; "
                f"give one of each for every frame, or leave focus_slab out"
            )
        if len(self.focus_disparity) != len(self.blur_strength):
            raise InputError(
                f"focus_disparity has {len(self.focus_disparity)} values but blur_strength has "
                f"{len(self.blur_strength)}; give one of each for every frame"
            )
        if not self.focus_disparity:
            raise InputError("focus_disparity is empty; give one value for every frame")
        for frame, (focus_disparity, blur_strength) in enumerate(
            zip(self.focus_disparity, self.blur_strength, strict=True)
        ):
            require_in_unit_range(f"focus_disparity[{frame}]", focus_disparity)
            require_blur_strength(blur_strength, f"blur_strength[{frame}]")
        for frame, slab in enumerate(self.focus_slab or ()):
            require_in_unit_range(f"focus_slab[{frame}]", slab)

    def part(self, start: int, stop: int) -> "DenseFocus":
        """That of the frames ``start <= index < stop``."""
        slab = None if self.focus_slab is None else self.focus_slab[start:stop]
        return DenseFocus(self.focus_disparity[start:stop], self.blur_strength[start:stop], slab)


@dataclass(frozen=True, slots=True)
class FocusScript:
    """What is in focus over a clip, and how strong its blur is: either keyframes or one value for each frame.

    Attributes:
        keyframes: in order of their frames, at least one of them with a target; empty where ``dense`` is given.
        dense: one value for each frame, or None.
        fps: rate that the keyframes' frame numbers count at; None counts the clip's own frames.
        root: folder that relative mask paths count from; not part of the file, and not compared.

    Raises:
        InputError: keyframes out of order, no target at all, both kinds or neither, or a value outside its range.
    """

    keyframes: tuple[Keyframe, ...] = ()
    dense: DenseFocus | None = None
    fps: float | None = None
    root: Path | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        if self.fps is not None and (not is_finite_number(self.fps) or not 0 < self.fps <= 10_000):
            raise InputError(f"fps is {shown(self.fps)}; allowed is a number above 0, at most 10000")
        if (self.dense is None) == (not self.keyframes):
            raise InputError("it has both or neither of keyframes and dense values; give keyframes, or dense values")
        for before, after in pairwise(self.keyframes):
            if after.frame <= before.frame:
                raise InputError(
                    f"keyframe at frame {after.frame} follows the one at frame {before.frame}; "
                    f"order keyframes by frame, one for each frame"
                )
        if self.keyframes and all(keyframe.target is None for keyframe in self.keyframes):
            raise InputError("no keyframe has a target; give one of them focus_disparity, point, box or mask")

    @classmethod
    def constant(cls, focus_disparity: float, blur_strength: float) -> Self:
        """The focal plane at one disparity in [0, 1], for the whole clip."""
        return cls._one_keyframe(DisparityTarget(focus_disparity), blur_strength)

    @classmethod
    def at_point(cls, x: float, y: float, blur_strength: float) -> Self:
        """Focus on what is at a point of the first frame, x and y in 0..1; held for the whole clip."""
        return cls._one_keyframe(PointTarget(x, y), blur_strength)

    @classmethod
    def in_box(cls, x0: float, y0: float, x1: float, y1: float, blur_strength: float) -> Self:
        """Focus on the subject in a box of the first frame, corners in 0..1; held for the whole clip."""
        return cls._one_keyframe(BoxTarget(x0, y0, x1, y1), blur_strength)

    @classmethod
    def on_mask(cls, path: str | Path, blur_strength: float) -> Self:
        """Follow the subject of a mask folder or mask video."""
        return cls._one_keyframe(MaskTarget(str(path)), blur_strength)

    @classmethod
    def from_dense(
        cls,
        focus_disparity: Sequence[float],
        blur_strength: Sequence[float],
        focus_slab: Sequence[float] | None = None,
    ) -> Self:
        """One focus disparity and one blur strength for each frame, and what stays sharp about it; see `DenseFocus`."""
        slab = None if focus_slab is None else tuple(map(float, focus_slab))
        return cls(dense=DenseFocus(tuple(map(float, focus_disparity)), tuple(map(float, blur_strength)), slab))

    @classmethod
    def _one_keyframe(cls, target: Target, blur_strength: float) -> Self:
        return cls(keyframes=(Keyframe(frame=0, target=target, blur_strength=blur_strength),))

    @property
    def gives_blur_strength(self) -> bool:
        """Whether it says how strong the blur is."""
        return self.dense is not None or any(keyframe.blur_strength is not None for keyframe in self.keyframes)

    def strongest_blur(self, otherwise: float) -> float:
        """No frame is blurred more: strengths between two keyframes lie between theirs.

        Args:
            otherwise: K where it gives none.
        """
        if self.dense is not None:
            return max(self.dense.blur_strength)
        given = [keyframe.blur_strength for keyframe in self.keyframes if keyframe.blur_strength is not None]
        return max(given, default=otherwise)

    def counts_at(self, fps: Fraction | float) -> bool:
        """Whether its frames are those of a clip of this rate."""
        return self.fps is None or abs(self.fps - float(fps)) <= _SAME_RATE * float(fps)

    def clip_frame(self, frame: int, fps: Fraction | float) -> int:
        """The frame of a clip of ``fps`` frames a second that is nearest in time to a frame of the script."""
        return frame if self.fps is None or self.counts_at(fps) else math.floor(frame * float(fps) / self.fps + 0.5)

    def script_frame(self, frame: int, fps: Fraction | float) -> int:
        """The frame of the script that is nearest in time to a frame of a clip."""
        return frame if self.fps is None or self.counts_at(fps) else math.floor(frame * self.fps / float(fps) + 0.5)

    def part(self, start: int, stop: int, *, fps: Fraction | float, frame_count: int) -> "FocusScript":
        """The script of the frames ``start <= index < stop`` of a clip, counted from the first of them.

        Args:
            start, stop: frames of the clip.
            fps: its rate.
            frame_count: its frames.

        Raises:
            InputError: a keyframe lies before the part.
        """
        if self.dense is not None:
            if len(self.dense.focus_disparity) != frame_count:
                return self
            return FocusScript(dense=self.dense.part(start, stop))
        first = self.script_frame(start, fps)
        early = next((keyframe.frame for keyframe in self.keyframes if keyframe.frame < first), None)
        if early is not None:
            raise InputError(
                f"the focus script has a keyframe at frame {early}, before frame {start}, where the disparity begins; "
                "give the disparity of the whole clip"
            )
        return self.moved(-first)

    def moved(self, by: int) -> "FocusScript":
        """The script with its keyframes so many frames later."""
        return replace(self, keyframes=tuple(replace(each, frame=each.frame + by) for each in self.keyframes))

    def first_subject(self, fps: Fraction | float, *, first: int = 0) -> ClipSeed | None:
        """Where it first points at a subject; None where it never does.

        Args:
            fps: rate of the clip.
            first: frame of the clip that the answer counts from.
        """
        for keyframe in self.keyframes:
            frame = max(0, self.clip_frame(keyframe.frame, fps) - first)
            match keyframe.target:
                case PointTarget(x=x, y=y):
                    return ClipSeed(frame, point=(x, y))
                case BoxTarget(x0=x0, y0=y0, x1=x1, y1=y1):
                    return ClipSeed(frame, box=(x0, y0, x1, y1))
        return None

    def mask_paths(self) -> list[Path]:
        """The masks that it follows."""
        root = self.root or Path()
        return [root / each.target.path for each in self.keyframes if isinstance(each.target, MaskTarget)]

    @classmethod
    def load(cls, path: str | Path) -> "FocusScript":
        """Read a script; relative mask paths count from its folder.

        Raises:
            InputError: the file is missing, too large, or not a valid script; see `script_json.loads`.
        """
        from any2bokeh.focus import script_json

        return replace(script_json.load(Path(path)), root=Path(path).parent)

    def save(self, path: str | Path) -> None:
        """Write the script; it appears under its name only when it is complete, in place of what was there.

        Raises:
            InputError: the file cannot be written.
        """
        from any2bokeh.focus import script_json

        script_json.save(self, Path(path))

    @classmethod
    def loads(cls, text: str) -> "FocusScript":
        """Read a script from JSON text; see `script_json.loads` for what is refused."""
        from any2bokeh.focus import script_json

        return script_json.loads(text)

    def dumps(self) -> str:
        """The script as JSON text, which `loads` reads back equal."""
        from any2bokeh.focus import script_json

        return script_json.dumps(self)


def require_blur_strength(value: object, name: str = "blur_strength") -> None:
    """Refuse what is not a finite number >= 0."""
    if not is_finite_number(value) or not value >= 0:  # pyright: ignore[reportOperatorIssue]
        raise InputError(f"{name} is {shown(value)}; allowed is a finite number from 0 up")
