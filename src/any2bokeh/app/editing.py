"""What a person does to a focus script; each edit returns a new script and leaves the old one unchanged."""

import math
from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction
from typing import Any

from any2bokeh.errors import InputError
from any2bokeh.focus import BoxTarget, DisparityTarget, FocusScript, Keyframe, MaskTarget, PointTarget, Target
from any2bokeh.focus.script import Strength

TRANSITION_S = 0.6
"""How long the focus takes to get to what was clicked, unless said otherwise."""


def focused(
    script: FocusScript | None,
    frame: int,
    target: Target,
    *,
    strength: Strength,
    blur_strength: float,
    fps: float,
) -> FocusScript:
    """Focus on a target from a frame on.

    Args:
        script: what there is; None where nothing has been said.
        frame: of the clip.
        target: what to focus on.
        strength: ``weak`` gives way to what is locked, ``strong`` is locked. The move never reaches back over the
            keyframe before, so that what was clicked last does not give way to what was locked earlier.
        blur_strength: K, where the script gives none yet.
        fps: of the clip.
    """
    keyframes = _keyframes(script)
    there = _find(keyframes, frame)
    if there is not None:
        changed = replace(there, target=target, strength=strength)
    else:
        changed = Keyframe(frame, target, transition_s=_transition_s(keyframes, frame, fps), strength=strength)
    return _script(_with_strength([*_others(keyframes, frame), changed], blur_strength), script, fps)


def blurred(script: FocusScript, blur_strength: float, *, frame: int = 0, begins: bool = False) -> FocusScript:
    """Give the blur another strength; no other keyframe changes.

    Args:
        script: what there is.
        blur_strength: K.
        frame: where the strength that is changed holds; see ``strengths``.
        begins: whether the strength changes from this frame on, and not where the present one began.
    """
    keyframes = _keyframes(script)
    if not begins and not _gives_none(keyframes):
        starts = [k.frame for k in keyframes if k.blur_strength is not None]
        frame = max((start for start in starts if start <= frame), default=starts[0])
    there = _find(keyframes, frame)
    if there is None:
        there = Keyframe(frame, blur_strength=blur_strength, transition_s=TRANSITION_S)
    return _script([*_others(keyframes, frame), replace(there, blur_strength=blur_strength)], script)


def scaled(script: FocusScript, blur_strength: float) -> FocusScript:
    """Give the first strength of the blur another value and all others the same factor, as another lens would."""
    keyframes = _keyframes(script)
    first = next((k.blur_strength for k in keyframes if k.blur_strength is not None), None)
    if not first:  # none, or none that could be multiplied
        return blurred(script, blur_strength)
    factor = blur_strength / first
    return _script(
        [k if k.blur_strength is None else replace(k, blur_strength=k.blur_strength * factor) for k in keyframes],
        script,
    )


def strengths(script: FocusScript) -> list[tuple[int, float]]:
    """The frames from which on another blur strength K is meant, with it; the first holds before its frame, too."""
    return [(k.frame, k.blur_strength) for k in script.keyframes if k.blur_strength is not None]


def deleted(script: FocusScript, frame: int) -> FocusScript | None:
    """Without the keyframe of a frame; None where nothing is in focus any more."""
    keyframes = _keyframes(script)
    gone = _require(keyframes, frame)
    left = _others(keyframes, frame)
    if all(k.target is None for k in left):
        return None
    if gone.blur_strength is not None:
        left = _with_strength(left, gone.blur_strength)
    return _script(left, script)


def moved(script: FocusScript, frame: int, to: int) -> FocusScript:
    """With a keyframe at another frame.

    Raises:
        InputError: there is one already.
    """
    keyframes = _keyframes(script)
    keyframe = _require(keyframes, frame)
    if to != frame and _find(keyframes, to) is not None:
        raise InputError(f"there already is a keyframe at frame {to}; delete it first, or choose another frame")
    return _script([*_others(keyframes, frame), replace(keyframe, frame=to)], script)


def changed(script: FocusScript, frame: int, changes: dict[str, Any]) -> FocusScript:
    """With other values in a keyframe.

    Args:
        script: what there is.
        frame: of the keyframe.
        changes: of ``easing``, ``transition_s``, ``strength``, ``blur_strength``, ``cut``; ``track`` of a point or box;
            ``focus_disparity`` of a disparity.

    Raises:
        InputError: a value outside its range, or one that the keyframe does not have.
    """
    keyframes = _keyframes(script)
    keyframe = _require(keyframes, frame)
    changes = dict(changes)
    if "track" in changes:
        track = changes.pop("track")
        if not isinstance(keyframe.target, PointTarget | BoxTarget):
            raise InputError(
                f"the keyframe at frame {frame} has no subject to follow; only points and boxes can be followed"
            )
        changes["target"] = replace(keyframe.target, track=track)
    if "focus_disparity" in changes:
        changes["target"] = DisparityTarget(changes.pop("focus_disparity"))
    allowed = ("easing", "transition_s", "strength", "blur_strength", "cut", "target")
    unknown = [name for name in changes if name not in allowed]
    if unknown:
        raise InputError(f"a keyframe has no {unknown[0]}; reload the page")
    others = _others(keyframes, frame)
    if "blur_strength" in changes and changes["blur_strength"] is None and _gives_none(others):
        raise InputError("this is the only keyframe that sets the blur strength; set one on another keyframe first")
    return _script([*others, replace(keyframe, **changes)], script)


def in_frames_of(script: FocusScript, fps: Fraction | float, frame_count: int) -> FocusScript:
    """A script from a file, its keyframes counted in the clip's own frames.

    Raises:
        InputError: it names masks, which are files of this machine; or it does not fit the clip.
    """
    if any(isinstance(k.target, MaskTarget) for k in script.keyframes):
        raise InputError(
            "the focus script names a mask by its path, which the studio does not open; load a script without masks, "
            "and click what the mask showed"
        )
    if script.dense is not None:
        count = len(script.dense.focus_disparity)
        if count != frame_count:
            raise InputError(
                f"the focus script has values for {count} frames but the clip has {frame_count}; load one for this clip"
            )
        return script
    moved = [replace(each, frame=script.clip_frame(each.frame, fps)) for each in script.keyframes]
    placed = {each.frame: each for each in moved}
    last = max(placed)
    if last >= frame_count:
        raise InputError(
            f"the focus script has a keyframe at frame {last}, but the clip has {frame_count} frames, the last is "
            f"{frame_count - 1}; it belongs to another clip"
        )
    return FocusScript(keyframes=tuple(placed[frame] for frame in sorted(placed)), fps=float(fps))


def _keyframes(script: FocusScript | None) -> list[Keyframe]:
    if script is None:
        return []
    if script.dense is not None:
        raise InputError("the focus script has a value for every frame and cannot be edited here; clear it first")
    return list(script.keyframes)


def _find(keyframes: Iterable[Keyframe], frame: int) -> Keyframe | None:
    return next((k for k in keyframes if k.frame == frame), None)


def _require(keyframes: Iterable[Keyframe], frame: int) -> Keyframe:
    found = _find(keyframes, frame)
    if found is None:
        raise InputError(f"the keyframe at frame {frame} no longer exists; reload the page")
    return found


def _others(keyframes: Iterable[Keyframe], frame: int) -> list[Keyframe]:
    return [k for k in keyframes if k.frame != frame]


def _gives_none(keyframes: Iterable[Keyframe]) -> bool:
    return all(k.blur_strength is None for k in keyframes)


def _transition_s(keyframes: Iterable[Keyframe], frame: int, fps: float) -> float:
    before = max((k.frame for k in keyframes if k.frame < frame), default=None)
    if before is None:
        return TRANSITION_S
    return min(TRANSITION_S, math.floor(1000 * (frame - before) / fps) / 1000)


def _with_strength(keyframes: Iterable[Keyframe], blur_strength: float) -> list[Keyframe]:
    """The first keyframe with a target says how strong the blur is, where none does."""
    ordered = sorted(keyframes, key=lambda k: k.frame)
    if not _gives_none(ordered):
        return ordered
    return [replace(ordered[0], blur_strength=blur_strength), *ordered[1:]]


def _script(keyframes: Iterable[Keyframe], before: FocusScript | None, fps: float | None = None) -> FocusScript:
    ordered = tuple(sorted(keyframes, key=lambda k: k.frame))
    return FocusScript(keyframes=ordered, fps=before.fps if before is not None and before.fps is not None else fps)
