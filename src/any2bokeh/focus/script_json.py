"""The focus script as JSON, version 1; docs/focus-script.md and focus-script.schema.json describe the format."""

import json
from pathlib import Path
from typing import Any, cast

from any2bokeh import json_file
from any2bokeh.errors import InputError, shown
from any2bokeh.focus.script import DEFAULT_EASING, DEFAULT_STRENGTH, DenseFocus, FocusScript, Keyframe
from any2bokeh.focus.target import BoxTarget, DisparityTarget, MaskTarget, PointTarget, Target
from any2bokeh.json_file import require_known, require_version, within

VERSION = 1
SCHEMA = Path(__file__).with_name("focus-script.schema.json")
"""JSON Schema (draft 2020-12) of the format, for editors; a test holds it equal to the tables below."""

_EDITOR_KEY = "$schema"  # which tells editors where the schema lies; nobody else reads it
_HEAD_KEYS = ("version", "fps", "keyframes")
_DENSE_KEYS = ("focus_disparity", "blur_strength")
_DENSE_MORE = ("focus_slab",)  # which may be left out
_KEYFRAME_KEYS = ("frame", "blur_strength", "easing", "transition_s", "strength", "cut")
_TARGET_KEYS = ("focus_disparity", "point", "box", "mask")
_TRACKED_KEYS = ("point", "box")


def load(path: Path) -> FocusScript:
    """Read a script from a file.

    Raises:
        InputError: see ``json_file.read_text``, or `loads` refuses it.
    """
    return loads(json_file.read_text(path, "focus script"), title=f"focus script {path}")


def save(script: FocusScript, path: Path) -> None:
    """Write a script; it appears under its name only when it is complete, in place of what was there.

    Raises:
        InputError: the file cannot be written.
    """
    json_file.write_text(dumps(script), path, "focus script")


def dumps(script: FocusScript) -> str:
    """A script as JSON, a keyframe on a line; `loads` gives an equal script back. What is default is left out."""
    head = {"version": VERSION} | ({} if script.fps is None else {"fps": script.fps})
    if script.dense is not None:
        given = ((name, getattr(script.dense, name)) for name in (*_DENSE_KEYS, *_DENSE_MORE))
        lines = [f'  "{name}": {json.dumps(list(values))}' for name, values in given if values is not None]
    else:
        rows = ",\n".join(f"    {json.dumps(_keyframe_json(keyframe))}" for keyframe in script.keyframes)
        lines = [f'  "keyframes": [\n{rows}\n  ]']
    first = [f"  {json.dumps(name)}: {json.dumps(value)}" for name, value in head.items()]
    return "{\n" + ",\n".join([*first, *lines]) + "\n}\n"


def loads(text: str, *, title: str = "focus script") -> FocusScript:
    """Read a script from JSON.

    Args:
        text: the JSON.
        title: what messages call it.

    Raises:
        InputError: malformed JSON (with line and column), NaN or Infinity, a key that is unknown or given twice, a
            version other than 1, more or less than one target in a keyframe, or a value outside its range; the
            message says in which keyframe.
    """
    return within(title, lambda: script_of(json_file.parsed(text)))


def script_of(given: object) -> FocusScript:
    """The script that parsed JSON stands for.

    Raises:
        InputError: as for `loads`.
    """
    if not isinstance(given, dict):
        raise InputError(f"it is {shown(given)}; it must be an object with version and keyframes")
    return _script(cast(dict[str, Any], given))


def _script(given: dict[str, Any]) -> FocusScript:
    given = {key: value for key, value in given.items() if key != _EDITOR_KEY}
    require_version(given, VERSION)
    require_known(given, (*_HEAD_KEYS, *_DENSE_KEYS, *_DENSE_MORE), "focus script")
    dense_keys = [key for key in (*_DENSE_KEYS, *_DENSE_MORE) if key in given]
    if ("keyframes" in given) == bool(dense_keys):
        found = f"both keyframes and {dense_keys[0]}" if dense_keys else "neither keyframes nor focus_disparity"
        raise InputError(f"it has {found}; give keyframes, or a focus_disparity and a blur_strength for every frame")
    fps = given.get("fps")
    if "fps" in given and fps is None:
        raise InputError("fps is null; give a number, or leave it out")
    if dense_keys:
        return FocusScript(dense=_dense(given), fps=fps)
    if not isinstance(given["keyframes"], list) or not given["keyframes"]:
        raise InputError(f"keyframes is {shown(given['keyframes'])}; give a list of at least one keyframe")
    keyframes = [
        within(f"keyframes[{number}]", lambda keyframe=keyframe: _keyframe(keyframe))
        for number, keyframe in enumerate(given["keyframes"])
    ]
    return FocusScript(keyframes=tuple(keyframes), fps=fps)


def _dense(given: dict[str, Any]) -> DenseFocus:
    for name in (*_DENSE_KEYS, *(name for name in _DENSE_MORE if name in given)):
        if not isinstance(given.get(name), list):
            raise InputError(
                f"{name} is {shown(given.get(name))}; without keyframes it must be a list, one for each frame"
            )
    return DenseFocus(**{name: tuple(given[name]) for name in (*_DENSE_KEYS, *_DENSE_MORE) if name in given})


def _keyframe(given: object) -> Keyframe:
    if not isinstance(given, dict):
        raise InputError(f"it is {shown(given)}; a keyframe is an object with a frame and a target")
    given = cast(dict[str, Any], given)
    require_known(given, (*_KEYFRAME_KEYS, *_TARGET_KEYS, "track"), "keyframe")
    null = next((key for key, value in given.items() if value is None), None)
    if null is not None:
        raise InputError(f"{null} is null; give a value, or leave it out")
    if "frame" not in given:
        raise InputError("frame is missing; give the frame number at which the values are reached")
    target = _target(given)
    return Keyframe(target=target, **{key: given[key] for key in _KEYFRAME_KEYS if key in given})


def _target(given: dict[str, Any]) -> Target | None:
    names = [name for name in _TARGET_KEYS if name in given]
    if len(names) > 1:
        raise InputError(f"it has {' and '.join(names)}; give one target")
    if "track" in given and (not names or names[0] not in _TRACKED_KEYS):
        raise InputError("it has track without a point or box; give one, or leave track out")
    if not names:
        return None
    track = given.get("track", False)
    value = given[names[0]]
    match names[0]:
        case "point":
            return PointTarget(*_numbers("point", value, 2), track=track)
        case "box":
            return BoxTarget(*_numbers("box", value, 4), track=track)
        case "mask":
            return MaskTarget(value)
        case _:
            return DisparityTarget(value)


def _numbers(name: str, value: object, count: int) -> list[Any]:
    if not isinstance(value, list) or len(value) != count:
        wanted = "[x, y]" if count == 2 else "[x0, y0, x1, y1]"
        raise InputError(f"{name} is {shown(value)}; give {wanted}, each from 0 to 1")
    return value


def _keyframe_json(keyframe: Keyframe) -> dict[str, Any]:
    optional = {
        "blur_strength": (keyframe.blur_strength, None),
        "easing": (keyframe.easing, DEFAULT_EASING),
        "transition_s": (keyframe.transition_s, None),
        "strength": (keyframe.strength, DEFAULT_STRENGTH),
        "cut": (keyframe.cut, False),
    }
    given = {name: value for name, (value, default) in optional.items() if value != default}
    return {"frame": keyframe.frame, **_target_json(keyframe.target), **given}


def _target_json(target: Target | None) -> dict[str, Any]:
    match target:
        case None:
            return {}
        case DisparityTarget(focus_disparity):
            return {"focus_disparity": focus_disparity}
        case PointTarget(x, y, track):
            return {"point": [x, y]} | ({"track": True} if track else {})
        case BoxTarget(x0, y0, x1, y1, track):
            return {"box": [x0, y0, x1, y1]} | ({"track": True} if track else {})
        case MaskTarget(path):
            return {"mask": path}
