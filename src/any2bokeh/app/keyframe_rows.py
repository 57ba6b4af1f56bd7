"""Keyframes as the page lists them."""

from typing import Any

from any2bokeh.focus import BoxTarget, DisparityTarget, FocusScript, Keyframe, MaskTarget, PointTarget


def rows(script: FocusScript | None) -> list[dict[str, Any]]:
    """One for each keyframe: its values, and words for what it focuses on."""
    return [_row(keyframe) for keyframe in script.keyframes] if script is not None else []


def _row(keyframe: Keyframe) -> dict[str, Any]:
    row: dict[str, Any] = {
        "frame": keyframe.frame,
        "blur_strength": keyframe.blur_strength,
        "easing": keyframe.easing,
        "transition_s": keyframe.transition_s,
        "locked": keyframe.strength == "strong",
        "cut": keyframe.cut,
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
