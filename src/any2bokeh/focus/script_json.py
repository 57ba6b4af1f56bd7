"""The focus script as JSON, version 1; docs/focus-script.md describes the format."""

import json
import os
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar, cast

from any2bokeh.errors import InputError, shown
from any2bokeh.focus.script import DEFAULT_EASING, DEFAULT_STRENGTH, DenseFocus, FocusScript, Keyframe
from any2bokeh.focus.target import BoxTarget, DisparityTarget, MaskTarget, PointTarget, Target
from any2bokeh.pending_output import pointed_at

T = TypeVar("T")

VERSION = 1
# Over four hours of dense values at 24 fps; a script is untrusted, and is read whole.
MAX_BYTES = 16 * 2**20

_DENSE_KEYS = ("focus_disparity", "blur_strength")
_KEYFRAME_KEYS = ("frame", "blur_strength", "easing", "transition_s", "strength", "cut")
_TARGET_KEYS = ("focus_disparity", "point", "box", "mask")
_TRACKED_KEYS = ("point", "box")


def load(path: Path) -> FocusScript:
    """Read a script from a file.

    Raises:
        InputError: the file is missing, unreadable or larger than `MAX_BYTES`, or `loads` refuses it.
    """
    try:
        with path.open("rb") as file:
            encoded = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise InputError(f"cannot read focus script {path}: {error.strerror or error}") from error
    if len(encoded) > MAX_BYTES:
        raise InputError(
            f"focus script {path} is larger than {MAX_BYTES >> 20} MiB; it holds something else, or split it"
        )
    try:
        text = encoded.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"focus script {path} is not UTF-8 text (byte {error.start}); save it as UTF-8") from error
    return loads(text, title=f"focus script {path}")


def save(script: FocusScript, path: Path) -> None:
    """Write a script; it appears under its name only when it is complete, in place of what was there.

    Raises:
        InputError: the file cannot be written.
    """
    text = dumps(script)
    path = pointed_at(path)
    partial = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}.partial")
    try:
        try:
            partial.write_text(text, encoding="utf-8")
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
    except OSError as error:
        raise InputError(f"cannot write focus script {path}: {error.strerror or error}") from error


def dumps(script: FocusScript) -> str:
    """A script as JSON, a keyframe on a line; `loads` gives an equal script back. What is default is left out."""
    head = {"version": VERSION} | ({} if script.fps is None else {"fps": script.fps})
    if script.dense is not None:
        lines = [f'  "{name}": {json.dumps(list(getattr(script.dense, name)))}' for name in _DENSE_KEYS]
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
    script = _within(title, lambda: _parsed(text))
    if not isinstance(script, dict):
        raise InputError(f"{title} is {shown(script)}; it must be an object with version and keyframes")
    return _within(title, lambda: _script(script))


def _parsed(text: str) -> object:
    try:
        return json.loads(text, object_pairs_hook=_unique_keys, parse_constant=_refuse_constant)
    except InputError:
        raise
    except json.JSONDecodeError as error:
        raise InputError(f"malformed JSON at line {error.lineno}, column {error.colno}: {error.msg}") from error
    except RecursionError as error:
        raise InputError("malformed: nested too deeply") from error
    except ValueError as error:  # an integer of thousands of digits
        raise InputError(f"malformed: {str(error).splitlines()[0]}") from error


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    unique: dict[str, Any] = {}
    for key, value in pairs:
        if key in unique:
            raise InputError(f"key {shown(key)} is given twice; give it once")
        unique[key] = value
    return unique


def _refuse_constant(constant: str) -> None:
    raise InputError(f"{constant} is not a number of a focus script; give a finite number")


def _script(given: dict[str, Any]) -> FocusScript:
    if "version" not in given:
        raise InputError(f'version is missing; give "version": {VERSION}')
    if isinstance(given["version"], bool) or given["version"] != VERSION:
        raise InputError(f"version is {shown(given['version'])}; this release reads version {VERSION}")
    _only(given, ("version", "fps", "keyframes", *_DENSE_KEYS), "focus script")
    dense_keys = [key for key in _DENSE_KEYS if key in given]
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
        _within(f"keyframes[{number}]", lambda keyframe=keyframe: _keyframe(keyframe))
        for number, keyframe in enumerate(given["keyframes"])
    ]
    return FocusScript(keyframes=tuple(keyframes), fps=fps)


def _dense(given: dict[str, Any]) -> DenseFocus:
    for name in _DENSE_KEYS:
        if not isinstance(given.get(name), list):
            raise InputError(
                f"{name} is {shown(given.get(name))}; without keyframes it must be a list, one for each frame"
            )
    return DenseFocus(tuple(given["focus_disparity"]), tuple(given["blur_strength"]))


def _keyframe(given: object) -> Keyframe:
    if not isinstance(given, dict):
        raise InputError(f"it is {shown(given)}; a keyframe is an object with a frame and a target")
    given = cast(dict[str, Any], given)
    _only(given, (*_KEYFRAME_KEYS, *_TARGET_KEYS, "track"), "keyframe")
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


def _only(given: dict[str, Any], allowed: Iterable[str], kind: str) -> None:
    unknown = [key for key in given if key not in allowed]
    if unknown:
        raise InputError(f"unknown key {shown(unknown[0])}; a {kind} knows {', '.join(allowed)}")


def _within(where: str, read: Callable[[], T]) -> T:
    """Say in a message where the trouble is."""
    try:
        return read()
    except InputError as error:
        raise InputError(f"{where}: {error}") from error
