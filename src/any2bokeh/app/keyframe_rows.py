"""Keyframes as the page lists them."""

from typing import Any

from any2bokeh.focus import BoxTarget, DisparityTarget, FocusScript, Keyframe, MaskTarget, PointTarget
from any2bokeh.focus.move import plan_moves


def rows(script: FocusScript | None, fps: float) -> list[dict[str, Any]]:
    """One for each keyframe: its values, words for what it focuses on, and whether it gives way to a locked one.

    Args:
        script: counted in the clip's own frames.
        fps: of the clip.
    """
    if script is None or script.dense is not None:
        return []
    cuts = [k.frame for k in script.keyframes if k.cut]
    moves = plan_moves([(k.frame, k, k.target) for k in script.keyframes if k.target is not None], cuts=cuts, fps=fps)
    reached = {move.frame for move in moves}
    return [_row(k, gives_way=k.target is not None and k.frame not in reached) for k in script.keyframes]


def _row(keyframe: Keyframe, *, gives_way: bool) -> dict[str, Any]:
    row: dict[str, Any] = {
        "frame": keyframe.frame,
        "blur_strength": keyframe.blur_strength,
        "easing": keyframe.easing,
        "transition_s": keyframe.transition_s,
        "locked": keyframe.strength == "strong",
        "cut": keyframe.cut,
        "gives_way": gives_way,
        "track": None,
        "point": None,
    }
    match keyframe.target:
        case None:
            row |= {"kind": "blur", "what": "blur only"}
        case DisparityTarget(disparity):
            row |= {"kind": "disparity", "what": f"plane {disparity:.3f}", "focus_disparity": disparity}
        case PointTarget(x, y, track):
            row |= {"kind": "point", "what": f"{100 * x:.0f}, {100 * y:.0f} %", "track": track, "point": [x, y]}
        case BoxTarget(x0, y0, x1, y1, track):
            middle = [(x0 + x1) / 2, (y0 + y1) / 2]
            row |= {
                "kind": "box",
                "what": f"box {100 * middle[0]:.0f}, {100 * middle[1]:.0f} %",
                "track": track,
                "point": middle,
            }
        case MaskTarget():
            row |= {"kind": "mask", "what": "mask"}
    return row
